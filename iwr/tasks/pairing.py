"""What the reference evaluator counts and compares, its faults included, for the protocol `reference` alone.

    S1  the flag of action i (from 0) is paired with the screenshot taken before that action, so the final state is
        never compared, and a flag on the first action compares screenshot 0 a second time
    S2  the checkpoint is the file whose number is the ordinal of the flag; where it is missing the evaluation ends
    S3  only a "no" fails an assertion: a judge that gave no usable answer passes the step
    S5  a task without a page is left out of every mean

Source: evaluate.py, utils/visual_scorer.py and utils/metrics.py of the reference evaluator.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from iwr.errors import DataError
from iwr.records import FailedBy, Rollout, Rubric, Step, Task


class Counted(NamedTuple):
    """`passed` steps and what is compared: (screenshot's step, checkpoint, rubric of the pair)."""

    passed: int
    shots: list[tuple[Step, Path, Rubric | None]]


def blames_only_assertions(rollout: Rollout) -> bool:
    """Whether all that failed in a rollout is that the judge gave no verdict on assertions (S3)."""

    def no_verdict(step: Step) -> bool:
        return (
            step.failed_by is FailedBy.JUDGE
            and step.performed
            and step.verdict is not None
            and step.verdict.passed is None
        )

    failures = [
        step
        for step in rollout.steps
        if step.failed_by in (FailedBy.JUDGE, FailedBy.INFRASTRUCTURE)
    ]
    return bool(failures) and all(map(no_verdict, failures))


def count(task: Task, rollout: Rollout) -> Counted:
    """Raises DataError for a checkpoint that the reference would not find."""
    states = _states(rollout)
    executed = len(states) - 1
    denied = next((s.step for s in states[1:] if s.verdict and s.verdict.passed is False), None)
    passed = executed if denied is None else denied - 1
    before = len(task.actions) if denied is None else denied - 1
    pairs = [
        (index, number)
        for index, number in task.reference_pairs()
        if index < len(states) and (not number or index < before)
    ]
    shots = [
        (states[index], _checkpoint(task, number), _rubric(states[index], number))
        for index, number in pairs
    ]
    return Counted(passed, shots[: passed + 1])


def _rubric(step: Step, number: int) -> Rubric | None:
    return step.second_rubric if step.step == 0 and number else step.rubric


def _states(rollout: Rollout) -> list[Step]:
    """Step 0 and the actions that were performed, up to the first that was not; empty when the page never opened."""
    states: list[Step] = []
    for step in rollout.steps:
        if step.screenshot is None or not (step.performed or step.step == 0):
            break
        states.append(step)
    return states


def _checkpoint(task: Task, number: int) -> Path:
    path = task.reference_checkpoint(number)
    if not path.is_file():
        raise DataError(
            f"task {task.id}: the reference evaluator ends here: {path} is missing",
            hint="protocol=paper reads any numbering",
        )
    return path
