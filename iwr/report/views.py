"""What the templates are given: records of one page of one model, arranged for reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from iwr.records import (
    Action,
    FailedBy,
    Generation,
    Pair,
    Rollout,
    ScoreStatus,
    Step,
    Task,
    TaskScore,
)

SIGNS = {
    "all steps passed": "✓",
    "page": "●",
    "action": "■",
    "assertion": "▲",
    "no page": "∅",
    "unscored": "?",
}


class StepView(NamedTuple):
    """One step as shown. Addresses are relative to the page; None where there is no picture."""

    number: int
    action: Action | None
    step: Step | None  # None: never reached
    outcome: str
    tone: str  # good | bad | unknown | none, as the style sheet names them
    reference: str | None
    before: str | None
    shot: str | None
    mark: tuple[float, float] | None  # CSS pixels on the picture before
    pairs: list[Pair]
    given: list[tuple[str, str]]  # parameters besides the description


class Cell(NamedTuple):
    """One model's result on one task, in the list of all tasks."""

    url: str
    text: str
    value: str  # to sort by
    sign: str
    outcome: str
    tint: str


def cause(score: TaskScore) -> str:
    """What ended a task, as in summary.CAUSES."""
    if score.status is ScoreStatus.OK:
        return score.failed_by.value if score.failed_by else "all steps passed"
    return "no page" if score.status is ScoreStatus.MISSING else "unscored"


def outcome(score: TaskScore) -> str:
    why = cause(score)
    return (
        f"failed at step {score.failed_step}: {why}"
        if score.status is ScoreStatus.OK and score.failed_step
        else why
    )


def cell(score: TaskScore) -> Cell:
    why, words, final = cause(score), outcome(score), score.final
    if final is None:
        return Cell(f"pages/{score.model}/{score.task}.html", "–", "", SIGNS[why], words, "")
    return Cell(
        f"pages/{score.model}/{score.task}.html",
        f"{final:.2f}",
        str(final),
        SIGNS[why],
        words,
        f"s{round(final * 5)}",
    )


def steps_of(task: Task, score: TaskScore, rollout: Rollout | None) -> list[StepView]:
    """Step 0 and every action of the task, reached or not."""
    done = {step.step: step for step in rollout.steps} if rollout else {}
    return [_step(task, score, done, number) for number in range(len(task.actions) + 1)]


def _step(task: Task, score: TaskScore, done: dict[int, Step], number: int) -> StepView:
    step, last = done.get(number), done.get(number - 1)
    action = task.action(number) if number else None
    point = step.grounding.point if step and step.grounding else None
    given = (
        action.parameters.model_dump(exclude={"description"}, exclude_none=True) if action else {}
    )
    outcome, tone = _outcome(step)
    return StepView(
        number,
        action,
        step,
        outcome,
        tone,
        reference=f"../../tasks/{task.id}/step_{number}.png"
        if number in task.checkpoints
        else None,
        before=f"{task.id}/step_{number - 1}.png" if point and last and last.screenshot else None,
        shot=f"{task.id}/step_{number}.png" if step and step.screenshot else None,
        mark=point,
        pairs=[pair for pair in score.pairs if pair.step == number],
        given=list(given.items()),
    )


def _outcome(step: Step | None) -> tuple[str, str]:
    if step is None:
        return "not reached", "none"
    if step.failed_by in (FailedBy.JUDGE, FailedBy.INFRASTRUCTURE):
        return f"not decided: {step.failed_by.value}", "unknown"
    if step.failed_by:
        return f"failed: {step.failed_by.value}", "bad"
    return ("passed", "good") if step.credited else ("done, no credit after a failure", "none")


def answer_facts(record: Generation | None) -> list[tuple[str, str]]:
    """What is known about how a page was generated; only what is there."""
    if record is None:
        return []
    facts = {
        "Engine": record.engine,
        "Finished by": record.finish_reason,
        "Page found as": record.extraction,
        "Cut off": "yes" if record.truncated else None,
        "Prompt tokens": record.usage.prompt_tokens,
        "Answer tokens": record.usage.completion_tokens,
        "Frames delivered": f"{record.frames.delivered} of {record.frames.planned}, {record.frames.mode}"
        if record.frames
        else None,
        "Seconds": None if record.seconds is None else f"{record.seconds:.1f}",
    }
    return [(name, str(value)) for name, value in facts.items() if value is not None]


def neighbours(names: Sequence[str], name: str) -> tuple[str | None, str | None]:
    """The ones before and after `name`."""
    index = list(names).index(name)
    return names[index - 1] if index else None, names[index + 1] if index + 1 < len(names) else None
