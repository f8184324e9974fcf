"""What a metric is to the stage, and the registry of all metrics by name.

A metric declares what one value of it depends on (`key`) and who computes it (`engine`). `prepare` runs in the
threads that decode, `read` and `measure` in the main thread, on batches of prepared items of equal shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from iwr.errors import ConfigError, MetricError
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot

NAMES = ("clip", "lpips", "dino", "ocr", "ssim")


class Metric:
    """Base of both kinds. Loading weights happens in `start`, so a finished run never pays for it."""

    name: str
    engine: str  # what computes it, for the record: "easyocr 1.7.2 english_g2"
    key: str  # digest of weights and policy: same key, same value
    batch = 1  # items a call of `read` or `measure` is given at most

    def start(self, store: Store) -> None:
        """Make ready to compute; `store` is where the metric may keep more than its values. Raises MetricError."""

    def shape(self, item: Any) -> Any:
        """Items of equal shape share a batch."""
        return None


class ImageMetric(Metric):
    """Turns each unique image into a value once; the similarity of a pair comes from two values."""

    def prepare(self, shot: Screenshot) -> Any:
        return shot

    def read(self, items: Sequence[Any]) -> Sequence[Any]:
        """One value for each prepared item. Raises MetricError."""
        raise NotImplementedError

    def similarity(self, reference: Any, candidate: Any) -> float:
        """In [0, 1]."""
        raise NotImplementedError

    def pack(self, value: Any) -> bytes:
        raise NotImplementedError

    def unpack(self, data: bytes) -> Any:
        """Raises ValueError for damaged data."""
        raise NotImplementedError


class PairMetric(Metric):
    """Needs both images at once; values in [0, 1]."""

    def prepare(self, reference: Screenshot, candidate: Screenshot) -> Any:
        raise NotImplementedError

    def measure(self, items: Sequence[Any]) -> Sequence[float]:
        """One similarity for each prepared pair. Raises MetricError."""
        raise NotImplementedError


def build(name: str, settings: dict[str, Any]) -> ImageMetric | PairMetric:
    """The metric called `name`. Raises ConfigError for unknown names and settings, MetricError for missing weights."""
    if name not in NAMES:
        raise ConfigError(f"protocol: no metric {name!r}", hint=f"choose from {', '.join(NAMES)}")
    try:
        return import_module(f"iwr.metrics.{name}").build(**settings)
    except TypeError as error:
        raise ConfigError(f"protocol.metrics.{name}: {error}") from error
    except ImportError as error:
        raise MetricError(f"metric {name}: {error}", hint="install the package it names") from error
