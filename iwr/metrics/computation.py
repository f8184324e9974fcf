"""One walk over all pairs: threads decode and prepare, the caller's thread computes in batches."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from iwr.errors import MetricError
from iwr.metrics.images import Screenshot
from iwr.metrics.values import HashPair, Key, Values
from iwr.metrics.workers import available_cores, ordered_map
from iwr.progress import Progress

CHUNK = 4  # candidates decoded together with their reference
WRITERS = 4  # batches written at a time while the next ones are computed


class PreparedItem(NamedTuple):
    """One prepared item on its way to a metric, or the reason why it will not get there."""

    values: Values
    key: Key
    prepared: Any
    reason: str | None = None


Work = tuple[Values, Key]


class Computation:
    """Computes the pending values of several metrics. `paths`: content hash -> file."""

    def __init__(self, values: Sequence[Values], paths: dict[str, Path]):
        self.values = [each for each in values if each.pending]
        self.paths = paths
        self.batches: dict[tuple[str, Hashable], list[PreparedItem]] = defaultdict(list)
        self.writes: deque[Future[None]] = deque()

    def run(self, pairs: Sequence[HashPair], progress: Progress) -> None:
        """Compute everything that is pending. Raises DataError when the cache cannot be written."""
        total = sum(len(each.pending) for each in self.values)
        if not total:
            return
        writers = ThreadPoolExecutor(WRITERS, "cache")
        with progress("metrics", total) as step, writers as self.writers:
            for item in self._items(pairs):
                self._accept(item)
                step(item.values.name)
            for batch in self.batches.values():
                self._compute(batch)
            self._wait_for_writes(0)

    def _items(self, pairs: Sequence[HashPair]) -> Iterator[PreparedItem]:
        """Yield what is pending, prepared by threads a few portions ahead."""
        chunks = list(self._chunks(pairs))
        ahead = available_cores() + 2
        for items in ordered_map(self._prepare, chunks, ahead):
            yield from items

    def _chunks(self, pairs: Sequence[HashPair]) -> Iterator[list[Work]]:
        """Yield pending work in portions that share a reference.

        Every pending key is in exactly one portion.
        """
        planned: set[tuple[str, Key]] = set()
        for portion in _portions(pairs):
            work = []
            for values, key in self._pending_in(portion):
                name = (values.name, key)
                if name not in planned:
                    planned.add(name)
                    work.append((values, key))
            if work:
                yield work

    def _pending_in(self, pairs: Sequence[HashPair]) -> Iterator[Work]:
        """Yield what the metrics need for these pairs and do not have yet."""
        for values in self.values:
            for key in _keys(values, pairs):
                if key in values.pending:
                    yield values, key

    def _prepare(self, work: Sequence[Work]) -> list[PreparedItem]:
        """In a thread: decode what the portion needs, once, and prepare it for each metric."""
        shots: dict[str, Screenshot] = {}
        items = []
        for values, key in work:
            images = []
            for sha256 in key:
                if sha256 not in shots:
                    shots[sha256] = Screenshot(self.paths[sha256], sha256)
                images.append(shots[sha256])
            item = _item(values, key, images)
            items.append(item)
        return items

    def _accept(self, item: PreparedItem) -> None:
        """Put an item into the batch of its shape, and compute the batch when it is full."""
        values = item.values
        if item.reason:
            values.reasons[item.key] = item.reason
            return
        metric = values.metric
        batch = self.batches[metric.name, metric.shape(item.prepared)]
        batch.append(item)
        if len(batch) >= metric.batch:
            self._compute(batch)

    def _compute(self, batch: list[PreparedItem]) -> None:
        """Run one batch through its metric, keep the values, and empty it.

        Items of a batch that fails get a reason.
        """
        if not batch:
            return
        values = batch[0].values
        keys = [item.key for item in batch]
        prepared = [item.prepared for item in batch]
        batch.clear()
        try:
            results = values.compute(prepared)
        except MetricError as error:
            values.reasons.update(dict.fromkeys(keys, str(error)))
            return
        values.add(keys, results)
        write = self.writers.submit(values.save, keys)
        self.writes.append(write)
        self._wait_for_writes(WRITERS)

    def _wait_for_writes(self, most: int) -> None:
        """Wait until no more than `most` batches are being written.

        Raises DataError when a disk refused one.
        """
        while len(self.writes) > most:
            write = self.writes.popleft()
            write.result()


def _portions(pairs: Sequence[HashPair]) -> Iterator[list[HashPair]]:
    """Yield up to `CHUNK` pairs with the same reference."""
    by_reference: dict[str, list[HashPair]] = defaultdict(list)
    for pair in pairs:
        by_reference[pair[0]].append(pair)
    for group in by_reference.values():
        rest = iter(group)
        while portion := list(islice(rest, CHUNK)):
            yield portion


def _keys(values: Values, pairs: Sequence[HashPair]) -> Iterator[Key]:
    """Yield the keys that one metric needs for these pairs."""
    for pair in pairs:
        yield from values.keys(pair)


def _item(
    values: Values,
    key: Key,
    shots: Sequence[Screenshot],
) -> PreparedItem:
    """Prepare one key. What fails keeps its reason."""
    try:
        prepared = values.prepare(shots)
    except MetricError as error:
        return PreparedItem(values, key, None, str(error))
    return PreparedItem(values, key, prepared)
