"""What a judge does. `rules`, a served model and a replay are interchangeable behind this."""

from __future__ import annotations

from typing import Protocol

from iwr.browser.page_state import Snapshot
from iwr.records import Action, Grounding, Rubric, Verdict


class Judge(Protocol):
    """The judge of one rollout. All three may raise JudgeError (no usable answer) or ServerError: the step is then unscored."""

    rates: bool  # has a rubric

    @property
    def calls(self) -> int:
        """Questions put to a model so far."""

    async def ground(self, step: int, action: Action, page: Snapshot) -> Grounding:
        """The element that the action's description means; `found=False` with a reason when the page has none."""

    async def verify(
        self, step: int, assertion: str, before: Snapshot, after: Snapshot, *, swapped: bool = False
    ) -> Verdict:
        """Whether `assertion` came true between the two states: their screenshots, and what can be read in them.

        `swapped` shows a model the state after first; the question is the same.
        """

    async def rate(self, step: int, reference: bytes, candidate: bytes) -> Rubric:
        """How well a screenshot (PNG) matches the reference's."""
