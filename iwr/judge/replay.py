"""The judge that repeats what another one answered, without a model.

A recorded rollout is driven again to the same steps. This shows that its record is complete, and
draws the screenshots again. The page must be the recorded one.
"""

from __future__ import annotations

from iwr.browser.page_state import Snapshot
from iwr.errors import JudgeError
from iwr.records import Action, FailedBy, Grounding, Rollout, Rubric, Step, Verdict


class ReplayJudge:
    """The judge of one rollout. See iwr.judge.base.Judge."""

    calls = 0
    rates = True

    def __init__(self, recorded: Rollout | None):
        self.recorded = recorded

    def _step(self, number: int) -> Step:
        """Return a recorded step. Raise JudgeError when there is none."""
        if self.recorded is None or number >= len(self.recorded.steps):
            raise JudgeError(
                "there is no recorded rollout of this page",
                hint="judge.replays names the judge whose rollouts are repeated",
            )
        return self.recorded.steps[number]

    async def ground(
        self,
        step: int,
        action: Action,
        page: Snapshot,
    ) -> Grounding:
        """Return the recorded element. Raises JudgeError when the recorded judge named none."""
        recorded = self._step(step)
        if recorded.grounding is not None:
            return recorded.grounding
        if recorded.failed_by is FailedBy.JUDGE:
            raise JudgeError(recorded.reason or "the recorded judge gave no answer")
        return Grounding(found=False, reason=recorded.reason)

    async def verify(
        self,
        step: int,
        assertion: str,
        before: Snapshot,
        after: Snapshot,
        *,
        swapped: bool = False,
    ) -> Verdict:
        """Return the recorded verdict. Raises JudgeError when the recorded judge gave none."""
        recorded = self._step(step)
        if recorded.verdict is None or recorded.verdict.passed is None:
            raise JudgeError(recorded.reason or "the recorded judge gave no verdict")
        return recorded.verdict

    async def rate(
        self,
        step: int,
        reference: bytes,
        candidate: bytes,
    ) -> Rubric:
        """Return the recorded points. Raises JudgeError when the recorded judge gave none."""
        rubric = self._step(step).rubric
        if rubric is None:
            raise JudgeError("the recorded judge gave no points for this step")
        return rubric
