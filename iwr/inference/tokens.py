"""Count the tokens that a request costs, with the model's own processor.

A processor of unknown make may fail at this: then there are no counts, one warning says why, and
the run goes on unaudited.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from iwr.config import ModelConfig
from iwr.errors import ConfigError
from iwr.inference.media_costs import CostMeter, MediaCost
from iwr.inference.processors import LoadedProcessor, first_line, processor_of
from iwr.inference.server.command import model_path
from iwr.inference.video import shrunk
from iwr.tasks.recordings import Recording

log = logging.getLogger(__name__)

PROMPT_END = 16  # tokens: room for the mark of a thought and what surrounds it


class Plan(NamedTuple):
    """The media of one request and their cost. Tokens are None when no processor can count them."""

    frames: int
    video_tokens: int | None
    image_tokens: int | None  # of the overview images
    prompt_tokens: int | None  # of the whole prompt, rounded up


class TokenCounter:
    """Counts tokens with the model's own processor.

    `problem` says why it cannot, once it was tried. Without `audits` no warning says so: then
    no count is held against what a model was sent.
    """

    def __init__(self, model: ModelConfig, audits: bool = True):
        self.model = model
        self.audits = audits
        self.problem: str | None = None
        self._lock = threading.Lock()  # processors are not made for threads

    def plan(self, recording: Recording, number: int, sheets: Sequence[Path], text: str) -> Plan:
        """Return the plan for `number` frames of `recording`.

        In the prompt they follow the overview images `sheets` and precede `text`.
        """
        unknown = Plan(number, None, None, None)
        with self._lock, _one_thread():
            if self._meter is None:
                self.problem = "its processor does not load here"
            if self._meter is None or self.problem is not None:
                return unknown
            try:
                return self._counted(self._meter, recording, number, sheets, text)
            except Exception as error:  # noqa: BLE001  code of any model's authors may run here
                self.problem = f"its processor does not count tokens: {first_line(error)}"
        if self.audits:
            log.warning("frames of %s are not audited: %s", self.model.name, self.problem)
        return unknown

    def _counted(
        self,
        meter: CostMeter,
        recording: Recording,
        number: int,
        sheets: Sequence[Path],
        text: str,
    ) -> Plan:
        """Return the plan with its costs, or raise what the processor raises."""
        images = []
        for path in sheets:
            width, height = _size(path)
            images.append(meter.image(width, height))
        clip = self._clip(meter, recording, number)
        prompt = sum(cost.prompt for cost in images + clip)
        return Plan(
            frames=number,
            video_tokens=_media(clip),
            image_tokens=_media(images),
            prompt_tokens=prompt + meter.words(text),
        )

    def _clip(self, meter: CostMeter, recording: Recording, number: int) -> list[MediaCost]:
        """Return the costs of a recording, shown as one video or as images."""
        if self.model.video != "frames":
            return [meter.video(recording, number)]
        width, height = shrunk(recording.width, recording.height, self.model.frame_pixels)
        return [meter.image(width, height)] * number

    def count(self, prompt: Sequence[int]) -> int:
        """Return the number of media tokens in a prompt that an engine returned."""
        if self._meter is None:
            return 0
        return self._meter.media_tokens(prompt)

    def end_of(self, prompt: Sequence[int] | None) -> str | None:
        """Return the last words of a prompt that an engine returned; None when they are unknown."""
        loaded = self._loaded
        if loaded is None or prompt is None:
            return None
        end = list(prompt[-PROMPT_END:])
        return str(loaded.processor.tokenizer.decode(end))

    @cached_property
    def _meter(self) -> CostMeter | None:
        """What measures the costs; None without a processor."""
        loaded = self._loaded
        if loaded is None:
            return None
        return CostMeter(loaded, self.model.processor)

    @property
    def _loaded(self) -> LoadedProcessor | None:
        """The model's processor, None when it does not load here."""
        model = self.model
        try:
            path = model_path(model)
        except ConfigError:  # weights that only an external server has
            return None
        return processor_of(path, model.revision, model.trust_remote_code)


def _media(costs: Sequence[MediaCost]) -> int:
    """Return the tokens that stand for all of these media."""
    return sum(cost.media for cost in costs)


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
    """Return width and height of an image file, in pixels."""
    from PIL import Image

    with Image.open(path) as image:
        return image.size
