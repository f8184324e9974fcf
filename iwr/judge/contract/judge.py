"""The judge that needs no model: it checks what was recorded of the true page (`contract.json`).

It understands no sentence. Where a contract cannot tell, the step is undecided and thus unscored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.browser.page_state import Node, Snapshot
from iwr.contract.check import verdict
from iwr.contract.elements import label_of
from iwr.contract.outcome import Answer
from iwr.contract.schema import Contract, StepContract, Verb
from iwr.contract.search import find
from iwr.errors import JudgeError
from iwr.judge.contract.perform import ContractPerformer, sole_node
from iwr.judge.replay import ReplayJudge
from iwr.records import Action, Grounding, Rubric, Verdict

if TYPE_CHECKING:
    from iwr.browser.page import Tab

LONGEST_NAME = 120
FREE = (Verb.PRESS, Verb.SCROLL)
"""Verbs that need no element."""


class ContractJudge:
    """The judge of one rollout. See iwr.judge.base.ActingJudge."""

    calls = 0
    rates = False

    def __init__(self, contract: Contract):
        self.contract = contract
        self._pages: dict[int, Snapshot] = {}

    def _step(self, number: int) -> StepContract:
        """Return the contract of a step (1-based). Raises JudgeError when there is none."""
        if not self.contract.steps:
            raise JudgeError("the task has no contract.json")
        step = self.contract.step(number)
        if step is None:
            raise JudgeError(f"the contract has no step {number}")
        return step

    async def ground(self, step: int, action: Action, page: Snapshot) -> Grounding:
        """Return the element that the step is done to or, before it shows, what is hovered first.

        Raises JudgeError when several elements fit equally well.
        """
        contract = self._step(step)
        self._pages[step] = page
        verb = contract.action.verb
        target = contract.target
        if contract.action.hover:
            verb = Verb.HOVER
            target = contract.action.hover[0]
        count = len(page.candidates)
        if target is None:
            if verb not in FREE:
                raise JudgeError(f"step {step} of the contract has no target")
            return Grounding(found=True, role="page", candidates=count)
        match = find(target, page, verb)
        if match.node is None:
            return Grounding(found=False, candidates=count, reason=match.reason)
        node = sole_node(match, target)
        return _grounding(page, node)

    async def perform(self, step: int, grounding: Grounding, tab: Tab) -> Grounding:
        """Do the recorded action to the page that was grounded last. Return what it was done to."""
        contract = self._step(step)
        page = self._pages.pop(step)
        node = await ContractPerformer(tab).perform(contract, page)
        if node is None or not contract.action.hover:
            return grounding
        update = {
            "role": node.role,
            "locator": node.path,
            "point": node.center,
        }
        return grounding.model_copy(update=update)

    async def verify(
        self, step: int, assertion: str, before: Snapshot, after: Snapshot, *, swapped: bool = False
    ) -> Verdict:
        """Return whether what was observed on the true page holds. Raises JudgeError: undecided."""
        answer, reason = verdict(self._step(step), before, after)
        if answer is Answer.UNDECIDED:
            raise JudgeError(f"undecided: {reason}")
        passed = answer is Answer.YES
        return Verdict(passed=passed, reason=reason)

    async def rate(self, step: int, reference: bytes, candidate: bytes) -> Rubric:
        """Raise JudgeError: pictures are rated by models alone."""
        raise JudgeError(
            "the judge `contract` has no rubric",
            hint="choose a protocol with high=false, or a judge model",
        )


class ContractReplayJudge(ContractJudge):
    """Repeats a recorded rollout of the judge `contract`: it acts as that one, and says the same.

    The record has no room for how an action is done, so the contract says it again.
    """

    def __init__(self, contract: Contract, recorded: ReplayJudge):
        super().__init__(contract)
        self.recorded = recorded

    async def ground(self, step: int, action: Action, page: Snapshot) -> Grounding:
        """Return the recorded element."""
        self._pages[step] = page
        return await self.recorded.ground(step, action, page)

    async def verify(
        self, step: int, assertion: str, before: Snapshot, after: Snapshot, *, swapped: bool = False
    ) -> Verdict:
        """Return the recorded verdict."""
        return await self.recorded.verify(step, assertion, before, after, swapped=swapped)


def _grounding(page: Snapshot, node: Node) -> Grounding:
    """Return the record of an element that a step is done to."""
    name = label_of(page, node) or node.name
    return Grounding(
        found=True,
        role=node.role,
        name=name[:LONGEST_NAME] or None,
        locator=node.path,
        point=node.center,
        candidates=len(page.candidates),
    )
