"""One score before its screenshots are compared: everything that the records alone decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import Config, ProtocolConfig
from iwr.digests import file_digest
from iwr.metrics.base import Settings
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
)
from iwr.runs.files import readable
from iwr.runs.paths import JudgePaths, TaskPaths
from iwr.scores import formula
from iwr.tasks.pairing import Shot, pairing_of

NO_RECORD = "none"
"""In fingerprints, where a stage has not run."""

NO_NUMBERS = dict.fromkeys(("passed", "ifs", "low", "high", "vfs", "final"))
"""The numbers of a task that is unscored."""


class Subject(NamedTuple):
    """One model's page for one task, to be scored."""

    model: str
    task: Task
    paths: TaskPaths
    judged: JudgePaths
    file: Path  # where its TaskScore goes


class Draft(NamedTuple):
    """A score before its screenshots are compared."""

    subject: Subject
    score: TaskScore
    shots: tuple[Shot, ...] = ()  # to be compared

    @property
    def files(self) -> list[tuple[Path, Path]]:
        """(checkpoint, screenshot) of each shot."""
        folder = self.subject.judged.folder
        files = []
        for shot in self.shots:
            screenshot = folder / str(shot.step.screenshot)
            files.append((shot.checkpoint, screenshot))
        return files


def metrics_of(protocol: ProtocolConfig) -> dict[str, Settings]:
    """Return every metric that the protocol names, with its settings.

    Only those in `protocol.low` make the score.
    """
    metrics = {}
    for name in (*protocol.low, *protocol.metrics):
        settings = protocol.metrics.get(name) or {}
        metrics[name] = dict(settings)
    return metrics


def draft(subject: Subject, fingerprint: Fingerprint, config: Config) -> Draft:
    """Return everything about a score that the records alone decide."""
    records = _Records(subject, fingerprint, config)
    generation = readable(subject.paths.generation, Generation)
    if generation is None:
        return records.waiting()
    if generation.status is GenerationStatus.FAILED:
        reason = f"generation failed: {generation.reason}"
        return records.unscored(reason, failed_by=FailedBy.INFRASTRUCTURE)
    if generation.status is GenerationStatus.MISSING:
        return records.missing(generation.reason)
    if not subject.judged.rollout.exists():
        return records.waiting()
    rollout = readable(subject.judged.rollout, Rollout)
    if rollout is None:
        return records.unscored("the record of judging is damaged: run `iwr judge` again")
    if _is_page_changed(subject, rollout):
        return records.unscored("the page changed after it was judged: run `iwr judge`")
    return records.judged(rollout)


class _Records(NamedTuple):
    """The records of one subject, and the drafts that they can lead to."""

    subject: Subject
    fingerprint: Fingerprint
    config: Config

    def waiting(self) -> Draft:
        """Return the draft of a task for which an earlier stage has not run."""
        score = unscored_score(self.subject, self.config, next_stage(self.fingerprint))
        return Draft(self.subject, score)

    def unscored(self, reason: str, **failure: Any) -> Draft:
        """Return the draft of a task about which nothing is known."""
        return self._draft(ScoreStatus.UNSCORED, reason=reason, **failure)

    def missing(self, reason: str | None) -> Draft:
        """Return the draft of a task without a page: 0, or none where the protocol says so."""
        numbers: dict[str, float | None] = {}
        if pairing_of(self.config.protocol).missing_page_scores_zero:
            numbers = dict.fromkeys(("ifs", "low", "high", "vfs", "final"), 0.0)
            if not self.config.protocol.high:
                numbers["high"] = None
        return self._draft(ScoreStatus.MISSING, reason=reason, passed=0, **numbers)

    def judged(self, rollout: Rollout) -> Draft:
        """Return the draft of a page that was judged, or whose judging failed."""
        task = self.subject.task
        protocol = self.config.protocol
        pairing = pairing_of(protocol)
        if rollout.status is RolloutStatus.FAILED and not pairing.forgives(rollout):
            return self.unscored(f"judging failed: {rollout.reason}", **_failure(rollout, 0))

        passed, shots = pairing.credit(task, rollout)
        blank = []
        photographs = []
        for shot in shots:
            if shot.step.screenshot is None:
                blank.append(_no_screenshot(shot, protocol))
            else:
                photographs.append(shot)
        draft = self._draft(
            ScoreStatus.OK,
            passed=passed,
            ifs=formula.ifs(passed, len(task.actions)),
            pairs=tuple(blank),
            **_failure(rollout, passed),
        )
        return draft._replace(shots=tuple(photographs))

    def _draft(self, status: ScoreStatus, **fields: Any) -> Draft:
        """Return the draft of one status, without shots."""
        fields["fingerprint"] = self.fingerprint
        score = _score(self.subject, self.config, status, fields)
        return Draft(self.subject, score)


def _is_page_changed(subject: Subject, rollout: Rollout) -> bool:
    """Return whether the page on disk is not the one that was judged."""
    digest = rollout.fingerprint.get("input.page")
    page = subject.paths.page
    if not digest or not page.is_file():
        return False
    return digest != file_digest(page)


def _failure(rollout: Rollout, passed: int) -> dict[str, Any]:
    """Return where and by whom the credit ended. A page that did not open fails at step 1."""
    for step in rollout.steps:
        number = max(1, step.step)
        if step.failed_by and number > passed:
            return {"failed_step": number, "failed_by": step.failed_by}
    return {}


def _no_screenshot(shot: Shot, protocol: ProtocolConfig) -> Pair:
    """Return the pair of a page that gave no screenshot: nothing of it is like the reference."""
    step = shot.step
    names = metrics_of(protocol)
    reason = f"the page gave no screenshot: {step.reason or step.failed_by}"
    is_fault_of_page = step.failed_by in (FailedBy.PAGE, FailedBy.ACTION)
    value = 0.0 if is_fault_of_page else None
    return Pair(
        step=step.step,
        reference_sha256=file_digest(shot.checkpoint),
        candidate_sha256=None,
        metrics=dict.fromkeys(names),
        reasons=dict.fromkeys(names, reason),
        low=value,
        high=value if protocol.high else None,
    )


def next_stage(inputs: Fingerprint) -> str:
    """Return which stage is the next to run, as a reason."""
    if inputs["input.generation"] == NO_RECORD:
        return "no page yet: run `iwr generate`"
    if inputs["input.rollout"] == NO_RECORD:
        return "not judged yet: run `iwr judge`"
    return "not scored yet: run `iwr score`"


def unscored_score(subject: Subject, config: Config, reason: str) -> TaskScore:
    """Return the score of a task for which a stage has not run yet."""
    fields = {"fingerprint": {}, "reason": reason}
    return _score(subject, config, ScoreStatus.UNSCORED, fields)


def _score(
    subject: Subject,
    config: Config,
    status: ScoreStatus,
    fields: dict[str, Any],
) -> TaskScore:
    """Return a score without a visual part; numbers that `fields` does not have are None."""
    values: dict[str, Any] = NO_NUMBERS | fields
    return TaskScore(
        model=subject.model,
        judge=config.judge.name,
        protocol=config.protocol.name,
        task=subject.task.id,
        status=status,
        steps=len(subject.task.actions),
        classification=subject.task.classification,
        **values,
    )
