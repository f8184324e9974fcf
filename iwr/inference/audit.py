"""Did the model really get the frames that the protocol asks for?

What the model's own processor makes of the planned frames is counted in tokens, and compared with the tokens that the
engine really used, read from the prompt that it returns. An engine that samples otherwise (its `fps` is easily ignored)
uses another number, and the task fails as infrastructure. Processors that join frames in pairs round up to pairs.
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
    """What one request should show, and what it costs. Tokens are None when the model's processor cannot tell."""

    frames: int
    video_tokens: int | None
    image_tokens: int | None  # overview images
    prompt_tokens: int | None  # all of it, rounded up


class Cost(NamedTuple):
    """Of one image or video in a prompt: tokens that stand for it, and length of a prompt that holds it alone."""

    media: int
    prompt: int


class TokenCounter:
    """Counts tokens with the model's own processor. Sizes are what matters, so blank media are measured, each size once."""

    def __init__(self, model: ModelConfig):
        self.model = model
        self._lock = threading.Lock()  # processors are not made for threads
        self._measured = cache(self._measure)

    def plan(self, recording: Recording, number: int, sheets: Sequence[Path], text: str) -> Plan:
        """The plan for `number` frames of `recording` behind the overview images `sheets`, before `text`."""
        with self._lock, _one_thread():
            if self._tools is None:
                return Plan(number, None, None, None)
            images = [self._measured("image", *_size(path)) for path in sheets]
            if self.model.video == "frames":
                clip = [self._measured("image", recording.width, recording.height)] * number
            else:
                clip = [
                    self._measured(
                        "video",
                        recording.width,
                        recording.height,
                        number,
                        recording.frames,
                        recording.rate,
                    )
                ]
            words = len(self._tools[0].tokenizer(text)["input_ids"])
        whole = sum(cost.prompt for cost in images + clip) + words
        return Plan(
            number, sum(cost.media for cost in clip), sum(cost.media for cost in images), whole
        )

    def count(self, prompt: Sequence[int]) -> int:
        """Media tokens in a prompt that an engine returned."""
        ids = self._tools[1] if self._tools else frozenset()
        return sum(token in ids for token in prompt)

    @property
    def _tools(self) -> tuple[Any, frozenset[int]] | None:
        try:
            return processor_of(
                model_path(self.model), self.model.revision, self.model.trust_remote_code
            )
        except ConfigError:  # weights that only an external server has
            return None

    def _measure(
        self, kind: str, width: int, height: int, number: int = 1, total: int = 1, rate: float = 1.0
    ) -> Cost:
        """What one image, or `number` of `total` frames, cost."""
        import numpy as np

        assert self._tools is not None
        processor, ids = self._tools
        text = processor.apply_chat_template(
            [{"role": "user", "content": [{"type": kind}]}], tokenize=False
        )
        if kind == "image":
            from PIL import Image

            media: dict[str, Any] = {"images": [Image.new("RGB", (width, height))]}
        else:
            from transformers.video_utils import VideoMetadata

            chosen = indices(total, number)
            known = VideoMetadata(
                total_num_frames=total, fps=rate, duration=total / rate, frames_indices=chosen
            )
            media = {
                "videos": [np.zeros((number, height, width, 3), np.uint8)],
                "video_metadata": [known],
                "do_sample_frames": False,
            }
        made = processor(text=[text], **media, **self.model.processor)
        prompt = [int(token) for token in made["input_ids"][0]]
        return Cost(sum(token in ids for token in prompt), len(prompt))


@cache
def processor_of(path: str, revision: str | None, trust: bool) -> tuple[Any, frozenset[int]] | None:
    """The model's processor, and the tokens that stand for media in its prompts. None, with a warning, if there is none."""
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(path, revision=revision, trust_remote_code=trust)
    except (OSError, ValueError, ImportError) as error:
        log.warning(
            "frames of %s cannot be audited: its processor does not load here (%s)",
            path,
            str(error).splitlines()[0],
        )
        return None
    words = [getattr(processor, name, None) for name in ("image_token", "video_token")]
    numbers = [getattr(processor, name, None) for name in ("image_token_id", "video_token_id")]
    ids = {processor.tokenizer.convert_tokens_to_ids(word) for word in words if word} | {
        n for n in numbers if isinstance(n, int)
    }
    return processor, frozenset(ids)


def audited(
    plan: Plan, asked: int, mode: str, ruler: TokenCounter, prompt: Sequence[int] | None, task: str
) -> Frames:
    """The record of what was delivered; `asked`: frames that the protocol wants. Raises AuditError when it differs from the plan."""
    if prompt is None or plan.video_tokens is None or plan.image_tokens is None:
        return Frames(mode=mode, planned=asked, delivered=None, planned_tokens=plan.video_tokens)
    delivered = ruler.count(prompt) - plan.image_tokens
    if delivered != plan.video_tokens:
        got = f"{delivered} video tokens (about {round(plan.frames * delivered / plan.video_tokens)} frames)"
        raise AuditError(
            f"task {task}: the model got {got} instead of {plan.video_tokens} ({plan.frames} frames)",
            hint="the engine samples otherwise than the protocol: check model.video_io, model.processor and the server's options",
        )
    return Frames(
        mode=mode,
        planned=asked,
        delivered=plan.frames,
        planned_tokens=plan.video_tokens,
        delivered_tokens=delivered,
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small tensors beside a busy engine: on its cores a second thread is waited for ten times as long as it saves."""
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
