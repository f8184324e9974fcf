"""The stage: records of generation and judging in, one TaskScore for each model and task out.

Nothing heavy is loaded unless a screenshot has to be compared, and all screenshots of all models are compared in
one pass. What is not known is unscored with a reason; only a model that gave no page is scored 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.config import Config, ProtocolConfig
from iwr.errors import MetricError
from iwr.progress import Progress, silent
from iwr.records import (
    FailedBy,
    Fingerprint,
    Generation,
    GenerationStatus,
    Pair,
    Rollout,
    RolloutStatus,
    ScoreStatus,
    Step,
    Task,
    TaskScore,
    file_digest,
)
from iwr.runs import JudgePaths, RunPaths, TaskPaths, owed, readable, write_record
from iwr.scores import formula

if TYPE_CHECKING:
    from iwr.metrics.compare import Similarity



class Subject(NamedTuple):
    """One model's page for one task, to be scored."""

    model: str
    task: Task
    paths: TaskPaths
    judged: JudgePaths
    file: Path  # where its TaskScore goes


class Draft(NamedTuple):
    """A score before its screenshots are compared. `compared` may be empty."""

    subject: Subject
    score: TaskScore
    compared: tuple[Step, ...]


def score(models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths, progress: Progress = silent) -> list[TaskScore]:
    """Score what is owed and return all scores, model by model, in the order of the tasks.

    Raises StaleRunError when finished scores were made under another protocol, ConfigError for unknown metrics.
    """
    metrics = metrics_of(config.protocol)
    keys = _metric_keys(metrics)
    subjects = list(_subjects(models, tasks, config, paths))
    prints = [_fingerprint(subject, config, keys) for subject in subjects]
    todo = [(s, f) for s, f in zip(subjects, prints, strict=True) if owed(s.file, TaskScore, f, config.run.on_change)]
    drafts = [draft(subject, fingerprint, config) for subject, fingerprint in todo]
    pairs = [(d.subject.task.checkpoints[s.step], d.subject.judged.folder / str(s.screenshot)) for d in drafts for s in d.compared]
    similarities, engines = _compare(pairs, metrics, config, paths, progress)
    found = iter(similarities)
    for item in drafts:
        done = finish(item, [next(found) for _ in item.compared], engines, config.protocol)
        if done.fingerprint:  # without one an earlier stage has not run: nothing worth a file
            write_record(item.subject.file, done)
    return recorded(models, tasks, config, paths)


def recorded(models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths) -> list[TaskScore]:
    """The scores on disk. What has none, or one made before its page or rollout changed, is unscored and says so."""
    scores = []
    for subject in _subjects(models, tasks, config, paths):
        inputs = _inputs(subject)
        found = readable(subject.file, TaskScore)
        if found is not None and any(found.fingerprint.get(key) != value for key, value in inputs.items()):
            found = None
        scores.append(found or _unscored(subject, {}, config, _missing_stage(inputs)))
    return scores


def metrics_of(protocol: ProtocolConfig) -> dict[str, dict[str, Any]]:
    """Every metric that the protocol names, with its settings; only those in `protocol.low` make the score."""
    return {name: dict(protocol.metrics.get(name) or {}) for name in dict.fromkeys([*protocol.low, *protocol.metrics])}


def draft(subject: Subject, fingerprint: Fingerprint, config: Config) -> Draft:
    """Everything about a score that the records alone decide."""
    generation = readable(subject.paths.generation, Generation)
    if generation is None or (generation.status is GenerationStatus.OK and not subject.judged.rollout.exists()):
        return Draft(subject, _unscored(subject, {}, config, _missing_stage(fingerprint)), ())
    if generation.status is GenerationStatus.FAILED:
        reason = f"generation failed: {generation.reason}"
        return Draft(subject, _unscored(subject, fingerprint, config, reason, failed_by=FailedBy.INFRASTRUCTURE), ())
    if generation.status is GenerationStatus.MISSING:
        high = 0.0 if config.protocol.high else None
        zeros = {"passed": 0, "ifs": 0.0, "low": 0.0, "high": high, "vfs": 0.0, "final": 0.0}
        return Draft(subject, _score(subject, fingerprint, config, ScoreStatus.MISSING, reason=generation.reason, **zeros), ())
    rollout = readable(subject.judged.rollout, Rollout)
    if rollout is None:
        return Draft(subject, _unscored(subject, {}, config, "the record of judging is damaged: run `iwr judge` again"), ())
    return _judged(subject, rollout, fingerprint, config)


def _judged(subject: Subject, rollout: Rollout, fingerprint: Fingerprint, config: Config) -> Draft:
    failure = rollout.first_failure
    place = {"failed_step": max(1, failure.step), "failed_by": failure.failed_by} if failure else {}
    if rollout.status is RolloutStatus.FAILED:
        return Draft(subject, _unscored(subject, fingerprint, config, f"judging failed: {rollout.reason}", **place), ())
    passed = sum(step.credited for step in rollout.steps if step.step)
    ifs = formula.ifs(passed, len(subject.task.actions))
    compared = tuple(step for step in rollout.steps if step.step in subject.task.checkpoints and (step.credited or step.step == 0))
    blank = [step for step in compared if step.screenshot is None]
    pairs = tuple(_no_screenshot(step, subject.task, config.protocol) for step in blank)
    score = _score(subject, fingerprint, config, ScoreStatus.OK, passed=passed, ifs=ifs, pairs=pairs, **place)
    return Draft(subject, score, tuple(step for step in compared if step.screenshot))


