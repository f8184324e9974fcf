"""Frames of a recording and overview images, read from disk into this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image


def decoded(path: Path, places: Sequence[int]) -> list[Image]:
    """Return the frames at these indices."""
    import decord
    from PIL import Image

    reader = decord.VideoReader(str(path))
    batch = reader.get_batch(list(places))
    frames = batch.asnumpy()
    return list(map(Image.fromarray, frames))


def pixels_of(frames: Sequence[Image]) -> Any:
    """Return frames as one array (frames, height, width, 3)."""
    import numpy as np

    arrays = list(map(np.asarray, frames))
    return np.stack(arrays)


def opened(paths: Sequence[Path]) -> list[Image]:
    """Return image files in RGB."""
    from PIL import Image

    images = []
    for path in paths:
        image = Image.open(path)
        images.append(image.convert("RGB"))
    return images
