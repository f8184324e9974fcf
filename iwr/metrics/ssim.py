"""Structural similarity of two whole screenshots (Wang et al. 2004, scikit-image).

Policy: RGB at full resolution, window 7, no crop; the candidate is brought to the reference's size
by `images.fit_to`; negative values count as 0. Images below 7 pixels on a side have no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from iwr.digests import digest
from iwr.errors import MetricError
from iwr.metrics.base import PairMetric
from iwr.metrics.batch import clamp
from iwr.metrics.images import Screenshot, fit_to

WINDOW = 7


class Ssim(PairMetric):
    """SSIM of a pair, computed in the threads that decode."""

    name = "ssim"

    def __init__(self) -> None:
        self.engine = f"scikit-image {version('scikit-image')}"
        self.key = digest(self.engine, "rgb, whole, fit_to, window", WINDOW)

    def prepare(self, reference: Screenshot, candidate: Screenshot) -> float:
        """Return the similarity of a pair. Raises MetricError when the reference is too small."""
        from skimage import metrics

        library: Any = metrics
        width, height = reference.size
        if min(width, height) < WINDOW:
            raise MetricError(
                f"{reference.path}: {width}x{height} is smaller than SSIM's window of {WINDOW}"
            )
        value = library.structural_similarity(
            reference.pixels,
            fit_to(candidate, reference.size),
            win_size=WINDOW,
            data_range=255,
            channel_axis=2,
        )
        return clamp(float(value))

    def measure(self, items: Sequence[float]) -> Sequence[float]:
        """Return the similarities: `prepare` has computed them."""
        return items


def build() -> Ssim:
    """Return the metric; it has no settings."""
    return Ssim()