def finish(item: Draft, similarities: Sequence[Similarity], engines: dict[str, str], protocol: ProtocolConfig) -> TaskScore:
    """The score with its visual part."""
    if item.score.status is not ScoreStatus.OK:
        return item.score
    pairs = [*item.score.pairs, *(_pair(step, like, protocol) for step, like in zip(item.compared, similarities, strict=True))]
    pairs.sort(key=lambda pair: pair.step)
    low = formula.mean(pair.low for pair in pairs)
    high = formula.mean(pair.high for pair in pairs) if protocol.high else None
    vfs = formula.vfs(low, high, has_high=protocol.high)
    update = {"pairs": tuple(pairs), "engines": engines, "low": low, "high": high, "vfs": vfs, "final": formula.final(item.score.ifs, vfs)}
    if vfs is None:
        nothing = dict.fromkeys(("passed", "ifs", "low", "high", "vfs", "final"))
        update |= nothing | {"status": ScoreStatus.UNSCORED, "reason": _why(pairs, protocol)}
    return item.score.model_copy(update=update)


def _pair(step: Step, like: Similarity, protocol: ProtocolConfig) -> Pair:
    reasons = dict(like.reasons)
    if protocol.high and step.rubric is None:
        reasons["high"] = step.rubric_reason or "the judge gave no rubric"
    if step.screenshot_sha256 and like.candidate_sha256 not in (None, step.screenshot_sha256):
        changed = "the screenshot is not the one that was judged: run `iwr judge` again"
        reasons, like = dict.fromkeys(like.metrics, changed), like._replace(metrics=dict.fromkeys(like.metrics))
    return Pair(
        step=step.step, reference_sha256=like.reference_sha256, candidate_sha256=like.candidate_sha256,
        metrics=like.metrics, reasons=reasons, low=formula.mean(like.metrics[name] for name in protocol.low),
        high=formula.high(step.rubric.total) if protocol.high and step.rubric else None,
    )


def _no_screenshot(step: Step, task: Task, protocol: ProtocolConfig) -> Pair:
    """The page itself could not be photographed: nothing of it is like the reference."""
    names = metrics_of(protocol)
    reason = f"the page gave no screenshot: {step.reason or step.failed_by}"
    blame = step.failed_by in (FailedBy.PAGE, FailedBy.ACTION)
    zero = 0.0 if blame else None
    return Pair(
        step=step.step, reference_sha256=file_digest(task.checkpoints[step.step]), candidate_sha256=None,
        metrics=dict.fromkeys(names), reasons=dict.fromkeys(names, reason), low=zero, high=zero if protocol.high else None,
    )


def _why(pairs: Sequence[Pair], protocol: ProtocolConfig) -> str:
    for pair in pairs:
        for name in [*protocol.low, *(["high"] if protocol.high else [])]:
            if name in pair.reasons and (pair.high if name == "high" else pair.low) is None:
                return f"step {pair.step}: {name}: {pair.reasons[name]}"
    return "no checkpoint could be compared"


def _compare(
    pairs: list[tuple[Path, Path]], metrics: dict[str, dict[str, Any]], config: Config, paths: RunPaths, progress: Progress
) -> tuple[list[Similarity], dict[str, str]]:
    if not pairs:
        return [], {}
    from iwr.metrics.compare import compare

    cache = Path(config.run.cache).expanduser() if config.run.cache else paths.cache
    return compare(pairs, metrics, cache, progress)


def _subjects(models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths) -> Iterator[Subject]:
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
    engines = {f"input.metric.{name}": key or before.get(f"input.metric.{name}", "not available") for name, key in keys.items()}
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


def _missing_stage(inputs: Fingerprint) -> str:
    if inputs["input.generation"] == "none":
        return "no page yet: run `iwr generate`"
    return "not judged yet: run `iwr judge`" if inputs["input.rollout"] == "none" else "not scored yet: run `iwr score`"


def _unscored(subject: Subject, fingerprint: Fingerprint, config: Config, reason: str, **place: Any) -> TaskScore:
    return _score(subject, fingerprint, config, ScoreStatus.UNSCORED, reason=reason, **place)


def _score(subject: Subject, fingerprint: Fingerprint, config: Config, status: ScoreStatus, **fields: Any) -> TaskScore:
    given: dict[str, Any] = dict.fromkeys(("passed", "ifs", "low", "high", "vfs", "final")) | fields
    return TaskScore(
        model=subject.model, judge=config.judge.name, protocol=config.protocol.name, task=subject.task.id, status=status,
        fingerprint=fingerprint, steps=len(subject.task.actions), classification=subject.task.classification, **given,
    )
