"""The second engine: transformers with accelerate, for models that vLLM does not serve. Same prompt, records and resume.

`model.interface` says how a model is spoken to:
- `processor`: AutoProcessor and `generate`, as transformers documents it;
- `chat`: the model's own `chat(tokenizer, pixel_values, question, …)`, as InternVL 2.5 and InternVideo2.5 have it.
  Media are tiles of 448 x 448, `<image>` in the question stands for one image or frame.

Weights spread over all GPUs that are there (device_map=auto). Tasks are answered one after another. Frames are decoded
by decord; why qwen-vl-utils does not choose and shrink them stands in docs/inference.md.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iwr.config import Config, ModelConfig
from iwr.errors import ConfigError, RequestError, ServerError
from iwr.inference import video
from iwr.inference.audit import Plan, TokenCounter, audited, processor_of
from iwr.inference.engines.vllm import Reply, max_tokens, temperature
from iwr.inference.fitting import FittedRequest, fit
from iwr.inference.prompt import text_for
from iwr.inference.server.command import model_path
from iwr.records import Frames, Task, Usage

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

TILE = 448  # pixels, side of a tile of the chat interface
MEAN, DEVIATION = (
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)  # of ImageNet, as InternViT was trained


class LocalModel:
    """A model in this process. Use it as a context manager: leaving frees its memory.

    Raises ConfigError when there is no such model, ServerError when it cannot be loaded.
    """

    def __init__(self, model: ModelConfig, config: Config):
        import transformers

        if model.interface not in INTERFACES:
            raise ConfigError(
                f"model.interface={model.interface}: choose {' or '.join(INTERFACES)}"
            )
        self.model, self.config = model, config
        self.engine = f"transformers {transformers.__version__}"
        self.gpus, self.start_seconds, self.restart_seconds = 0, 0.0, 0.0
        self._options: dict[str, Any] = {
            "revision": model.revision,
            "trust_remote_code": model.trust_remote_code,
        }
        self._path = model_path(model)

    def __enter__(self) -> LocalModel:
        import torch

        loader, started = INTERFACES[self.model.interface], time.monotonic()
        try:
            self._network = loader(
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
        self._ruler = TokenCounter(self.model)
        self.gpus, self.start_seconds = torch.cuda.device_count(), time.monotonic() - started
        return self

    def __exit__(self, *_: object) -> None:
        import torch

        del self._network
        torch.cuda.empty_cache()

    def ask(self, task: Task) -> Reply:
        """Put one task to the model. Raises DataError for a broken recording, RequestError when it does not fit."""
        import torch

        started = time.monotonic()
        recording = video.probe(task.video, task.id)
        asked = video.asked(recording, self.config.protocol, self.model, len(task.stitched))
        try:
            speak = self._chat if self.model.interface == "chat" else self._generate
            with torch.inference_mode():
                reply = speak(task, recording, asked)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            hint = "use more GPUs, or fewer frames (protocol.max_frames)"
            raise RequestError(f"task {task.id}: out of GPU memory: {error}", hint=hint) from error
        except (
            ValueError,
            RuntimeError,
        ) as error:  # GLM in transformers 5.19, for one, takes images or a video, not both
            hint = "model.video=frames shows the recording as images"
            raise RequestError(
                f"task {task.id}: {self.engine} refused it: {error}", hint=hint
            ) from error
        if reply.seconds > self.config.server.request_seconds:
            raise ServerError(
                f"task {task.id}: no whole answer within {self.config.server.request_seconds:.0f} s"
            )
        return reply._replace(seconds=time.monotonic() - started)

    # ---- interface: processor -----------------------------------------------------------------------

    def _generate(self, task: Task, recording: video.Recording, asked: int) -> Reply:
        tools = processor_of(self._path, self.model.revision, self.model.trust_remote_code)
        if tools is None:
            raise ServerError(
                f"{self.model.name} has no processor that loads here",
                hint="set model.interface=chat",
            )
        processor = tools[0]
        chosen = self._fit(task, recording, asked)
        inputs = self._inputs(task, recording, chosen.plan.frames, processor)
        length = inputs["input_ids"].shape[1]
        started = time.monotonic()
        output = self._network.generate(
            **inputs, **self._sampling(chosen.max_tokens), **self._stops(processor.tokenizer)
        )
        answer = output[0, length:]
        text = processor.tokenizer.decode(answer, skip_special_tokens=True)
        usage = Usage(prompt_tokens=length, completion_tokens=len(answer))
        frames = audited(
            chosen.plan,
            asked,
            self.model.video,
            self._ruler,
            inputs["input_ids"][0].tolist(),
            task.id,
        )
        reason = "length" if len(answer) >= chosen.max_tokens else "stop"
        return Reply(text, reason, usage, frames, time.monotonic() - started, chosen.note)

    def _fit(self, task: Task, recording: video.Recording, asked: int) -> FittedRequest:
        limit = max_tokens(self.model, self.config)

        def measure(number: int) -> Plan:
            return self._ruler.plan(recording, number, task.stitched, text_for(task))

        return fit(measure, asked, limit, self.model.context, self.model.over_context, task.id)

    def _inputs(self, task: Task, recording: video.Recording, number: int, processor: Any) -> Any:
        """Overview images, then the recording, then the text, as tensors on the model's device."""
        import numpy as np
        from transformers.video_utils import VideoMetadata

        chosen = video.indices(recording.frames, number)
        shown = decoded(task.video, chosen)
        images, media = _images(task.stitched), {}
        parts = [{"type": "image"}] * len(images)
        if self.model.video == "frames":
            images, parts = [*images, *shown], [*parts, *[{"type": "image"}] * number]
        else:
            known = VideoMetadata(
                total_num_frames=recording.frames,
                fps=recording.rate,
                duration=recording.seconds,
                frames_indices=chosen,
            )
            media = {
                "videos": [np.stack([np.asarray(image) for image in shown])],
                "video_metadata": [known],
                "do_sample_frames": False,
            }
            parts = [*parts, {"type": "video"}]
        question = [{"role": "user", "content": [*parts, {"type": "text", "text": text_for(task)}]}]
        text = processor.apply_chat_template(
            question, tokenize=False, add_generation_prompt=True, **self.model.chat_template
        )
        inputs = processor(
            text=[text], images=images or None, return_tensors="pt", **media, **self.model.processor
        )
        return inputs.to(self._network.device, dtype=self._network.dtype)

    def _sampling(self, limit: int) -> dict[str, Any]:
        warmth = temperature(self.model, self.config)
        sampling: dict[str, Any] = {
            "max_new_tokens": limit,
            "do_sample": warmth > 0,
            "max_time": self.config.server.request_seconds,
        }
        return sampling | ({"temperature": warmth} if warmth > 0 else {})

    def _stops(self, tokenizer: Any) -> dict[str, Any]:
        return {"stop_strings": self.model.stop, "tokenizer": tokenizer} if self.model.stop else {}

    # ---- interface: chat ----------------------------------------------------------------------------

    def _chat(self, task: Task, recording: video.Recording, asked: int) -> Reply:
        import torch
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self._path, **self._options)
        shown = decoded(task.video, video.indices(recording.frames, asked))
        sheets = _images(task.stitched)
        tiles = torch.stack([_tile(image) for image in [*sheets, *shown]]).to(
            self._network.device, dtype=self._network.dtype
        )
        lines = [f"Image-{i + 1}: <image>" for i in range(len(sheets))] + [
            f"Frame-{i + 1}: <image>" for i in range(asked)
        ]
        question = "\n".join([*lines, text_for(task)])
        limit = max_tokens(self.model, self.config)
        started = time.monotonic()
        answer = self._network.chat(
            tokenizer, tiles, question, self._sampling(limit), num_patches_list=[1] * len(tiles)
        )
        text = answer[0] if isinstance(answer, tuple) else answer
        written = len(tokenizer(text)["input_ids"])
        frames = Frames(mode=self.model.video, planned=asked, delivered=asked)
        reason = "length" if written >= limit - 1 else "stop"  # the interface does not tell
        return Reply(
            text, reason, Usage(completion_tokens=written), frames, time.monotonic() - started
        )


def _from_processor(path: str, **options: Any) -> Any:
    from transformers import AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_pretrained(path, **options)


def _from_chat(path: str, **options: Any) -> Any:
    from transformers import AutoModel

    return AutoModel.from_pretrained(path, **options)


INTERFACES = {"processor": _from_processor, "chat": _from_chat}


def decoded(path: Path, chosen: Sequence[int]) -> list[Image]:
    """The frames at these indices."""
    import decord
    from PIL import Image

    return [
        Image.fromarray(frame)
        for frame in decord.VideoReader(str(path)).get_batch(list(chosen)).asnumpy()
    ]


def _images(paths: Sequence[Path]) -> list[Image]:
    from PIL import Image

    return [Image.open(path).convert("RGB") for path in paths]


def _tile(image: Image) -> torch.Tensor:
    """(3, TILE, TILE), normalised."""
    import torch
    from torchvision.transforms.v2.functional import normalize, pil_to_tensor

    small = pil_to_tensor(image.resize((TILE, TILE))).to(torch.float32) / 255
    return normalize(small, list(MEAN), list(DEVIATION))
