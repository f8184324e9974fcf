"""The stage: similarities of many pairs of screenshots under many metrics, in one pass.

Images are identified by the hash of their content. Each is decoded at most once a chunk of pairs
that share its reference, each metric sees it once, and what was computed is kept in the cache for
the next model or run. Memory does not grow with the number of pairs beyond their values: a few
chunks are decoded ahead, no more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from iwr.digests import file_digest
from iwr.errors import MetricError
from iwr.metrics.base import Settings, build
from iwr.metrics.cache import Store
from iwr.metrics.computation import Computation
from iwr.metrics.images import header_size
from iwr.metrics.values import BrokenMetric, HashPair, PairOutcome, Values, new_values
from iwr.metrics.workers import ordered_map
from iwr.progress import Progress, silent

log = logging.getLogger(__name__)


class Similarity(NamedTuple):
    """Of one pair, in the order of the request."""

    reference_sha256: str | None  # None: the file cannot be read
    candidate_sha256: str | None
    metrics: dict[str, float | None]  # in [0, 1]
    reasons: dict[str, str]  # for every metric that is None
    note: str | None = None  # the two sizes, where they differ


class Comparison(NamedTuple):
    """The result of the stage."""

    pairs: list[Similarity]
    engines: dict[str, str]  # metric -> what computed it; a metric that could not start is left out


def compare(
    pairs: Sequence[tuple[Path, Path]],
    metrics: dict[str, Settings],
    cache: Path,
    progress: Progress = silent,
) -> Comparison:
    """Compare each (reference, candidate) under each metric, by name and settings.

    What cannot be computed is None with a reason, never a number. Raises ConfigError for unknown
    metrics or settings.
    """
    files = _files_of(pairs)
    hash_pairs = _readable_pairs(pairs, files)
    values: dict[str, Values | BrokenMetric] = {}
    working = []
    engines = {}
    for name, settings in metrics.items():
        each = _values(name, settings, cache, hash_pairs)
        values[name] = each
        if isinstance(each, Values):
            working.append(each)
            engines[name] = each.metric.engine

    paths = {}
    for path, file in files.items():
        if file.sha256:
            paths[file.sha256] = path
    Computation(working, paths).run(hash_pairs, progress)

    similarities = []
    for reference, candidate in pairs:
        similarity = _similarity(files[reference], files[candidate], values)
        similarities.append(similarity)
    return Comparison(similarities, engines)


class _File(NamedTuple):
    """What is known of one file before it is decoded."""

    sha256: str | None = None  # of its content; None: it cannot be read
    size: tuple[int, int] | None = None  # (width, height) in pixels; None: it is no image
    reason: str | None = None  # why it cannot be read


def _files_of(pairs: Iterable[tuple[Path, Path]]) -> dict[Path, _File]:
    """Look at every file once, in threads."""
    unique: set[Path] = set()
    for pair in pairs:
        unique.update(pair)
    paths = sorted(unique)
    files = ordered_map(_inspect, paths, ahead=64)
    return dict(zip(paths, files, strict=True))


def _inspect(path: Path) -> _File:
    """Return what a file is, or why it cannot be read."""
    try:
        return _File(file_digest(path), header_size(path))
    except OSError as error:
        return _File(reason=f"cannot read {path}: {error.strerror}")


def _readable_pairs(pairs: Iterable[tuple[Path, Path]], files: dict[Path, _File]) -> list[HashPair]:
    """Return the unique pairs of content hashes, sorted."""
    unique = set()
    for reference, candidate in pairs:
        first = files[reference].sha256
        second = files[candidate].sha256
        if first and second:
            unique.add((first, second))
    return sorted(unique)


def _values(
    name: str,
    settings: Settings,
    cache: Path,
    pairs: Sequence[HashPair],
) -> Values | BrokenMetric:
    """Return the values of one metric as the cache has them; start it if some are pending."""
    try:
        metric = build(name, settings)
        store = Store(cache, name, metric.key)
        values = new_values(metric, store)
        values.load(pairs)
        if values.pending:
            metric.start(store)
    except MetricError as error:
        log.warning("%s", error)
        reason = str(error)
        if error.hint:
            reason = f"{reason}; {error.hint}"
        return BrokenMetric(reason)
    return values


def _similarity(
    reference: _File,
    candidate: _File,
    values: dict[str, Values | BrokenMetric],
) -> Similarity:
    """Gather the values of one pair, or the reasons why it has none."""
    metrics: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for name, each in values.items():
        outcome = _outcome(reference, candidate, each)
        metrics[name] = outcome.similarity
        if outcome.reason:
            reasons[name] = outcome.reason
    return Similarity(
        reference_sha256=reference.sha256,
        candidate_sha256=candidate.sha256,
        metrics=metrics,
        reasons=reasons,
        note=_size_note(reference.size, candidate.size),
    )


def _outcome(
    reference: _File,
    candidate: _File,
    values: Values | BrokenMetric,
) -> PairOutcome:
    """Return the value of one pair under one metric; a file that cannot be read has none."""
    if reference.sha256 is None or candidate.sha256 is None:
        reason = reference.reason or candidate.reason
        return PairOutcome(None, reason)
    pair = (reference.sha256, candidate.sha256)
    return values.outcome(pair)


def _size_note(reference: tuple[int, int] | None, candidate: tuple[int, int] | None) -> str | None:
    """Return a remark where two sizes differ."""
    if reference is None or candidate is None or reference == candidate:
        return None
    width, height = reference
    other_width, other_height = candidate
    return f"sizes differ: reference {width}x{height}, screenshot {other_width}x{other_height}"
