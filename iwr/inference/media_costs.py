"""Measure the tokens that one image or video costs, where possible without its pixels.

Processors of transformers tell what an image or a video of a size costs. What they tell is held
against what they do, on small media: a constant difference (marks around the media) is taken off,
and a processor whose two counts disagree is run on blank media of the true size instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple

from iwr.inference.processors import (
    LoadedProcessor,
    NoSuchOptionError,
    has_fixed_size,
    merged,
    video_input,
    with_options,
)
from iwr.inference.video import indices
from iwr.tasks.recordings import Recording

SMALL_IMAGES = ((96, 64), (500, 340))  # width and height, in pixels
SMALL_VIDEOS = ((4, 96, 64), (6, 320, 180))  # frames, width and height
SMALLEST = (64, 64)  # for marks around media, which do not depend on the size


class MediaCost(NamedTuple):
    """Tokens that stand for one image or video, and length of a prompt that holds it alone."""

    media: int
    prompt: int

    @property
    def around(self) -> int:
        """Tokens of the prompt that stand for no media."""
        return self.prompt - self.media


class UncountableError(Exception):
    """The processor does not tell what media cost."""


class CostMeter:
    """Measures costs with a model's processor, each size once.

    `options`: those of `model.processor`. Its methods raise UncountableError when no token of the
    processor's prompts stands for media, and whatever the code of the model's authors raises.
    """

    def __init__(self, loaded: LoadedProcessor, options: Mapping[str, Any]):
        self.image = cache(self._measure_image)
        self.video = cache(self._measure_video)
        self._loaded = loaded
        self._processor = loaded.processor
        self._options = options
        self._difference = cache(self._measure_difference)

    def words(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return len(self._processor.tokenizer(text)["input_ids"])

    def media_tokens(self, prompt: Sequence[int]) -> int:
        """Return how many tokens of a prompt stand for media."""
        return sum(token in self._loaded.media_tokens for token in prompt)

    # ---- cost of one image or video -----------------------------------------------------------

    def _measure_image(self, width: int, height: int) -> MediaCost:
        """Return the cost of an image; its sides are in pixels."""
        difference = self._difference("image")
        if difference is None:
            return self._run_on_image(width, height)
        media = self._told("image", (height, width)) - difference
        small = self._run_on_image(*SMALL_IMAGES[0])
        return MediaCost(media, media + small.around)

    def _measure_video(self, recording: Recording, number: int) -> MediaCost:
        """Return the cost of `number` frames of a recording, given as one video."""
        width, height = SMALLEST
        small = recording._replace(width=width, height=height)
        difference = self._difference("video")
        if difference is not None:
            size = (number, recording.height, recording.width)
            media = self._told("video", size) - difference
            cost = self._run_on_video(small, number, self._smallest_size())
            return MediaCost(media, media + cost.around)
        if self._all_sizes_cost_the_same:
            return self._run_on_video(small, number, self._smallest_size())
        return self._run_on_video(recording, number, {})

    def _smallest_size(self) -> dict[str, Any]:
        """Return the option that keeps small frames small, for processors that count pixels."""
        side = SMALLEST[0]
        size = {"height": side, "width": side}
        if not has_fixed_size(self._processor):
            size = {"shortest_edge": side, "longest_edge": side**4}
        return {"videos_kwargs": {"size": size}}

    @cached_property
    def _all_sizes_cost_the_same(self) -> bool:
        """Whether frames are resized to one size, so that small ones tell the cost of all."""
        if not has_fixed_size(self._processor):
            return False
        costs = set()
        for options in ({}, self._smallest_size()):
            for _, width, height in SMALL_VIDEOS:
                recording = Recording(4, 1, width, height)
                cost = self._run_on_video(recording, 4, options)
                costs.add(cost)
        return len(costs) == 1

    def _measure_difference(self, kind: str) -> int | None:
        """Return how much more a processor tells than it does; None when it varies."""
        if not hasattr(self._processor, "_get_num_multimodal_tokens"):
            return None
        differences = set()
        try:
            for told, cost in self._small_costs(kind):
                differences.add(told - cost.media)
        except UncountableError:
            return None
        if len(differences) > 1:
            return None
        return differences.pop()

    def _small_costs(self, kind: str) -> Iterator[tuple[int, MediaCost]]:
        """Yield what small media cost: as the processor tells, and as it does."""
        if kind == "image":
            yield from self._small_image_costs()
        else:
            yield from self._small_video_costs()

    def _small_image_costs(self) -> Iterator[tuple[int, MediaCost]]:
        """Yield the two counts of each of SMALL_IMAGES."""
        for width, height in SMALL_IMAGES:
            told = self._told("image", (height, width))
            yield told, self._run_on_image(width, height)

    def _small_video_costs(self) -> Iterator[tuple[int, MediaCost]]:
        """Yield the two counts of each of SMALL_VIDEOS."""
        for number, width, height in SMALL_VIDEOS:
            recording = Recording(number, 1, width, height)
            told = self._told("video", (number, height, width))
            yield told, self._run_on_video(recording, number, {})

    # ---- what the processor tells -------------------------------------------------------------

    def _told(self, kind: str, size: tuple[int, ...]) -> int:
        """Return what a processor tells that one image or video of a size costs.

        `size`: (height, width) of an image, (frames, height, width) of a video. Raise
        UncountableError when it tells nothing.
        """
        try:
            processor = with_options(self._processor, self._options)
        except NoSuchOptionError as error:
            raise UncountableError from error
        sizes = {f"{kind}_sizes": [size]}
        counted = processor._get_num_multimodal_tokens(**sizes)
        tokens = getattr(counted, f"num_{kind}_tokens", None)
        if not tokens:
            raise UncountableError
        return int(tokens[0])

    # ---- what the processor does --------------------------------------------------------------

    def _run_on_image(self, width: int, height: int) -> MediaCost:
        """Return what a blank image really costs."""
        from PIL import Image

        image = Image.new("RGB", (width, height))
        return self._run("image", {}, images=[image])

    def _run_on_video(
        self,
        recording: Recording,
        number: int,
        options: Mapping[str, Any],
    ) -> MediaCost:
        """Return what `number` blank frames of a recording really cost, with further options."""
        import numpy as np

        places = indices(recording.frames, number)
        shape = (number, recording.height, recording.width, 3)
        pixels = np.zeros(shape, np.uint8)
        media = video_input(recording, places, pixels)
        return self._run("video", options, **media)

    def _run(self, kind: str, options: Mapping[str, Any], **media: Any) -> MediaCost:
        """Return what media really cost, in a prompt that holds nothing else."""
        question = [{"role": "user", "content": [{"type": kind}]}]
        text = self._processor.apply_chat_template(question, tokenize=False)
        options = merged(self._options, options)
        inputs = self._processor(text=[text], **media, **options)
        prompt = [int(token) for token in inputs["input_ids"][0]]
        cost = MediaCost(self.media_tokens(prompt), len(prompt))
        if not cost.media:
            raise UncountableError(f"no token of its prompts stands for a {kind}")
        return cost
