"""What the templates show of one step: records of one page of one model, arranged for reading."""

from __future__ import annotations

from typing import NamedTuple

from iwr.records import Action, FailedBy, PageEvent, Pair, Rollout, Step, Task, TaskScore
from iwr.report.evidence import Question, events_by_step
from iwr.report.moments import Moments


class StepOutcome(NamedTuple):
    """How a step ended, and how the style sheet shows that."""

    text: str
    tone: str  # good | bad | unknown | none, as the style sheet names them
    sign: str


PASSED = StepOutcome("passed", "good", "✓")
UNCREDITED = StepOutcome("performed, no credit after a failure", "none", "·")
UNREACHED = StepOutcome("not reached", "none", "–")
FAILURE_SIGNS = {
    FailedBy.PAGE: "●",
    FailedBy.ACTION: "■",
    FailedBy.ASSERTION: "▲",
    FailedBy.JUDGE: "?",
    FailedBy.INFRASTRUCTURE: "?",
}


class StepView(NamedTuple):
    """One step. Addresses are relative to the page; None where there is no picture."""

    number: int
    action: Action | None
    step: Step | None  # None: nothing is recorded
    outcome: StepOutcome
    is_open: bool  # what explains the score is unfolded
    reference: str | None
    before: str | None
    shot: str | None
    mark: tuple[float, float] | None  # CSS pixels on the picture before
    pairs: list[Pair]
    parameters: dict[str, object]  # besides the description
    seconds: float | None  # into the recording, an estimate
    events: list[PageEvent]
    questions: list[Question]


def failing_step(score: TaskScore, rollout: Rollout | None) -> int | None:
    """Return the step that ended the credit or left the task unscored; None when there is none."""
    if score.failed_step is not None:
        return score.failed_step
    if rollout is not None:
        for step in rollout.steps:
            if step.failed_by:
                return step.step
    return None


def outcome_of(step: Step | None) -> StepOutcome:
    """Return how a step ended."""
    if step is None:
        return UNREACHED
    if step.failed_by:
        sign = FAILURE_SIGNS[step.failed_by]
        if step.is_unscored:
            return StepOutcome(f"not decided: {step.failed_by.value}", "unknown", sign)
        return StepOutcome(f"failed: {step.failed_by.value}", "bad", sign)
    if step.credited:
        return PASSED
    if step.performed:
        return UNCREDITED
    return UNREACHED


class StepArranger:
    """Arranges the records of one page of one model by step."""

    def __init__(
        self,
        task: Task,
        score: TaskScore,
        rollout: Rollout | None,
        moments: Moments,
        questions: dict[int, list[Question]],
    ):
        self.task = task
        self.score = score
        self.moments = moments
        self.questions = questions
        self.events = events_by_step(rollout)
        self.steps: dict[int, Step] = {}
        if rollout is not None:
            self.steps = {step.step: step for step in rollout.steps}
        self.failing = failing_step(score, rollout)

    def views(self) -> list[StepView]:
        """Return step 0 and every action of the task, reached or not."""
        return [self._view(number) for number in range(len(self.task.actions) + 1)]

    def _view(self, number: int) -> StepView:
        """Return one step, with what its record and its pairs say."""
        step = self.steps.get(number)
        action = None
        if number:  # step 0 is the opened page
            action = self.task.action(number)
        return StepView(
            number=number,
            action=action,
            step=step,
            outcome=outcome_of(step),
            is_open=number == self._open_step(),
            reference=self._reference(number),
            before=self._before(step),
            shot=self._shot(number),
            mark=_mark(step),
            pairs=self._pairs(number),
            parameters=_parameters(action),
            seconds=self._seconds(number),
            events=self.events.get(number, []),
            questions=self.questions.get(number, []),
        )

    def _pairs(self, number: int) -> list[Pair]:
        """Return the comparisons with the checkpoint of a step."""
        return [pair for pair in self.score.pairs if pair.step == number]

    def _open_step(self) -> int:
        """Return the step that is unfolded: the one that failed, else the last one."""
        if self.failing is None:
            return len(self.task.actions)
        return self.failing

    def _reference(self, number: int) -> str | None:
        """Return the address of the checkpoint of a step."""
        if number not in self.task.checkpoints:
            return None
        return f"../../tasks/{self.task.id}/step_{number}.png"

    def _shot(self, number: int) -> str | None:
        """Return the address of what the page showed after a step."""
        step = self.steps.get(number)
        if step is None or step.screenshot is None:
            return None
        return f"{self.task.id}/step_{number}.png"

    def _before(self, step: Step | None) -> str | None:
        """Return the page that the action met: where it acted, or where it failed."""
        if step is None or not step.step:
            return None
        failed_at_once = step.failed_by and step.screenshot is None
        if _mark(step) or failed_at_once:
            return self._shot(step.step - 1)
        return None

    def _seconds(self, number: int) -> float | None:
        """Return when the step's state shows in the recording."""
        if number >= len(self.moments.steps):
            return None
        return self.moments.steps[number]


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
