"""One score before and after its screenshots are compared: everything that the records alone decide, then the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.config import Config, ProtocolConfig
from iwr.records import (
    FailedBy,
    Fingerprint,
    Generation,
    GenerationStatus,
    Pair,
    Rollout,
    RolloutStatus,
    ScoreStatus,
    Task,
    TaskScore,
    file_digest,
)
from iwr.runs.files import readable
from iwr.runs.paths import JudgePaths, TaskPaths
from iwr.scores import formula
from iwr.tasks.pairing import Shot, pairing_of

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
    compared: tuple[Shot, ...]

    @property
    def files(self) -> list[tuple[Path, Path]]:
        """(checkpoint, screenshot) of each shot."""
        return [
            (shot.checkpoint, self.subject.judged.folder / str(shot.step.screenshot))
            for shot in self.compared
        ]


def metrics_of(protocol: ProtocolConfig) -> dict[str, dict[str, Any]]:
    """Every metric that the protocol names, with its settings; only those in `protocol.low` make the score."""
    return {
        name: dict(protocol.metrics.get(name) or {})
        for name in dict.fromkeys([*protocol.low, *protocol.metrics])
    }


def draft(subject: Subject, fingerprint: Fingerprint, config: Config) -> Draft:
    """Everything about a score that the records alone decide."""
    generation = readable(subject.paths.generation, Generation)
    if generation is None or (
        generation.status is GenerationStatus.OK and not subject.judged.rollout.exists()
    ):
        return Draft(subject, unscored(subject, {}, config, missing_stage(fingerprint)), ())
    if generation.status is GenerationStatus.FAILED:
        reason = f"generation failed: {generation.reason}"
        return Draft(
            subject,
            unscored(subject, fingerprint, config, reason, failed_by=FailedBy.INFRASTRUCTURE),
            (),
        )
    if generation.status is GenerationStatus.MISSING:
        return Draft(subject, _missing(subject, fingerprint, config, generation.reason), ())
    rollout = readable(subject.judged.rollout, Rollout)
    if rollout is None:
        return Draft(
            subject,
            unscored(
                subject,
                fingerprint,
                config,
                "the record of judging is damaged: run `iwr judge` again",
            ),
            (),
        )
    judged_page = rollout.fingerprint.get("input.page")
    if (
        judged_page
        and subject.paths.page.is_file()
        and judged_page != file_digest(subject.paths.page)
    ):
        return Draft(
            subject,
            unscored(
                subject,
                fingerprint,
                config,
                "the page changed after it was judged: run `iwr judge`",
            ),
            (),
        )
    return _judged(subject, rollout, fingerprint, config)


def _missing(
    subject: Subject, fingerprint: Fingerprint, config: Config, reason: str | None
) -> TaskScore:
    """Return the score of a task without a page: 0, or none where the protocol leaves it out."""
    zeros = {
        "ifs": 0.0,
        "low": 0.0,
        "high": 0.0 if config.protocol.high else None,
        "vfs": 0.0,
        "final": 0.0,
    }
    scores = zeros if pairing_of(config.protocol).missing_page_scores_zero else {}
    return _score(
        subject, fingerprint, config, ScoreStatus.MISSING, reason=reason, passed=0, **scores
    )


def _judged(subject: Subject, rollout: Rollout, fingerprint: Fingerprint, config: Config) -> Draft:
    pairing = pairing_of(config.protocol)
    if rollout.status is RolloutStatus.FAILED and not pairing.forgives(rollout):
        return Draft(
            subject,
            unscored(
                subject,
                fingerprint,
                config,
                f"judging failed: {rollout.reason}",
                **_failure(rollout, 0),
            ),
            (),
        )
    passed, shots = pairing.credit(subject.task, rollout)
    blank = tuple(
        _no_screenshot(shot, config.protocol) for shot in shots if shot.step.screenshot is None
    )
    ifs = formula.ifs(passed, len(subject.task.actions))
    score = _score(
        subject,
        fingerprint,
        config,
        ScoreStatus.OK,
        passed=passed,
        ifs=ifs,
        pairs=blank,
        **_failure(rollout, passed),
    )
    return Draft(subject, score, tuple(shot for shot in shots if shot.step.screenshot))


def _failure(rollout: Rollout, passed: int) -> dict[str, Any]:
    """Where and by whom the credit ended. A page that did not open fails at step 1."""
    failure = next(
        (step for step in rollout.steps if step.failed_by and max(1, step.step) > passed), None
    )
    return {"failed_step": max(1, failure.step), "failed_by": failure.failed_by} if failure else {}


def finish(
    item: Draft,
    similarities: Sequence[Similarity],
    engines: dict[str, str],
    protocol: ProtocolConfig,
) -> TaskScore:
    """The score with its visual part."""
    if item.score.status is not ScoreStatus.OK:
        return item.score
    pairs = [
        *item.score.pairs,
        *(
            _pair(shot, like, protocol)
            for shot, like in zip(item.compared, similarities, strict=True)
        ),
    ]
    pairs.sort(key=lambda pair: pair.step)
    low = formula.mean(pair.low for pair in pairs)
    high = formula.mean(pair.high for pair in pairs) if protocol.high else None
    vfs = formula.vfs(low, high, has_high=protocol.high)
    update = {
        "pairs": tuple(pairs),
        "engines": engines,
        "low": low,
        "high": high,
        "vfs": vfs,
        "final": formula.final(item.score.ifs, vfs),
    }
    if vfs is None:
        nothing = dict.fromkeys(("passed", "ifs", "low", "high", "vfs", "final"))
        update |= nothing | {"status": ScoreStatus.UNSCORED, "reason": _why(pairs, protocol)}
    return item.score.model_copy(update=update)


def _pair(shot: Shot, like: Similarity, protocol: ProtocolConfig) -> Pair:
    step, reasons = shot.step, dict(like.reasons)
    if protocol.high and shot.rubric is None:
        reasons["high"] = step.rubric_reason or "the judge gave no rubric"
    if step.screenshot_sha256 and like.candidate_sha256 not in (None, step.screenshot_sha256):
        changed = "the screenshot is not the one that was judged: run `iwr judge` again"
        reasons, like = (
            dict.fromkeys(like.metrics, changed),
            like._replace(metrics=dict.fromkeys(like.metrics)),
        )
    return Pair(
        step=step.step,
        reference_sha256=like.reference_sha256,
        candidate_sha256=like.candidate_sha256,
        metrics=like.metrics,
        reasons=reasons,
        low=formula.mean(like.metrics[name] for name in protocol.low),
        high=formula.high(shot.rubric.total) if protocol.high and shot.rubric else None,
        note=like.note,
    )


def _no_screenshot(shot: Shot, protocol: ProtocolConfig) -> Pair:
    """The page itself could not be photographed: nothing of it is like the reference."""
    step = shot.step
    names = metrics_of(protocol)
    reason = f"the page gave no screenshot: {step.reason or step.failed_by}"
    is_the_pages = step.failed_by in (FailedBy.PAGE, FailedBy.ACTION)
    zero = 0.0 if is_the_pages else None
    return Pair(
        step=step.step,
        reference_sha256=file_digest(shot.checkpoint),
        candidate_sha256=None,
        metrics=dict.fromkeys(names),
        reasons=dict.fromkeys(names, reason),
        low=zero,
        high=zero if protocol.high else None,
    )


def _why(pairs: Sequence[Pair], protocol: ProtocolConfig) -> str:
    for pair in pairs:
        for name in [*protocol.low, *(["high"] if protocol.high else [])]:
            if name in pair.reasons and (pair.high if name == "high" else pair.low) is None:
                return f"step {pair.step}: {name}: {pair.reasons[name]}"
    return "no checkpoint could be compared"


def missing_stage(inputs: Fingerprint) -> str:
    if inputs["input.generation"] == "none":
        return "no page yet: run `iwr generate`"
    return (
        "not judged yet: run `iwr judge`"
        if inputs["input.rollout"] == "none"
        else "not scored yet: run `iwr score`"
    )


def unscored(
    subject: Subject, fingerprint: Fingerprint, config: Config, reason: str, **place: Any
) -> TaskScore:
    return _score(subject, fingerprint, config, ScoreStatus.UNSCORED, reason=reason, **place)


def _score(
    subject: Subject, fingerprint: Fingerprint, config: Config, status: ScoreStatus, **fields: Any
) -> TaskScore:
    given: dict[str, Any] = dict.fromkeys(("passed", "ifs", "low", "high", "vfs", "final")) | fields
    return TaskScore(
        model=subject.model,
        judge=config.judge.name,
        protocol=config.protocol.name,
        task=subject.task.id,
        status=status,
        fingerprint=fingerprint,
        steps=len(subject.task.actions),
        classification=subject.task.classification,
        **given,
    )
