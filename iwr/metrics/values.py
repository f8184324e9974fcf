"""The values of one metric: from the cache, or still to be computed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from iwr.digests import digest
from iwr.metrics.base import ImageMetric, PairMetric
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot

HashPair = tuple[str, str]
"""Content hashes of reference and candidate."""

Key = tuple[str, ...]
"""What one value belongs to: the hash of an image, or the two of a pair."""


class PairOutcome(NamedTuple):
    """A similarity in [0, 1], or None and the reason."""

    similarity: float | None
    reason: str | None


class BrokenMetric(NamedTuple):
    """A metric that cannot start here."""

    reason: str

    def outcome(self, pair: HashPair) -> PairOutcome:
        """Return why a pair has no value, the same for all."""
        return PairOutcome(None, self.reason)


class Values:
    """The values of one metric, and reasons where it has none, by key."""

    def __init__(self, metric: ImageMetric | PairMetric, store: Store):
        self.name = metric.name
        self.metric = metric
        self.store = store
        self.reasons: dict[Key, str] = {}
        self.pending: set[Key] = set()
        self._values: dict[Key, Any] = {}

    def load(self, pairs: Sequence[HashPair]) -> None:
        """Read what the cache has for `pairs`; the rest is pending. Raises MetricError."""
        keys: dict[Key, None] = {}  # each once, in the order of the pairs
        for pair in pairs:
            keys |= dict.fromkeys(self.keys(pair))
        for key in keys:
            value = self._stored(key)
            if value is None:
                self.pending.add(key)
            else:
                self._values[key] = value

    def add(self, keys: Sequence[Key], values: Sequence[Any]) -> None:
        """Keep values in memory."""
        self._values.update(zip(keys, values, strict=True))

    def save(self, keys: Sequence[Key]) -> None:
        """Put values into the cache. Raises DataError when the disk refuses."""
        for key in keys:
            data = self.pack(self._values[key])
            self.store.put(_file_name(key), data)

    def _stored(self, key: Key) -> Any:
        """Return the value of a key from the cache; None where it is missing or damaged."""
        data = self.store.get(_file_name(key))
        if data is None:
            return None
        try:
            return self.unpack(data)
        except (ValueError, TypeError):
            return None

    def keys(self, pair: HashPair) -> Sequence[Key]:
        """Return the keys of the values that a pair's similarity needs."""
        raise NotImplementedError

    def prepare(self, shots: Sequence[Screenshot]) -> Any:
        """Return the item of one key, from the screenshots that it names. Raises MetricError."""
        raise NotImplementedError

    def compute(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return the values of prepared items. Raises MetricError."""
        raise NotImplementedError

    def outcome(self, pair: HashPair) -> PairOutcome:
        """Return the similarity of a pair, or the reason why it has none."""
        raise NotImplementedError

    def pack(self, value: Any) -> bytes:
        """Return a value as the cache stores it."""
        raise NotImplementedError

    def unpack(self, data: bytes) -> Any:
        """Return the value that `pack` stored. Raises ValueError, TypeError."""
        raise NotImplementedError


class ImageValues(Values):
    """Of a metric that has one value for each image."""

    metric: ImageMetric

    def keys(self, pair: HashPair) -> Sequence[Key]:
        """Return two keys: that of the reference and that of the candidate."""
        reference, candidate = pair
        return [(reference,), (candidate,)]

    def prepare(self, shots: Sequence[Screenshot]) -> Any:
        """Return the input of the network for an image."""
        return self.metric.prepare(shots[0])

    def compute(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return a value for each image of a batch."""
        return self.metric.read(items)

    def outcome(self, pair: HashPair) -> PairOutcome:
        """Return the similarity of a pair, or the reason why it has none."""
        reference, candidate = self.keys(pair)
        reason = self.reasons.get(reference) or self.reasons.get(candidate)
        if reason:
            return PairOutcome(None, reason)
        similarity = self.metric.similarity(self._values[reference], self._values[candidate])
        return PairOutcome(similarity, None)

    def pack(self, value: Any) -> bytes:
        return self.metric.pack(value)

    def unpack(self, data: bytes) -> Any:
        return self.metric.unpack(data)


class PairValues(Values):
    """Of a metric that needs both images at once."""

    metric: PairMetric

    def keys(self, pair: HashPair) -> Sequence[Key]:
        """Return one key: the pair itself."""
        return [pair]

    def prepare(self, shots: Sequence[Screenshot]) -> Any:
        """Return the input of a metric that compares two images."""
        reference, candidate = shots
        return self.metric.prepare(reference, candidate)

    def compute(self, items: Sequence[Any]) -> Sequence[float]:
        """Return the similarity of each pair of a batch."""
        return self.metric.measure(items)

    def outcome(self, pair: HashPair) -> PairOutcome:
        """Return the similarity of a pair, or the reason why it has none."""
        return PairOutcome(self._values.get(pair), self.reasons.get(pair))

    def pack(self, value: float) -> bytes:
        return json.dumps(value).encode()

    def unpack(self, data: bytes) -> float:
        return float(json.loads(data))


def new_values(metric: ImageMetric | PairMetric, store: Store) -> Values:
    """Return the empty values of a metric."""
    if isinstance(metric, ImageMetric):
        return ImageValues(metric, store)
    return PairValues(metric, store)


def _file_name(key: Key) -> str:
    """Return the name of a key's file in the cache."""
    return key[0] if len(key) == 1 else digest(*key)
