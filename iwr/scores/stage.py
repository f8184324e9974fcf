"""The stage: records of generation and judging in, one TaskScore for each model and task out.

Nothing heavy is loaded unless a screenshot has to be compared, and all screenshots of all models are compared in
one pass. What is not known is unscored with a reason; only a model that gave no page is scored 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iwr.config import Config
from iwr.errors import MetricError
from iwr.progress import Progress, silent
from iwr.records import Fingerprint, ScoreStatus, Task, TaskScore, file_digest
from iwr.runs.files import readable, write_record
from iwr.runs.paths import RunPaths
from iwr.runs.resume import is_pending
from iwr.scores import formula
from iwr.scores.draft import Subject, draft, finish, metrics_of, missing_stage, unscored

if TYPE_CHECKING:
    from iwr.metrics.compare import Similarity


def score(
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
    progress: Progress = silent,
) -> list[TaskScore]:
    """Score what is owed and return all scores, model by model, in the order of the tasks.

    Raises StaleRunError when finished scores were made under another protocol, ConfigError for unknown metrics.
    """
    metrics = metrics_of(config.protocol)
    todo = _todo(models, tasks, config, paths)
    drafts = [draft(subject, fingerprint, config) for subject, fingerprint in todo]
    similarities, engines = _compare(
        [pair for item in drafts for pair in item.files], metrics, config, paths, progress
    )
    found = iter(similarities)
    for item in drafts:
        done = finish(item, [next(found) for _ in item.compared], engines, config.protocol)
        if done.fingerprint:  # without one an earlier stage has not run: nothing worth a file
            write_record(item.subject.file, done)
    return recorded(models, tasks, config, paths)


def pending_scores(
    models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths
) -> int:
    """How many (model, task) pairs have a page but no score of their present page and rollout. Raises as `score` does."""
    return sum(
        subject.paths.generation.exists() for subject, _ in _todo(models, tasks, config, paths)
    )


def _todo(
    models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths
) -> list[tuple[Subject, Fingerprint]]:
    keys = _metric_keys(metrics_of(config.protocol))
    found = [
        (subject, _fingerprint(subject, config, keys))
        for subject in _subjects(models, tasks, config, paths)
    ]
    return [(s, f) for s, f in found if is_pending(s.file, TaskScore, f, config.run.on_change)]


def recorded(
    models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths
) -> list[TaskScore]:
    """The scores on disk. What has none, or one made before its page or rollout changed, is unscored and says so."""
    scores = []
    for subject in _subjects(models, tasks, config, paths):
        inputs = _inputs(subject)
        found = readable(subject.file, TaskScore)
        if found is not None and any(
            found.fingerprint.get(key) != value for key, value in inputs.items()
        ):
            found = None
        scores.append(found or unscored(subject, {}, config, missing_stage(inputs)))
    return scores


def _compare(
    pairs: list[tuple[Path, Path]],
    metrics: dict[str, dict[str, Any]],
    config: Config,
    paths: RunPaths,
    progress: Progress,
) -> tuple[list[Similarity], dict[str, str]]:
    if not pairs:
        return [], {}
    from iwr.metrics.compare import compare

    cache = Path(config.run.cache).expanduser() if config.run.cache else paths.cache
    return compare(pairs, metrics, cache, progress)


def _subjects(
    models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths
) -> Iterator[Subject]:
    for model in models:
        for task in tasks:
            files = paths.task(model, task.id)
            judged = files.judge(config.judge.name)
            yield Subject(model, task, files, judged, judged.score(config.protocol.name))


def _metric_keys(metrics: dict[str, dict[str, Any]]) -> dict[str, str | None]:
    """What computes each metric, weights included; None where it cannot run here."""
    from iwr.metrics.base import build

    keys: dict[str, str | None] = {}
    for name, settings in metrics.items():
        try:
            metric = build(name, settings)
            keys[name] = f"{metric.engine} {metric.key[:12]}"
        except MetricError:
            keys[name] = None
    return keys


def _fingerprint(subject: Subject, config: Config, keys: dict[str, str | None]) -> Fingerprint:
    """A metric whose engine is not here today leaves finished scores as they are."""
    old = readable(subject.file, TaskScore)
    before = old.fingerprint if old and old.status is not ScoreStatus.UNSCORED else {}
    engines = {
        f"input.metric.{name}": key or before.get(f"input.metric.{name}", "not available")
        for name, key in keys.items()
    }
    protocol = config.protocol
    settings = {
        "protocol.low": json.dumps(protocol.low),
        "protocol.high": str(protocol.high),
        "protocol.metrics": json.dumps(metrics_of(protocol), sort_keys=True),
        "protocol.reference_faults": str(protocol.reference_faults),
        "formula": formula.TEXT,
    }
    return _inputs(subject) | {"input.task": subject.task.digest} | engines | settings


def _inputs(subject: Subject) -> Fingerprint:
    """The records that a score is made from, by content; "none" where a stage has not run."""
    files = {"input.generation": subject.paths.generation, "input.rollout": subject.judged.rollout}
    return {key: file_digest(file) if file.exists() else "none" for key, file in files.items()}
