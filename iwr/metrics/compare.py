"""The stage: similarities of many pairs of screenshots under many metrics, in one pass.

Images are known by the hash of their content. Each is decoded at most once a chunk of pairs that share its
reference, each metric sees it once, and what was computed is kept in the cache for the next model or run.
Memory does not grow with the number of pairs beyond their values: a few chunks are decoded ahead, no more.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from iwr.errors import MetricError
from iwr.metrics.base import ImageMetric, PairMetric, build
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot, header_size
from iwr.metrics.workers import available_cores, ordered_map
from iwr.progress import Progress, silent
from iwr.records import digest, file_digest

log = logging.getLogger(__name__)
CHUNK = 4  # candidates decoded together with their reference
WRITERS = 4  # batches written at a time while the next ones are computed
Pair = tuple[str, str]  # content hashes of reference and candidate


class Similarity(NamedTuple):
    """Of one pair, in the order in which it was asked for."""

    reference_sha256: str | None  # None: the file cannot be read
    candidate_sha256: str | None
    metrics: dict[str, float | None]  # in [0, 1]
    reasons: dict[str, str]  # for every metric that is None
    note: str | None = None  # the two sizes, where they differ


class Comparison(NamedTuple):
    pairs: list[Similarity]
    engines: dict[str, str]  # metric -> what computed it; a metric that could not start is left out


def compare(
    pairs: Sequence[tuple[Path, Path]],
    metrics: dict[str, dict[str, Any]],
    cache: Path,
    progress: Progress = silent,
) -> Comparison:
    """Each (reference, candidate) under each metric (name -> settings, as in ProtocolConfig.metrics).

    What cannot be computed is None with a reason, never a number. Raises ConfigError for unknown metrics or settings.
    """
    hashes, sizes, unreadable = _look_at({path for pair in pairs for path in pair})
    known = sorted({(hashes[a], hashes[b]) for a, b in pairs if a in hashes and b in hashes})
    paths = {sha: path for path, sha in hashes.items()}
    results = [_Results.of(name, settings, cache, known) for name, settings in metrics.items()]
    _Pass(results, paths).run(known, progress)

    def similarity(reference: Path, candidate: Path) -> Similarity:
        lost = unreadable.get(reference) or unreadable.get(candidate)
        outcomes = {
            r.name: (None, lost) if lost else r.outcome((hashes[reference], hashes[candidate]))
            for r in results
        }
        return Similarity(
            hashes.get(reference),
            hashes.get(candidate),
            {name: value for name, (value, _) in outcomes.items()},
            {name: reason for name, (_, reason) in outcomes.items() if reason},
            _size_note(sizes.get(reference), sizes.get(candidate)),
        )

    engines = {r.name: r.metric.engine for r in results if r.metric}
    return Comparison([similarity(*pair) for pair in pairs], engines)


class _Looks(NamedTuple):
    """By path: content hash, size in pixels where the file is an image, reason why it cannot be read."""

    hashes: dict[Path, str]
    sizes: dict[Path, tuple[int, int]]
    unreadable: dict[Path, str]


def _look_at(paths: set[Path]) -> _Looks:
    def look(path: Path) -> tuple[Path, str | None, tuple[int, int] | None, str]:
        try:
            return path, file_digest(path), header_size(path), ""
        except OSError as error:
            return path, None, None, f"cannot read {path}: {error.strerror}"

    looks = _Looks({}, {}, {})
    for path, sha, size, reason in ordered_map(look, sorted(paths), ahead=64):
        if sha is None:
            looks.unreadable[path] = reason
        else:
            looks.hashes[path] = sha
        if size:
            looks.sizes[path] = size
    return looks


def _size_note(reference: tuple[int, int] | None, candidate: tuple[int, int] | None) -> str | None:
    if not reference or not candidate or reference == candidate:
        return None
    return "sizes differ: reference {}x{}, screenshot {}x{}".format(*reference, *candidate)


class _Results:
    """What is known of one metric: values and reasons by image hash (ImageMetric) or by pair (PairMetric)."""

    def __init__(
        self,
        name: str,
        metric: ImageMetric | PairMetric | None,
        store: Store | None,
        broken: str = "",
    ):
        self.name, self.metric, self.store, self.broken = name, metric, store, broken
        self.values: dict[Any, Any] = {}
        self.reasons: dict[Any, str] = {}
        self.owed: set[Any] = set()

    @classmethod
    def of(cls, name: str, settings: dict[str, Any], cache: Path, pairs: list[Pair]) -> _Results:
        """Built, started if anything is owed, and filled from the cache."""
        try:
            metric = build(name, settings)
            results = cls(name, metric, Store(cache, name, metric.key))
            results._load(pairs)
            if results.owed:
                metric.start(Store(cache, name, metric.key))
            return results
        except MetricError as error:
            log.warning("%s", error)
            return cls(
                name, None, None, broken=f"{error}" + (f"; {error.hint}" if error.hint else "")
            )

    def _load(self, pairs: list[Pair]) -> None:
        keys: Any = (
            pairs
            if isinstance(self.metric, PairMetric)
            else sorted({sha for pair in pairs for sha in pair})
        )
        for key in keys:
            data = self.store.get(_file_name(key)) if self.store else None
            value = self._unpacked(data)
            if value is None:
                self.owed.add(key)
            else:
                self.values[key] = value

    def _unpacked(self, data: bytes | None) -> Any:
        if data is None:
            return None
        try:
            return (
                self.metric.unpack(data)
                if isinstance(self.metric, ImageMetric)
                else float(json.loads(data))
            )
        except (ValueError, TypeError):
            return None

    def save(self, keys: list[Any]) -> None:
        """Put values into the cache. Raises DataError when the disk refuses."""
        assert self.store
        for key in keys:
            value = self.values[key]
            data = (
                self.metric.pack(value)
                if isinstance(self.metric, ImageMetric)
                else json.dumps(value).encode()
            )
            self.store.put(_file_name(key), data)

    def outcome(self, pair: Pair) -> tuple[float | None, str | None]:
        """The value, or None and the reason."""
        if self.broken:
            return None, self.broken
        if isinstance(self.metric, PairMetric):
            return self.values.get(pair), self.reasons.get(pair)
        reason = self.reasons.get(pair[0]) or self.reasons.get(pair[1])
        if reason:
            return None, reason
        assert isinstance(self.metric, ImageMetric)
        return self.metric.similarity(self.values[pair[0]], self.values[pair[1]]), None


def _images(key: str | Pair) -> tuple[str, ...]:
    return (key,) if isinstance(key, str) else key


def _file_name(key: str | Pair) -> str:
    return key if isinstance(key, str) else digest(*key)


class _Job(NamedTuple):
    """One prepared item on its way to a model, or the reason why it will not get there."""

    results: _Results
    key: Any
    item: Any
    reason: str | None = None


class _Pass:
    """One walk over all pairs: threads decode and prepare, the caller's thread runs the models in batches."""

    def __init__(self, results: list[_Results], paths: dict[str, Path]):
        self.results = [r for r in results if r.owed]
        self.paths = paths
        self.batches: dict[tuple[str, Any], list[_Job]] = defaultdict(list)
        self.writes: deque[Future[None]] = deque()

    def run(self, pairs: list[Pair], progress: Progress) -> None:
        chunks = list(self._chunks(pairs))
        total = sum(len(r.owed) for r in self.results)
        if not total:
            return
        with (
            progress("metrics", total) as step,
            ThreadPoolExecutor(WRITERS, "cache") as self.writers,
        ):
            for jobs in ordered_map(self._prepare, chunks, ahead=available_cores() + 2):
                for job in jobs:
                    self._accept(job)
                    step(job.results.name)
            for batch in self.batches.values():
                self._compute(batch)
            self._wait_for_writes(0)

    def _chunks(self, pairs: list[Pair]) -> Iterator[list[tuple[_Results, Any]]]:
        """Owed work in portions that share a reference; every owed key is in exactly one portion."""
        given: set[tuple[str, Any]] = set()
        by_reference: dict[str, list[Pair]] = defaultdict(list)
        for pair in pairs:
            by_reference[pair[0]].append(pair)
        for group in by_reference.values():
            rest = iter(group)
            while portion := list(islice(rest, CHUNK)):
                keys = dict.fromkeys(key for pair in portion for key in (pair, *pair))
                work = [
                    (r, key)
                    for r in self.results
                    for key in keys
                    if key in r.owed and (r.name, key) not in given
                ]
                given.update((r.name, key) for r, key in work)
                if work:
                    yield work

    def _prepare(self, work: list[tuple[_Results, Any]]) -> list[_Job]:
        """In a thread: decode what the portion needs, once, and prepare it for each metric."""
        shots = {sha: Screenshot(self.paths[sha], sha) for _, key in work for sha in _images(key)}

        def job(results: _Results, key: Any) -> _Job:
            try:
                assert results.metric
                return _Job(
                    results, key, results.metric.prepare(*(shots[sha] for sha in _images(key)))
                )
            except MetricError as error:
                return _Job(results, key, None, str(error))

        return [job(results, key) for results, key in work]

    def _accept(self, job: _Job) -> None:
        if job.reason:
            job.results.reasons[job.key] = job.reason
            return
        metric = job.results.metric
        assert metric
        batch = self.batches[metric.name, metric.shape(job.item)]
        batch.append(job)
        if len(batch) >= metric.batch:
            self._compute(batch)

    def _compute(self, batch: list[_Job]) -> None:
        """Run one batch through its metric, keep the values, and empty it; what fails gets a reason."""
        if not batch:
            return
        results = batch[0].results
        metric, items, keys = (
            results.metric,
            [job.item for job in batch],
            [job.key for job in batch],
        )
        batch.clear()
        try:
            values = (
                metric.read(items) if isinstance(metric, ImageMetric) else metric.measure(items)
            )  # type: ignore[union-attr]
        except MetricError as error:
            results.reasons.update(dict.fromkeys(keys, str(error)))
            return
        results.values.update(zip(keys, values, strict=True))
        self.writes.append(self.writers.submit(results.save, keys))
        self._wait_for_writes(WRITERS)

    def _wait_for_writes(self, most: int) -> None:
        """Until no more than `most` batches are being written; what a disk refused is raised here."""
        while len(self.writes) > most:
            self.writes.popleft().result()
