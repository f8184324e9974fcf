"""What a judge does. The kinds of judges in backends.py are interchangeable behind this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from iwr.browser.page_state import Snapshot
from iwr.records import Action, Grounding, Rubric, Verdict

if TYPE_CHECKING:
    from iwr.browser.page import Tab


class Judge(Protocol):
    """The judge of one rollout.

    All questions may raise JudgeError (no usable answer) or ServerError: the step is then unscored.
    """

    rates: bool  # has a rubric

    @property
    def calls(self) -> int:
        """Questions put to a model so far."""

    async def ground(
        self,
        step: int,
        action: Action,
        page: Snapshot,
    ) -> Grounding:
        """Return the element that the action's description means.

        Where the page has none, return `found=False` with a reason.
        """

    async def verify(
        self,
        step: int,
        assertion: str,
        before: Snapshot,
        after: Snapshot,
        *,
        swapped: bool = False,
    ) -> Verdict:
        """Return whether `assertion` came true between two states.

        The states are screenshots and what can be read in them. `swapped` shows a model the state
        after first; the question is the same.
        """

    async def rate(
        self,
        step: int,
        reference: bytes,
        candidate: bytes,
    ) -> Rubric:
        """Return how well a screenshot (PNG) matches the reference's."""


@runtime_checkable
class ActingJudge(Judge, Protocol):
    """A judge that performs the actions itself, because it knows them better than their words."""

    async def perform(
        self,
        step: int,
        grounding: Grounding,
        tab: Tab,
    ) -> Grounding:
        """Perform the action; return what it was done to. Raises ActionError, PageError."""
