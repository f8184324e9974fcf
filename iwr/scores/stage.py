"""The stage: records of generation and judging in, one TaskScore for each model and task out.

Nothing heavy is loaded unless a screenshot has to be compared, and all screenshots of all models
are compared in one pass. What is not known is unscored with a reason; only a model that gave no
page is scored 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from iwr.config import Config
from iwr.digests import file_digest
from iwr.errors import MetricError
from iwr.metrics.base import build
from iwr.metrics.compare import Comparison, compare
from iwr.progress import Progress, silent
from iwr.records import Fingerprint, ScoreStatus, Task, TaskScore
from iwr.runs.files import readable, write_record
from iwr.runs.paths import RunPaths
from iwr.runs.resume import is_pending
from iwr.scores import formula
from iwr.scores.draft import (
    NO_RECORD,
    Draft,
    Subject,
    draft,
    metrics_of,
    next_stage,
    unscored_score,
)
from iwr.scores.visual import finish


def score(
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
    progress: Progress = silent,
) -> list[TaskScore]:
    """Score what is pending; return all scores, model by model, in the order of the tasks.

    Raises StaleRunError when finished scores were made under another protocol, ConfigError for
    unknown metrics.
    """
    drafts = []
    for subject, fingerprint in _pending(models, tasks, config, paths):
        drafts.append(draft(subject, fingerprint, config))
    comparison = _compare(drafts, config, paths, progress)
    similarities = iter(comparison.pairs)
    for each in drafts:
        likeness = [next(similarities) for _ in each.shots]
        result = finish(each, likeness, comparison.engines, config.protocol)
        # Without a fingerprint an earlier stage has not run: nothing worth a file.
        if result.fingerprint:
            write_record(each.subject.file, result)
    return read_scores(models, tasks, config, paths)


def pending_scores(
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
) -> int:
    """Return how many (model, task) pairs have a page but no score of their present rollout.

    Raises as `score` does.
    """
    count = 0
    for subject, _ in _pending(models, tasks, config, paths):
        count += subject.paths.generation.exists()
    return count


def read_scores(
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
) -> list[TaskScore]:
    """Return the scores on disk.

    A score that is missing, or older than its page or rollout, is unscored and says so.
    """
    scores = []
    for subject in _subjects(models, tasks, config, paths):
        inputs = _inputs(subject)
        result = readable(subject.file, TaskScore)
        if result is None or not inputs.items() <= result.fingerprint.items():
            result = unscored_score(subject, config, next_stage(inputs))
        scores.append(result)
    return scores


def _subjects(
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
) -> Iterator[Subject]:
    """Yield every page of every model, in the order of the settings."""
    for model in models:
        for task in tasks:
            files = paths.task(model, task.id)
            judged = files.judge(config.judge.name)
            file = judged.score(config.protocol.name)
            yield Subject(model, task, files, judged, file)


class PendingScore(NamedTuple):
    """A score that must be made, or made again."""

    subject: Subject
    fingerprint: Fingerprint


def _pending(
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
) -> list[PendingScore]:
    """Return what must be scored, with its fingerprint. Raises StaleRunError."""
    keys = _metric_keys(config)
    pending = []
    for subject in _subjects(models, tasks, config, paths):
        fingerprint = _fingerprint(subject, config, keys)
        if is_pending(
            subject.file,
            TaskScore,
            fingerprint,
            config.run.on_change,
        ):
            pending.append(PendingScore(subject, fingerprint))
    return pending


def _compare(
    drafts: Sequence[Draft],
    config: Config,
    paths: RunPaths,
    progress: Progress,
) -> Comparison:
    """Compare the screenshots of all drafts in one pass."""
    pairs = [pair for each in drafts for pair in each.files]
    if not pairs:
        return Comparison([], {})
    metrics = metrics_of(config.protocol)
    cache = Path(config.run.cache).expanduser() if config.run.cache else paths.cache
    return compare(pairs, metrics, cache, progress)


MetricKeys = dict[str, str | None]
"""metric -> what computes it, weights included; None where it cannot run here."""


def _metric_keys(config: Config) -> MetricKeys:
    """Return what computes each metric here. Raises ConfigError for unknown metrics."""
    keys: MetricKeys = {}
    for name, settings in metrics_of(config.protocol).items():
        try:
            metric = build(name, settings)
            keys[name] = f"{metric.engine} {metric.key[:12]}"
        except MetricError:
            keys[name] = None
    return keys


def _fingerprint(
    subject: Subject,
    config: Config,
    keys: MetricKeys,
) -> Fingerprint:
    """Return the inputs and the settings that a score depends on."""
    protocol = config.protocol
    settings = {
        "protocol.low": json.dumps(protocol.low),
        "protocol.high": str(protocol.high),
        "protocol.metrics": json.dumps(metrics_of(protocol), sort_keys=True),
        "protocol.reference_faults": str(protocol.reference_faults),
        "formula": formula.TEXT,
    }
    return {
        **_inputs(subject),
        "input.task": subject.task.digest,
        **_engines(subject, keys),
        **settings,
    }


def _engines(subject: Subject, keys: MetricKeys) -> Fingerprint:
    """Return the metrics' keys. One that cannot run today leaves finished scores as they are."""
    previous: Fingerprint = {}
    score = readable(subject.file, TaskScore)
    if score and score.status is not ScoreStatus.UNSCORED:
        previous = score.fingerprint
    engines = {}
    for metric, key in keys.items():
        name = f"input.metric.{metric}"
        engines[name] = key or previous.get(name, "not available")
    return engines


def _inputs(subject: Subject) -> Fingerprint:
    """Return the records that a score depends on, by content."""
    return {
        "input.generation": _content(subject.paths.generation),
        "input.rollout": _content(subject.judged.rollout),
    }


def _content(file: Path) -> str:
    """Return the digest of a record, or `NO_RECORD`."""
    return file_digest(file) if file.exists() else NO_RECORD
