"""Check that the model really got the frames that the protocol asks for.

The tokens that the planned frames cost are counted with the model's own processor, and compared
with the tokens that the engine really used, read from the prompt that it returns. An engine that
samples otherwise (its `fps` is easily ignored) uses another number, and the task fails as
infrastructure. Processors that join frames in pairs round up to pairs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import ModelConfig
from iwr.errors import AuditError, ConfigError
from iwr.inference.server.command import model_path
from iwr.inference.video import Recording, indices
from iwr.records import Frames

log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """The media of one request and their cost. Tokens are None when no processor can count them."""

    frames: int
    video_tokens: int | None
    image_tokens: int | None  # of the overview images
    prompt_tokens: int | None  # of the whole prompt, rounded up


class MediaCost(NamedTuple):
    """Tokens that stand for one image or video, and length of a prompt that holds it alone."""

    media: int
    prompt: int


class LoadedProcessor(NamedTuple):
    """A model's processor, and the tokens that stand for media in its prompts."""

    processor: Any
    media_tokens: frozenset[int]


class TokenCounter:
    """Counts tokens with the model's own processor.

    Only sizes matter, so blank media are measured, each size once.
    """

    def __init__(self, model: ModelConfig):
        self.model = model
        self._lock = threading.Lock()  # processors are not made for threads
        self._image_cost = cache(self._measure_image)
        self._video_cost = cache(self._measure_video)

    def plan(self, recording: Recording, number: int, sheets: Sequence[Path], text: str) -> Plan:
        """Return the plan for `number` frames of `recording`.

        In the prompt they follow the overview images `sheets` and precede `text`.
        """
        with self._lock, _one_thread():
            loaded = self._loaded
            if loaded is None:
                return Plan(number, None, None, None)
            images = [self._image_cost(*_size(path)) for path in sheets]
            if self.model.video == "frames":
                frame = self._image_cost(recording.width, recording.height)
                clip = [frame] * number
            else:
                clip = [self._video_cost(recording, number)]
            words = len(loaded.processor.tokenizer(text)["input_ids"])
        return Plan(
            frames=number,
            video_tokens=sum(cost.media for cost in clip),
            image_tokens=sum(cost.media for cost in images),
            prompt_tokens=sum(cost.prompt for cost in images + clip) + words,
        )

    def count(self, prompt: Sequence[int]) -> int:
        """Return the number of media tokens in a prompt that an engine returned."""
        loaded = self._loaded
        if loaded is None:
            return 0
        return sum(token in loaded.media_tokens for token in prompt)

    @property
    def _loaded(self) -> LoadedProcessor | None:
        model = self.model
        try:
            path = model_path(model)
        except ConfigError:  # weights that only an external server has
            return None
        return processor_of(path, model.revision, model.trust_remote_code)

    def _measure_image(self, width: int, height: int) -> MediaCost:
        from PIL import Image

        return self._cost("image", images=[Image.new("RGB", (width, height))])

    def _measure_video(self, recording: Recording, number: int) -> MediaCost:
        """Return the cost of `number` frames of a recording, given as one video."""
        import numpy as np

        shape = (number, recording.height, recording.width, 3)
        places = indices(recording.frames, number)
        media = video_input(recording, places, np.zeros(shape, np.uint8))
        return self._cost("video", **media)

    def _cost(self, kind: str, **media: Any) -> MediaCost:
        loaded = self._loaded
        assert loaded is not None
        question = [{"role": "user", "content": [{"type": kind}]}]
        text = loaded.processor.apply_chat_template(question, tokenize=False)
        inputs = loaded.processor(text=[text], **media, **self.model.processor)
        prompt = [int(token) for token in inputs["input_ids"][0]]
        return MediaCost(self.count(prompt), len(prompt))


def video_input(recording: Recording, places: list[int], pixels: Any) -> dict[str, Any]:
    """Return the keyword arguments that give a processor the frames of one video.

    `pixels`: array (frames, height, width, 3) of the frames at the indices `places`.
    """
    from transformers.video_utils import VideoMetadata

    metadata = VideoMetadata(
        total_num_frames=recording.frames,
        fps=recording.rate,
        duration=recording.seconds,
        frames_indices=places,
    )
    return {"videos": [pixels], "video_metadata": [metadata], "do_sample_frames": False}


@cache
def processor_of(path: str, revision: str | None, trust: bool) -> LoadedProcessor | None:
    """Return the model's processor; None, with a warning, if it does not load."""
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            path, revision=revision, trust_remote_code=trust
        )
    except (OSError, ValueError, ImportError) as error:
        log.warning(
            "frames of %s cannot be audited: its processor does not load here (%s)",
            path,
            str(error).splitlines()[0],
        )
        return None
    return LoadedProcessor(processor, _media_tokens(processor))


def _media_tokens(processor: Any) -> frozenset[int]:
    tokens: set[int] = set()
    for kind in ("image", "video"):
        word = getattr(processor, f"{kind}_token", None)
        if word:
            tokens.add(processor.tokenizer.convert_tokens_to_ids(word))
        number = getattr(processor, f"{kind}_token_id", None)
        if isinstance(number, int):
            tokens.add(number)
    return frozenset(tokens)


def audit(
    plan: Plan,
    number: int,
    mode: str,
    token_counter: TokenCounter,
    prompt: Sequence[int] | None,
    task: str,
) -> Frames:
    """Return the record of the frames that were delivered.

    `number`: frames that the protocol asks for; `prompt`: token ids that the engine returned.
    Raise AuditError when the media tokens differ from the plan.
    """
    if prompt is None or plan.video_tokens is None or plan.image_tokens is None:
        return Frames(mode=mode, planned=number, delivered=None, planned_tokens=plan.video_tokens)
    delivered = token_counter.count(prompt) - plan.image_tokens
    if delivered != plan.video_tokens:
        frames = round(plan.frames * delivered / plan.video_tokens)
        raise AuditError(
            f"task {task}: the model got {delivered} video tokens (about {frames} frames) "
            f"instead of {plan.video_tokens} ({plan.frames} frames)",
            hint="the engine samples otherwise than the protocol: check model.video_io, "
            "model.processor and the server's options",
        )
    return Frames(
        mode=mode,
        planned=number,
        delivered=plan.frames,
        planned_tokens=plan.video_tokens,
        delivered_tokens=delivered,
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread.

    Tensors are small here and the engine is busy: on its cores, waiting for a second thread takes
    ten times as long as that thread saves.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _size(path: Path) -> tuple[int, int]:
    from PIL import Image

    with Image.open(path) as image:
        return image.size
