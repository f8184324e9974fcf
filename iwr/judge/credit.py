"""What a rollout is worth: which steps have credit, and the judge's points for their screenshots.

The first step that was not performed, or whose assertion does not hold, ends the credit. A failure
of the judge or of the infrastructure leaves the task unscored, unless the page had failed before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from iwr.browser.page_state import Snapshot
from iwr.errors import JudgeError, ServerError
from iwr.judge.base import Judge
from iwr.records import FailedBy, Step, Task, Verdict
from iwr.tasks.pairing import Pairing

NO_RUBRIC = "this judge has no rubric"


class AssertionAnswer(NamedTuple):
    """The answer to one assertion. `failed_by` says who failed when there is no verdict."""

    verdict: Verdict
    failed_by: FailedBy | None = None


def credit_steps(steps: Sequence[Step], answers: Mapping[int, AssertionAnswer]) -> list[Step]:
    """Return the steps with their verdicts and their credit.

    A step has credit when it and all before it were performed and no assertion was refuted.
    """
    credited = True
    results = []
    for step in steps:
        if step.step in answers:
            step = _with_answer(step, answers[step.step])
        credited = credited and step.performed and step.failed_by is None
        results.append(step.model_copy(update={"credited": credited}))
    return results


def _with_answer(step: Step, answer: AssertionAnswer) -> Step:
    """Return the step with the judge's verdict, and whom it blames."""
    verdict, failed_by = answer
    if verdict.passed is False:
        failed_by = FailedBy.ASSERTION
    reason = verdict.reason if failed_by else None
    return step.model_copy(update={"verdict": verdict, "failed_by": failed_by, "reason": reason})


async def rate_steps(
    steps: Sequence[Step],
    task: Task,
    judge: Judge,
    states: Sequence[Snapshot],
    pairing: Pairing,
) -> list[Step]:
    """Return the steps with the judge's points for the checkpoints that `pairing` names.

    `states` are the states that were reached, from step 0. A judge that fails leaves a reason.
    """

    async def rate(step: Step) -> Step:
        references = pairing.references(task, step)
        if not references or step.step >= len(states):
            return step
        return await _rate_step(step, references, judge, states[step.step].screenshot)

    return list(await asyncio.gather(*map(rate, steps)))


async def _rate_step(
    step: Step,
    references: Sequence[Path],
    judge: Judge,
    screenshot: bytes,
) -> Step:
    """Return the step with the mean rubric over its references, or why there is none."""
    if not judge.rates:
        return step.model_copy(update={"rubric_reason": NO_RUBRIC})
    rubrics = []
    try:
        for reference in references:
            rubrics.append(await judge.rate(step.step, reference.read_bytes(), screenshot))
    except (JudgeError, ServerError, OSError) as error:
        return step.model_copy(update={"rubric_reason": f"rating failed: {error}"})
    fields = zip(("rubric", "second_rubric"), rubrics, strict=False)
    return step.model_copy(update=dict(fields))


def unscored_reason(steps: Sequence[Step]) -> str | None:
    """Return why the task cannot be scored; None when it can.

    It cannot when the first failure is not the page's, or when a rubric is missing.
    """
    for step in steps:
        if step.failed_by:
            if step.is_unscored:
                return f"step {step.step}: {step.reason}"
            break
    for step in steps:
        if step.rubric_reason and step.rubric_reason != NO_RUBRIC:
            return f"step {step.step}: {step.rubric_reason}"
    return None
