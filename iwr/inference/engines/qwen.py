"""Frames for models of the Qwen family, shrunk by their authors' qwen-vl-utils.

Each frame goes through `process_vision_info` as an image with the video's budget: of frames given
as one video, qwen-vl-utils 0.0.14 rounds the sizes twice and invents the times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

PER_FRAME, PER_VIDEO = "Qwen2VLVideoProcessor", "Qwen3VLVideoProcessor"
"""Video processors of transformers, by what their `size` limits."""
AS_THEY_ARE = {"videos_kwargs": {"do_resize": False}}
"""Options of a processor that takes shrunk frames."""
FLOOR_SHARE = 1.05  # of the least pixels of a video: the lowest limit that its cap gives a frame


class Budget(NamedTuple):
    """Pixels that one frame may have."""

    least: int
    most: int


def is_of_family(processor: Any) -> bool:
    """Return whether a processor's videos are those of the Qwen family."""
    return _kind(processor) in (PER_FRAME, PER_VIDEO)


def shrunk_frames(frames: Sequence[Image], processor: Any) -> list[Image]:
    """Return frames in the size that the options of a processor of the family allow.

    Sides are multiples of what one token covers, so that the processor resizes nothing more.
    """
    from qwen_vl_utils import process_vision_info

    video_processor = processor.video_processor
    budget = _budget(video_processor, len(frames))
    content = []
    for frame in frames:
        part = {
            "type": "image",
            "image": frame,
            "min_pixels": budget.least,
            "max_pixels": budget.most,
        }
        content.append(part)
    question = [{"role": "user", "content": content}]
    images, _ = process_vision_info(question, image_patch_size=video_processor.patch_size)
    return list(images)


def _kind(processor: Any) -> str:
    """Return the class of a processor's videos."""
    return type(getattr(processor, "video_processor", None)).__name__


def _budget(video_processor: Any, frames: int) -> Budget:
    """Return the budget of each of so many frames."""
    side = video_processor.patch_size * video_processor.merge_size
    token = side * side
    size = video_processor.size
    least = size["shortest_edge"]
    most = size["longest_edge"]
    tokens = video_processor.max_video_tokens
    floor = int(FLOOR_SHARE * least)
    if type(video_processor).__name__ == PER_FRAME:
        if video_processor.cap_pixels_per_frame:
            share = int(0.9 * tokens * token) * video_processor.temporal_patch_size // frames
            most = max(min(most, share), floor)
        return Budget(least, most)
    most = most // frames
    if video_processor.cap_pixels_per_frame:
        most = max(min(tokens * token, most), floor)
    return Budget(least // frames, most)
