"""The second engine: transformers with accelerate, for models that vLLM does not serve.

Prompt, records and resume are the same. `model.interface` says how a model is spoken to:

- `processor`: AutoProcessor and `generate`, as transformers documents it;
- `chat`: the model's own `chat(tokenizer, pixel_values, question, …)`, as InternVL 2.5 and
  InternVideo2.5 have it. Media are tiles of 448 x 448, `<image>` in the question stands for one
  image or frame.

Weights spread over all GPUs that are there (device_map=auto). Tasks are answered one after another.
Frames are decoded by decord; those for models of the Qwen family are shrunk by qwen-vl-utils.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from iwr.config import Config, ModelConfig
from iwr.errors import ConfigError, RequestError, ServerError
from iwr.inference import video
from iwr.inference.audit import audit
from iwr.inference.engines import qwen
from iwr.inference.engines.loading import LOADERS
from iwr.inference.engines.pictures import decoded, opened, pixels_of
from iwr.inference.engines.tiles import tensor, tiled
from iwr.inference.engines.vllm import GeneratedReply
from iwr.inference.fitting import FittedRequest, fit
from iwr.inference.processors import merged, processor_of, video_input, with_options
from iwr.inference.prompt import text_for
from iwr.inference.sampling import NEUTRAL, Sampling, max_tokens, sampling
from iwr.inference.server.command import model_path
from iwr.inference.thinking import marks_of, open_mark
from iwr.inference.tokens import TokenCounter
from iwr.inference.weights import local_folder
from iwr.records import Frames, Task, Usage
from iwr.tasks import recordings

if TYPE_CHECKING:
    from PIL.Image import Image

NOT_IN_TRANSFORMERS = ("presence_penalty", "frequency_penalty")
OF_CHANCE = ("temperature", "top_p", "top_k", "min_p")  # without meaning where nothing is drawn


class LocalModel:
    """A model in this process. Use it as a context manager: leaving frees its memory.

    Raise ConfigError when there is no such model, ServerError when it cannot be loaded.
    """

    def __init__(self, model: ModelConfig, config: Config):
        import transformers

        if model.interface not in LOADERS:
            choices = " or ".join(LOADERS)
            raise ConfigError(f"model.interface={model.interface}: choose {choices}")
        self.model = model
        self.config = config
        self.engine = f"transformers {transformers.__version__}"
        self.gpus = 0
        self.start_seconds = 0.0
        self.restart_seconds = 0.0
        # of a hub id transformers would ask the hub, although all of it is here
        self._path = str(local_folder(model) or model_path(model))
        self._marks = marks_of(model.thinking)
        self._sampling = _values(model, config)
        self._token_counter = TokenCounter(model)

    def sample_as(self, model: ModelConfig) -> None:
        """Answer from now on as this repeat of the model. Raise ConfigError as the class does."""
        self.model = model
        self._sampling = _values(model, self.config)

    def __enter__(self) -> LocalModel:
        import torch

        start = time.monotonic()
        name = self.model.name
        try:
            self._network = self._load()
        except torch.OutOfMemoryError as error:
            raise ServerError(
                f"{name} does not fit into the GPUs: {error}", hint="use more or larger GPUs"
            ) from error
        except (OSError, ValueError, ImportError, RuntimeError, AttributeError) as error:
            raise ServerError(
                f"{name} cannot be loaded by {self.engine}: {error}", hint="check model.path"
            ) from error
        self.gpus = torch.cuda.device_count()
        self.start_seconds = time.monotonic() - start
        return self

    def _load(self) -> Any:
        """Return the network, ready for answers, on all GPUs."""
        load = LOADERS[self.model.interface]
        dtype = self.model.dtype
        network = load(self._path, dtype=dtype, device_map="auto", **self._source)
        return network.eval()

    @property
    def _source(self) -> dict[str, Any]:
        """Which release of the model to load, and whether its authors' code may run."""
        model = self.model
        return {"revision": model.revision, "trust_remote_code": model.trust_remote_code}

    def __exit__(self, *_: object) -> None:
        import torch

        del self._network
        torch.cuda.empty_cache()

    def ask(self, task: Task) -> GeneratedReply:
        """Put one task to the model.

        Raise DataError for a broken recording, RequestError when it does not fit or is refused,
        ServerError when no whole answer comes within `server.request_seconds`.
        """
        start = time.monotonic()
        recording = recordings.verify(task.video, task.id)
        reply = self._answer(task, recording)
        limit = self.config.server.request_seconds
        if reply.seconds > limit:
            raise ServerError(f"task {task.id}: no whole answer within {limit:.0f} s")
        seconds = time.monotonic() - start
        return reply._replace(seconds=seconds)

    def _answer(self, task: Task, recording: recordings.Recording) -> GeneratedReply:
        """Return the answer; `seconds` are those of the network alone."""
        import torch

        model = self.model
        protocol = self.config.protocol
        sheets = len(task.stitched)
        number = video.count_for(recording, protocol, model, sheets)
        answer = self._generate
        if model.interface == "chat":
            answer = self._chat
        try:
            with torch.inference_mode():
                return answer(task, recording, number)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise RequestError(
                f"task {task.id}: out of GPU memory: {error}",
                hint="use more GPUs, or fewer frames (protocol.max_frames)",
            ) from error
        except (ValueError, RuntimeError) as error:
            # GLM in transformers 5.19, for one, takes images or a video, not both
            raise RequestError(
                f"task {task.id}: {self.engine} refused it: {error}",
                hint="model.video=frames shows the recording as images",
            ) from error

    def _options_of_generate(self, limit: int) -> dict[str, Any]:
        """Return the options of one `generate`; `limit` in tokens.

        Where chance decides, it starts from the seed again for each answer.
        """
        import torch

        values = self._sampling
        is_sampled = values["temperature"] > 0
        options: dict[str, Any] = {
            "max_new_tokens": limit,
            "max_time": self.config.server.request_seconds,
            "do_sample": is_sampled,
            "repetition_penalty": values["repetition_penalty"],
        }
        if is_sampled:
            seed = int(values["seed"])
            torch.manual_seed(seed)
            for key in OF_CHANCE:
                options[key] = values[key]
        return options

    # ---- interface: processor -----------------------------------------------------------------

    def _generate(self, task: Task, recording: recordings.Recording, number: int) -> GeneratedReply:
        """Ask with the model's processor for `number` frames, fewer where they do not fit."""
        processor = self._processor()
        tokenizer = processor.tokenizer
        request = self._fit(task, recording, number)
        limit = request.max_tokens
        inputs = self._inputs(task, recording, request.plan.frames, processor)
        prompt = inputs["input_ids"][0].tolist()
        options = self._options_of_generate(limit) | self._stops(tokenizer)
        start = time.monotonic()
        output = self._network.generate(**inputs, **options)
        seconds = time.monotonic() - start
        first = len(prompt)
        tokens = output[0, first:].tolist()
        counter = self._token_counter
        mode = self.model.video
        frames = audit(request.plan, number, mode, counter, prompt, task.id)
        text = self._as_written(prompt, tokens, tokenizer)
        length = len(tokens)
        return GeneratedReply(
            text=text,
            finish_reason="length" if length >= limit else "stop",
            usage=Usage(prompt_tokens=first, completion_tokens=length),
            frames=frames,
            seconds=seconds,
            sampling=self._sampling,
            note=request.note,
        )

    def _processor(self) -> Any:
        """Return the model's processor. Raise ServerError when none loads."""
        model = self.model
        loaded = processor_of(self._path, model.revision, model.trust_remote_code)
        if loaded is None:
            raise ServerError(
                f"{model.name} has no processor that loads here", hint="set model.interface=chat"
            )
        return loaded.processor

    def _fit(self, task: Task, recording: recordings.Recording, number: int) -> FittedRequest:
        """Return the largest request that fits. Raise RequestError when none does."""
        model = self.model
        limit = max_tokens(model, self.config)
        text = text_for(task)
        plan = partial(self._token_counter.plan, recording, sheets=task.stitched, text=text)
        return fit(plan, number, limit, model.context, model.over_context, task.id)

    def _inputs(
        self, task: Task, recording: recordings.Recording, number: int, processor: Any
    ) -> Any:
        """Return the question as tensors on the model's device.

        It holds the overview images, then the recording, then the text.
        """
        model = self.model
        places = video.indices(recording.frames, number)
        frames = decoded(task.video, places)
        images = opened(task.stitched)
        media: dict[str, Any] = {}
        own_options: Mapping[str, Any] = model.processor
        if model.video == "frames":
            for frame in frames:
                image = video.shrunk_image(frame, model.frame_pixels)
                images.append(image)
        else:
            if qwen.is_of_family(processor):
                frames = qwen.shrunk_frames(frames, with_options(processor, model.processor))
                own_options = merged(own_options, qwen.AS_THEY_ARE)
            pixels = pixels_of(frames)
            media = video_input(recording, places, pixels)
        words = text_for(task)
        question = _question(len(images), bool(media), words)
        template = {"tokenize": False, "add_generation_prompt": True}
        template |= model.chat_template
        text = processor.apply_chat_template(question, **template)
        options = {**media, **own_options}
        if images:
            options["images"] = images
        inputs = processor(text=[text], return_tensors="pt", **options)
        network = self._network
        return inputs.to(network.device, dtype=network.dtype)

    def _as_written(self, prompt: list[int], tokens: list[int], tokenizer: Any) -> str:
        """Return the reply with the marks of its thoughts, though they may be special tokens."""
        written = self._without_special(tokens, tokenizer)
        text = tokenizer.decode(written)
        end = self._token_counter.end_of(prompt) or ""
        opening = open_mark(end, self._marks) or ""
        return f"{opening}{text}"

    def _without_special(self, tokens: list[int], tokenizer: Any) -> list[int]:
        """Return the tokens of a reply without the special ones; marks of thoughts stay."""
        marks = list(self._marks or ())
        dropped = set(tokenizer.all_special_ids)
        dropped.difference_update(tokenizer.convert_tokens_to_ids(marks))
        return [token for token in tokens if token not in dropped]

    def _stops(self, tokenizer: Any) -> dict[str, Any]:
        """Return the options that end an answer at `model.stop`."""
        if not self.model.stop:
            return {}
        return {"stop_strings": self.model.stop, "tokenizer": tokenizer}

    # ---- interface: chat ----------------------------------------------------------------------

    def _chat(self, task: Task, recording: recordings.Recording, number: int) -> GeneratedReply:
        """Ask with the model's own `chat`, which takes tiles and shortens nothing."""
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self._path, **self._source)
        places = video.indices(recording.frames, number)
        sheets = opened(task.stitched)
        frames = decoded(task.video, places)
        shown = _shown(sheets, frames)
        tiles = self._tiles(shown)
        counts = list(map(len, shown))
        words = text_for(task)
        question = _chat_question(len(sheets), number, words)
        limit = max_tokens(self.model, self.config)
        options = self._options_of_generate(limit)
        start = time.monotonic()
        answer = self._network.chat(tokenizer, tiles, question, options, num_patches_list=counts)
        seconds = time.monotonic() - start
        text = answer
        if isinstance(answer, tuple):
            text, _ = answer
        tokens = tokenizer(text)["input_ids"]
        length = len(tokens)
        return GeneratedReply(
            text=text,
            finish_reason="length" if length >= limit - 1 else "stop",  # it does not tell
            usage=Usage(completion_tokens=length),
            frames=Frames(mode=self.model.video, planned=number, delivered=number),
            seconds=seconds,
            sampling=self._sampling,
        )

    def _tiles(self, shown: Sequence[Sequence[Image]]) -> Any:
        """Return all tiles as one tensor (tiles, 3, side, side) on the model's device."""
        import torch

        tensors: list[torch.Tensor] = []
        for images in shown:
            tensors += map(tensor, images)
        tiles = torch.stack(tensors)
        network = self._network
        return tiles.to(network.device, dtype=network.dtype)


