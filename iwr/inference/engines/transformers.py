"""The second engine: transformers with accelerate, for models that vLLM does not serve.

Prompt, records and resume are the same. `model.interface` says how a model is spoken to:

- `processor`: AutoProcessor and `generate`, as transformers documents it;
- `chat`: the model's own `chat(tokenizer, pixel_values, question, …)`, as InternVL 2.5 and
  InternVideo2.5 have it. Media are tiles of 448 x 448, `<image>` in the question stands for one
  image or frame.

Weights spread over all GPUs that are there (device_map=auto). Tasks are answered one after another.
Frames are decoded by decord; docs/inference.md says why qwen-vl-utils does not choose and shrink
them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iwr.config import Config, ModelConfig
from iwr.errors import ConfigError, RequestError, ServerError
from iwr.inference import video
from iwr.inference.audit import TokenCounter, audit, processor_of, video_input
from iwr.inference.engines.vllm import GeneratedReply, max_tokens, temperature
from iwr.inference.fitting import FittedRequest, fit
from iwr.inference.prompt import text_for
from iwr.inference.server.command import model_path
from iwr.records import Frames, Task, Usage

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

TILE = 448  # pixels, side of a tile of the chat interface
# of ImageNet, as InternViT was trained
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class LocalModel:
    """A model in this process. Use it as a context manager: leaving frees its memory.

    Raise ConfigError when there is no such model, ServerError when it cannot be loaded.
    """

    def __init__(self, model: ModelConfig, config: Config):
        import transformers

        if model.interface not in INTERFACES:
            raise ConfigError(
                f"model.interface={model.interface}: choose {' or '.join(INTERFACES)}"
            )
        self.model = model
        self.config = config
        self.engine = f"transformers {transformers.__version__}"
        self.gpus = 0
        self.start_seconds = 0.0
        self.restart_seconds = 0.0
        self._path = model_path(model)
        self._options: dict[str, Any] = {
            "revision": model.revision,
            "trust_remote_code": model.trust_remote_code,
        }
        self._token_counter = TokenCounter(model)

    def __enter__(self) -> LocalModel:
        import torch

        start = time.monotonic()
        load = INTERFACES[self.model.interface]
        try:
            self._network = load(
                self._path, dtype=self.model.dtype, device_map="auto", **self._options
            ).eval()
        except torch.OutOfMemoryError as error:
            raise ServerError(
                f"{self.model.name} does not fit into the GPUs: {error}",
                hint="use more or larger GPUs",
            ) from error
        except (OSError, ValueError, ImportError, RuntimeError, AttributeError) as error:
            raise ServerError(
                f"{self.model.name} cannot be loaded by {self.engine}: {error}",
                hint="check model.path",
            ) from error
        self.gpus = torch.cuda.device_count()
        self.start_seconds = time.monotonic() - start
        return self

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
        recording = video.probe(task.video, task.id)
        reply = self._answer(task, recording)
        limit = self.config.server.request_seconds
        if reply.seconds > limit:
            raise ServerError(f"task {task.id}: no whole answer within {limit:.0f} s")
        return reply._replace(seconds=time.monotonic() - start)

    def _answer(self, task: Task, recording: video.Recording) -> GeneratedReply:
        import torch

        number = video.count_for(recording, self.config.protocol, self.model, len(task.stitched))
        interface = self._chat if self.model.interface == "chat" else self._generate
        try:
            with torch.inference_mode():
                return interface(task, recording, number)
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

    # ---- interface: processor -----------------------------------------------------------------

    def _generate(self, task: Task, recording: video.Recording, number: int) -> GeneratedReply:
        loaded = processor_of(self._path, self.model.revision, self.model.trust_remote_code)
        if loaded is None:
            raise ServerError(
                f"{self.model.name} has no processor that loads here",
                hint="set model.interface=chat",
            )
        processor = loaded.processor
        request = self._fit(task, recording, number)
        inputs = self._inputs(task, recording, request.plan.frames, processor)
        prompt = inputs["input_ids"][0].tolist()
        start = time.monotonic()
        output = self._network.generate(
            **inputs,
            **self._sampling(request.max_tokens),
            **self._stops(processor.tokenizer),
        )
        seconds = time.monotonic() - start
        tokens = output[0, len(prompt) :]
        frames = audit(request.plan, number, self.model.video, self._token_counter, prompt, task.id)
        return GeneratedReply(
            text=processor.tokenizer.decode(tokens, skip_special_tokens=True),
            finish_reason="length" if len(tokens) >= request.max_tokens else "stop",
            usage=Usage(prompt_tokens=len(prompt), completion_tokens=len(tokens)),
            frames=frames,
            seconds=seconds,
            note=request.note,
        )

    def _fit(self, task: Task, recording: video.Recording, number: int) -> FittedRequest:
        return fit(
            partial(self._token_counter.plan, recording, sheets=task.stitched, text=text_for(task)),
            number,
            max_tokens(self.model, self.config),
            self.model.context,
            self.model.over_context,
            task.id,
        )

    def _inputs(self, task: Task, recording: video.Recording, number: int, processor: Any) -> Any:
        """Return the question as tensors on the model's device.

        It holds the overview images, then the recording, then the text.
        """
        import numpy as np

        places = video.indices(recording.frames, number)
        frames = decoded(task.video, places)
        images = _images(task.stitched)
        media: dict[str, Any] = {}
        parts = [{"type": "image"} for _ in images]
        if self.model.video == "frames":
            images += frames
            parts += [{"type": "image"} for _ in frames]
        else:
            pixels = np.stack([np.asarray(frame) for frame in frames])
            media = video_input(recording, places, pixels)
            parts.append({"type": "video"})
        parts.append({"type": "text", "text": text_for(task)})
        text = processor.apply_chat_template(
            [{"role": "user", "content": parts}],
            tokenize=False,
            add_generation_prompt=True,
            **self.model.chat_template,
        )
        inputs = processor(
            text=[text],
            images=images or None,
            return_tensors="pt",
            **media,
            **self.model.processor,
        )
        return inputs.to(self._network.device, dtype=self._network.dtype)

    def _sampling(self, limit: int) -> dict[str, Any]:
        """Return the options of one `generate`; `limit` in tokens."""
        options: dict[str, Any] = {
            "max_new_tokens": limit,
            "do_sample": False,
            "max_time": self.config.server.request_seconds,
        }
        warmth = temperature(self.model, self.config)
        if warmth > 0:
            options |= {"do_sample": True, "temperature": warmth}
        return options

    def _stops(self, tokenizer: Any) -> dict[str, Any]:
        if not self.model.stop:
            return {}
        return {"stop_strings": self.model.stop, "tokenizer": tokenizer}

    # ---- interface: chat ----------------------------------------------------------------------

    def _chat(self, task: Task, recording: video.Recording, number: int) -> GeneratedReply:
        import torch
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self._path, **self._options)
        frames = decoded(task.video, video.indices(recording.frames, number))
        sheets = _images(task.stitched)
        tiles = torch.stack([_tile(image) for image in [*sheets, *frames]])
        tiles = tiles.to(self._network.device, dtype=self._network.dtype)
        limit = max_tokens(self.model, self.config)
        start = time.monotonic()
        answer = self._network.chat(
            tokenizer,
            tiles,
            _chat_question(len(sheets), number, text_for(task)),
            self._sampling(limit),
            num_patches_list=[1] * len(tiles),
        )
        seconds = time.monotonic() - start
        text = answer[0] if isinstance(answer, tuple) else answer
        length = len(tokenizer(text)["input_ids"])
        return GeneratedReply(
            text=text,
            finish_reason="length" if length >= limit - 1 else "stop",  # it does not tell
            usage=Usage(completion_tokens=length),
            frames=Frames(mode=self.model.video, planned=number, delivered=number),
            seconds=seconds,
        )


def _chat_question(sheets: int, frames: int, text: str) -> str:
    """Return the question of the chat interface: a numbered `<image>` for each image and frame."""
    lines = [f"Image-{number}: <image>" for number in range(1, sheets + 1)]
    lines += [f"Frame-{number}: <image>" for number in range(1, frames + 1)]
    return "\n".join([*lines, text])


def _from_processor(path: str, **options: Any) -> Any:
    from transformers import AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_pretrained(path, **options)


def _from_chat(path: str, **options: Any) -> Any:
    from transformers import AutoModel

    return AutoModel.from_pretrained(path, **options)


INTERFACES = {"processor": _from_processor, "chat": _from_chat}


def decoded(path: Path, places: Sequence[int]) -> list[Image]:
    """Return the frames at these indices."""
    import decord
    from PIL import Image

    frames = decord.VideoReader(str(path)).get_batch(list(places)).asnumpy()
    return [Image.fromarray(frame) for frame in frames]


def _images(paths: Sequence[Path]) -> list[Image]:
    from PIL import Image

    return [Image.open(path).convert("RGB") for path in paths]


def _tile(image: Image) -> torch.Tensor:
    """Return the image as a normalised tensor (3, TILE, TILE)."""
    import torch
    from torchvision.transforms.v2.functional import normalize, pil_to_tensor

    pixels = pil_to_tensor(image.resize((TILE, TILE))).to(torch.float32) / 255
    tile: torch.Tensor = normalize(pixels, list(MEAN), list(DEVIATION))
    return tile
