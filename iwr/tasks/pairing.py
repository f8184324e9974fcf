"""Which screenshots meet which checkpoints, and which steps count: two ways.

`CheckpointPairing` is ours. `ReferencePairing` is the reference evaluator's, for the protocol
`reference` alone, so that published numbers can be compared. It repeats these faults:

    S1  the flag of action i (from 0) is paired with the screenshot taken before that action, so the
        final state is never compared, and a flag on the first action compares screenshot 0 again
    S2  the checkpoint is the file whose number is the ordinal of the flag; where it is missing the
        evaluation ends
    S3  only a "no" fails an assertion: a judge that gave no usable answer passes the step
    S5  a task without a page is left out of every mean

Source: evaluate.py, utils/visual_scorer.py and utils/metrics.py of the reference evaluator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from iwr.config import ProtocolConfig
from iwr.errors import DataError
from iwr.records import FailedBy, Rollout, Rubric, Step, Task


class Shot(NamedTuple):
    """A screenshot, the checkpoint it is compared with, and the judge's points for the two."""

    step: Step
    checkpoint: Path
    rubric: Rubric | None


class Credit(NamedTuple):
    """What a rollout earned: its passed steps, and the screenshots that are compared."""

    passed: int
    shots: list[Shot]


class Pairing(Protocol):
    """How a protocol counts a rollout and pairs its screenshots."""

    missing_page_scores_zero: bool  # False: a task without a page has no score

    def references(self, task: Task, step: Step) -> list[Path]:
        """Return the checkpoints that the judge rates this step's screenshot against.

        The first one's points become `Step.rubric`, the second one's `Step.second_rubric`.
        """

    def forgives(self, rollout: Rollout) -> bool:
        """Return whether a rollout is scored although its judge gave no usable answer."""

    def credit(self, task: Task, rollout: Rollout) -> Credit:
        """Return what the rollout earned. Raises DataError when a checkpoint is missing."""


def pairing_of(protocol: ProtocolConfig) -> Pairing:
    """Return the pairing that the protocol asks for."""
    return ReferencePairing() if protocol.reference_faults else CheckpointPairing()


# ---- ours --------------------------------------------------------------------------------------


class CheckpointPairing:
    """Compare checkpoint k with the screenshot of step k, where that step has credit."""

    missing_page_scores_zero = True

    def references(self, task: Task, step: Step) -> list[Path]:
        """Return the step's own checkpoint, if it has one and the step has credit."""
        if step.credited and step.step in task.checkpoints:
            return [task.checkpoints[step.step]]
        return []

    def forgives(self, rollout: Rollout) -> bool:
        """Return False: without the judge's answer nothing is known about the page."""
        return False

    def credit(self, task: Task, rollout: Rollout) -> Credit:
        """Return the credited steps. Step 0 is compared even when the page did not open."""
        passed = 0
        shots = []
        for step in rollout.steps:
            if step.credited and step.step:
                passed += 1
            reached = step.credited or step.step == 0
            if reached and step.step in task.checkpoints:
                shots.append(Shot(step, task.checkpoints[step.step], step.rubric))
        return Credit(passed, shots)


# ---- the reference evaluator's -----------------------------------------------------------------


class ReferencePair(NamedTuple):
    """A step's screenshot and the number of the checkpoint that the reference compares it with."""

    step: int
    checkpoint: int


class ReferencePairing:
    """Count and pair as the reference evaluator does, with its faults S1, S2, S3 and S5."""

    missing_page_scores_zero = False  # S5

    def references(self, task: Task, step: Step) -> list[Path]:
        """Return all checkpoints that this screenshot meets, whether or not the step has credit."""
        return [
            reference_checkpoint(task, pair.checkpoint)
            for pair in reference_pairs(task)
            if pair.step == step.step
        ]

    def forgives(self, rollout: Rollout) -> bool:
        """Return whether all that failed is that assertions got no verdict (S3)."""
        failures = [step for step in rollout.steps if step.is_unscored]
        return bool(failures) and all(map(lacks_verdict, failures))

    def credit(self, task: Task, rollout: Rollout) -> Credit:
        """Return the steps before the first "no", and the pairs that the reference compares.

        Raises DataError for a checkpoint that the reference would not find (S2).
        """
        states = list(performed_steps(rollout))
        if not states:
            return CheckpointPairing().credit(task, rollout)
        refuted = first_refuted(states)
        if refuted is None:
            passed = len(states) - 1
            flags_before = len(task.actions)
        else:
            passed = refuted - 1
            flags_before = passed
        shots = []
        for pair in reference_pairs(task):
            is_counted = pair.checkpoint == 0 or pair.step < flags_before
            if pair.step < len(states) and is_counted:
                shots.append(reference_shot(task, states[pair.step], pair.checkpoint))
        return Credit(passed, shots[: passed + 1])


def reference_pairs(task: Task) -> list[ReferencePair]:
    """Return which screenshot meets which checkpoint in the reference evaluator (S1, S2).

    A flag means the screenshot before its action, and the checkpoint is found by the ordinal of
    the flag. Screenshot 0 meets checkpoint 0 in any case.
    """
    pairs = [ReferencePair(0, 0)]
    for index, action in enumerate(task.actions):
        if action.visual_evaluation_flag:
            pairs.append(ReferencePair(index, len(pairs)))
    return pairs


def reference_checkpoint(task: Task, number: int) -> Path:
    """Return where the reference evaluator looks for a checkpoint. It may not be there."""
    return task.folder / "checkpoints" / f"step_{number}.png"


def reference_shot(
    task: Task,
    step: Step,
    number: int,
) -> Shot:
    """Return a screenshot with checkpoint `number`. Raises DataError when that is missing (S2)."""
    checkpoint = reference_checkpoint(task, number)
    if not checkpoint.is_file():
        raise DataError(
            f"task {task.id}: the reference evaluator ends here: {checkpoint} is missing",
            hint="protocol=paper reads any numbering",
        )
    is_second = step.step == 0 and number > 0
    return Shot(step, checkpoint, step.second_rubric if is_second else step.rubric)


def performed_steps(rollout: Rollout) -> Iterator[Step]:
    """Yield step 0 and the performed actions, up to the first that was not performed.

    Nothing is yielded when the page never opened.
    """
    for step in rollout.steps:
        is_performed = step.performed or step.step == 0
        if step.screenshot is None or not is_performed:
            return
        yield step


def first_refuted(steps: Sequence[Step]) -> int | None:
    """Return the number of the first step whose assertion was answered with "no"."""
    for step in steps:
        if step.step and step.verdict and step.verdict.passed is False:
            return step.step
    return None


def lacks_verdict(step: Step) -> bool:
    """Return whether the step was performed and only the answer to its assertion is missing."""
    if step.failed_by is not FailedBy.JUDGE or not step.performed:
        return False
    return step.verdict is not None and step.verdict.passed is None
