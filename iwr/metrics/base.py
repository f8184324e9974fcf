"""What a metric is to the stage, and the registry of all metrics by name.

A metric declares what one value of it depends on (`key`) and who computes it (`engine`). `prepare`
runs in the threads that decode, `read` and `measure` in the main thread, on batches of prepared
items of equal shape.

A module of a metric has a function `build(**settings)`; where its weights come from a network it
also declares them as `WEIGHTS`: see `iwr.metrics.weights`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from iwr.errors import ConfigError, MetricError
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot

NAMES = ("clip", "lpips", "dino", "ocr", "ssim")

Settings = dict[str, Any]
"""Of one metric, as in ProtocolConfig.metrics: the keyword arguments of its module's `build`."""


class Metric:
    """Base of both kinds. `start` loads the weights, so a finished run never pays for them."""

    name: str
    engine: str  # what computes it, for the record: "easyocr 1.7.2 english_g2"
    key: str  # digest of weights and policy: same key, same value
    batch = 1  # items a call of `read` or `measure` is given at most

    def start(self, store: Store) -> None:
        """Get ready to compute; `store` may keep more than the values. Raises MetricError."""

    def shape(self, item: Any) -> Hashable:
        """Return what items must have in common to share a batch."""
        return None


class ImageMetric(Metric):
    """Turns each unique image into a value once; a pair's similarity comes from two values."""

    def prepare(self, shot: Screenshot) -> Any:
        """Return what `read` needs of a screenshot."""
        return shot

    def read(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return one value for each prepared item. Raises MetricError."""
        raise NotImplementedError

    def similarity(self, reference: Any, candidate: Any) -> float:
        """Return the similarity of two values, in [0, 1]."""
        raise NotImplementedError

    def pack(self, value: Any) -> bytes:
        """Return a value as the cache stores it."""
        raise NotImplementedError

    def unpack(self, data: bytes) -> Any:
        """Return the value that `pack` stored. Raises ValueError for damaged data."""
        raise NotImplementedError


class PairMetric(Metric):
    """Needs both images at once; values in [0, 1]."""

    def prepare(self, reference: Screenshot, candidate: Screenshot) -> Any:
        """Return what `measure` needs of a pair."""
        raise NotImplementedError

    def measure(self, items: Sequence[Any]) -> Sequence[float]:
        """Return one similarity for each prepared pair. Raises MetricError."""
        raise NotImplementedError


def build(name: str, settings: Settings) -> ImageMetric | PairMetric:
    """Return the metric called `name`.

    Raises ConfigError for unknown names and settings, MetricError for missing weights.
    """
    module = metric_module(name)
    try:
        metric: ImageMetric | PairMetric = module.build(**settings)
    except TypeError as error:
        raise ConfigError(f"protocol.metrics.{name}: {error}") from error
    except ImportError as error:
        raise MetricError(f"metric {name}: {error}", hint="install the package it names") from error
    return metric


def metric_module(name: str) -> ModuleType:
    """Return the module of the metric called `name`.

    Raises ConfigError for unknown names, MetricError when a package is missing.
    """
    if name not in NAMES:
        raise ConfigError(f"protocol: no metric {name!r}", hint=f"choose from {', '.join(NAMES)}")
    try:
        return import_module(f"iwr.metrics.{name}")
    except ImportError as error:
        raise MetricError(f"metric {name}: {error}", hint="install the package it names") from error


def check_choice(
    metric: str,
    setting: str,
    value: str,
    choices: Sequence[str],
) -> str:
    """Return `value`. Raises ConfigError when it is none of `choices`."""
    if value not in choices:
        raise ConfigError(
            f"protocol.metrics.{metric}.{setting}={value}",
            hint=f"choose from {', '.join(choices)}",
        )
    return value
