"""Names for colours, as people use them, over the pixels of a screenshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.browser.page_state import Box

if TYPE_CHECKING:
    import numpy as np

HUES = {
    "red": (335, 15),
    "orange": (15, 42),
    "yellow": (38, 70),
    "green": (70, 165),
    "cyan": (160, 200),
    "blue": (195, 255),
    "purple": (250, 310),
    "pink": (300, 348),
    "brown": (10, 42),
}
"""Degrees; neighbours overlap, because people disagree there."""


def share(picture: np.ndarray, box: Box, family: str) -> float:
    """Share of the pixels in `box` that a person would call by that colour, 0..1."""
    import numpy as np

    x, y, width, height = box
    part = (
        picture[
            max(0, int(y)) : max(0, int(y + height + 0.5)),
            max(0, int(x)) : max(0, int(x + width + 0.5)),
        ].astype(np.float32)
        / 255
    )
    if part.size == 0:
        return 0.0
    high, low = part.max(axis=2), part.min(axis=2)
    chroma, light = high - low, (high + low) / 2
    if family == "black":
        return float((light < 0.25).mean())
    if family == "white":
        return float((light > 0.9).mean())
    if family == "grey":
        return float(((chroma < 0.08) & (light > 0.2) & (light < 0.92)).mean())
    vivid = (chroma > 0.18) & (light > 0.08)
    if family == "brown":
        vivid &= light < 0.45
    start, end = HUES[family]
    hue = hues(part, high, chroma)
    inside = (hue >= start) & (hue <= end) if start < end else (hue >= start) | (hue <= end)
    return float((vivid & inside).mean())


def hues(part: np.ndarray, high: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Hue of each pixel in degrees."""
    import numpy as np

    red, green, blue = part[..., 0], part[..., 1], part[..., 2]
    safe = np.where(chroma == 0, 1, chroma)
    sixth = np.where(
        high == red,
        ((green - blue) / safe) % 6,
        np.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    return sixth * 60


def brightness(picture: np.ndarray) -> float:
    """Mean lightness, 0..1."""
    return float(picture.mean() / 255)
