"""What the templates show of one task: records of one page of one model, arranged for reading."""

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
from iwr.report.summary import ALL_PASSED, NO_PAGE, UNSCORED, cause_of

SIGNS = {
    ALL_PASSED: "✓",
    "page": "●",
    "action": "■",
    "assertion": "▲",
    NO_PAGE: "∅",
    UNSCORED: "?",
}


class StepView(NamedTuple):
    """One step. Addresses are relative to the page; None where there is no picture."""

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
    parameters: dict[str, object]  # besides the description


class Cell(NamedTuple):
    """One model's result on one task, in the list of all tasks."""

    url: str
    text: str
    value: str  # to sort by
    sign: str
    outcome: str
    tint: str


class StepOutcome(NamedTuple):
    """How a step ended, and its tone in the style sheet."""

    text: str
    tone: str


class Neighbours(NamedTuple):
    """The names before and after one; None at the ends."""

    before: str | None
    after: str | None


def outcome(score: TaskScore) -> str:
    """Return how a task ended."""
    cause = cause_of(score)
    if score.status is ScoreStatus.OK and score.failed_step:
        return f"failed at step {score.failed_step}: {cause}"
    return cause


def cell(score: TaskScore) -> Cell:
    """Return a score as a cell of the list of all tasks."""
    text, value, tint = "–", "", ""
    if score.final is not None:
        text = f"{score.final:.2f}"
        value = str(score.final)
        tint = f"s{round(score.final * 5)}"
    return Cell(
        url=f"pages/{score.model}/{score.task}.html",
        text=text,
        value=value,
        sign=SIGNS[cause_of(score)],
        outcome=outcome(score),
        tint=tint,
    )


def step_views(
    task: Task,
    score: TaskScore,
    rollout: Rollout | None,
) -> list[StepView]:
    """Return step 0 and every action of the task, reached or not."""
    steps: dict[int, Step] = {}
    if rollout is not None:
        steps = {step.step: step for step in rollout.steps}
    numbers = range(len(task.actions) + 1)
    return [_step_view(task, score, steps, number) for number in numbers]


def _step_view(
    task: Task,
    score: TaskScore,
    steps: dict[int, Step],
    number: int,
) -> StepView:
    """Return one step, with what its record and its pairs say."""
    step = steps.get(number)
    previous = steps.get(number - 1)
    action = task.action(number) if number else None
    mark = _mark(step)
    reference = before = shot = None
    if number in task.checkpoints:
        reference = f"../../tasks/{task.id}/step_{number}.png"
    if mark and previous and previous.screenshot:
        before = f"{task.id}/step_{number - 1}.png"
    if step and step.screenshot:
        shot = f"{task.id}/step_{number}.png"
    end = _outcome(step)
    return StepView(
        number=number,
        action=action,
        step=step,
        outcome=end.text,
        tone=end.tone,
        reference=reference,
        before=before,
        shot=shot,
        mark=mark,
        pairs=[pair for pair in score.pairs if pair.step == number],
        parameters=_parameters(action),
    )


def _mark(step: Step | None) -> tuple[float, float] | None:
    """Return the point of the action, where there was one."""
    if step is None or step.grounding is None:
        return None
    return step.grounding.point


def _parameters(action: Action | None) -> dict[str, object]:
    """Return what an action has besides its description."""
    if action is None:
        return {}
    return action.parameters.model_dump(exclude={"description"}, exclude_none=True)


def _outcome(step: Step | None) -> StepOutcome:
    """Return how a step ended."""
    if step is None:
        return StepOutcome("not reached", "none")
    if step.failed_by in (FailedBy.JUDGE, FailedBy.INFRASTRUCTURE):
        return StepOutcome(f"not decided: {step.failed_by.value}", "unknown")
    if step.failed_by:
        return StepOutcome(f"failed: {step.failed_by.value}", "bad")
    if step.credited:
        return StepOutcome("passed", "good")
    return StepOutcome("performed, no credit after a failure", "none")


def answer_facts(record: Generation | None) -> dict[str, str]:
    """Return what is recorded about how a page was generated; only what is there."""
    if record is None:
        return {}
    facts: dict[str, object] = {
        "Engine": record.engine,
        "Finish reason": record.finish_reason,
        "Page extracted from": record.extraction,
        "Truncated": "yes" if record.truncated else None,
        "Prompt tokens": record.usage.prompt_tokens,
        "Answer tokens": record.usage.completion_tokens,
        "Frames delivered": _frames(record),
        "Seconds": None if record.seconds is None else f"{record.seconds:.1f}",
    }
    return {name: str(value) for name, value in facts.items() if value is not None}


def _frames(record: Generation) -> str | None:
    """Return how many frames the model saw."""
    frames = record.frames
    if frames is None:
        return None
    return f"{frames.delivered} of {frames.planned}, {frames.mode}"


def neighbours(names: Sequence[str], name: str) -> Neighbours:
    """Return the names before and after `name`."""
    index = list(names).index(name)
    before = names[index - 1] if index else None
    after = names[index + 1] if index + 1 < len(names) else None
    return Neighbours(before, after)