def _values(model: ModelConfig, config: Config) -> Sampling:
    """Return every value of the sampling that transformers takes, neutral ones included.

    Raise ConfigError for a value that it cannot honour.
    """
    values = NEUTRAL | sampling(model, config)
    for key in NOT_IN_TRANSFORMERS:
        value = values.pop(key)
        if value != NEUTRAL[key]:
            raise ConfigError(
                f"model {model.name}: transformers has no {key}",
                hint=f"set model.sampling.{key}=null, or use model.kind=vllm",
            )
    return values


def _question(images: int, has_video: bool, text: str) -> list[dict[str, Any]]:
    """Return the messages of a chat template: so many images, then the video, then the text."""
    parts = [{"type": "image"}] * images
    if has_video:
        parts.append({"type": "video"})
    parts.append({"type": "text", "text": text})
    return [{"role": "user", "content": parts}]


def _shown(sheets: Sequence[Image], frames: Sequence[Image]) -> list[list[Image]]:
    """Return the tiles of each image: overview images are cut, frames are one tile each."""
    shown = [tiled(sheet) for sheet in sheets]
    for frame in frames:
        shown.append([frame])
    return shown


def _chat_question(sheets: int, frames: int, text: str) -> str:
    """Return the question of the chat interface: a numbered `<image>` for each image and frame."""
    lines = []
    for kind, count in (("Image", sheets), ("Frame", frames)):
        for number in range(1, count + 1):
            lines.append(f"{kind}-{number}: <image>")
    lines.append(text)
    return "\n".join(lines)
