"""The judge that is a vision-language model: it finds elements, decides assertions, gives points.

It also says how an action is done, where neither its parameters nor a quote do: see the modules
for each type of action. An answer that cannot be used leaves the step unscored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.browser.page_state import Snapshot
from iwr.browser.states import snapshot_of
from iwr.errors import JudgeError, PageError
from iwr.judge.model import assertions, clicking, grounding, pressing, rubric, scrolling, writing
from iwr.judge.model.asking import Asker
from iwr.judge.model.clicking import ClickPlan
from iwr.judge.model.scrolling import ScrollPlan
from iwr.judge.perform import Performer
from iwr.records import Action, ActionType, Gesture, Grounding, Rubric, Verdict

if TYPE_CHECKING:
    from iwr.browser.page import Tab

Reveal = tuple[str, str]
"""(verb, locator) of what is done first, see records.Gesture"""

MOST_REVEALS = 3  # menus that open one out of the other

PROMPTS = (
    grounding.LIST_PROMPT,
    grounding.MARKS_PROMPT,
    clicking.TASK,
    clicking.HOVERED,
    clicking.OPENED,
    clicking.DROP,
    clicking.HOLD,
    writing.FIELD,
    writing.TEXT,
    pressing.KEYS_PROMPT,
    pressing.TIMES_PROMPT,
    scrolling.TASK,
    scrolling.DIRECTION,
    scrolling.AMOUNT,
    rubric.QUESTION,
)
"""Every question but the one about assertions, which a protocol chooses."""


class ModelJudge:
    """The judge of one rollout. See iwr.judge.base.ActingJudge.

    `question` is how assertions are asked about: a key of `assertions.QUESTIONS`.
    """

    rates = True

    def __init__(self, asker: Asker, question: str):
        """Ask through `asker`, which counts the calls and writes them down."""
        self.asker = asker
        self.question = question
        self._plans: dict[int, tuple[Action, ClickPlan | ScrollPlan]] = {}

    @property
    def calls(self) -> int:
        return self.asker.calls

    async def ground(self, step: int, action: Action, page: Snapshot) -> Grounding:
        """Return the element that the action means, and how it is done.

        The plan is kept for `perform`, which may have to reveal the element first. Raises
        JudgeError, ServerError.
        """
        plan: ClickPlan | ScrollPlan
        match action.type:
            case ActionType.PRESS:
                return await pressing.ground(self.asker, step, action, page)
            case ActionType.TYPE:
                return await writing.ground(self.asker, step, action, page)
            case ActionType.SCROLL:
                plan = await scrolling.ground(self.asker, step, action, page)
            case ActionType.CLICK:
                plan = await clicking.ground(self.asker, step, action, page)
        self._plans[step] = action, plan
        return plan.grounding

    async def perform(self, step: int, grounding: Grounding, tab: Tab) -> Grounding:
        """Do the action that was grounded last. Return what it was done to, and how.

        Raises ActionError, PageError, JudgeError, ServerError.
        """
        performer = Performer(tab)
        action, plan = self._plans.pop(step, (None, None))
        if isinstance(plan, ScrollPlan):
            return await scrolling.scroll(performer, plan)
        first: list[Reveal] = []
        if action is not None and plan is not None:
            grounding = await self._reveal(step, action, plan, performer, first)
        gesture = grounding.gesture
        if gesture is None:
            raise JudgeError("nothing says how the action is done")
        point = await performer.act(gesture, grounding.locator)
        gesture = gesture.model_copy(update={"first": tuple(first)})
        update = {"gesture": gesture, "point": point or grounding.point}
        return grounding.model_copy(update=update)

    async def _reveal(
        self,
        step: int,
        action: Action,
        plan: ClickPlan,
        performer: Performer,
        first: list[Reveal],
    ) -> Grounding:
        """Do what reveals the element, add it to `first`, and return what is acted on then.

        Raises PageError when the element does not appear, JudgeError when there is no end of it,
        ActionError, ServerError.
        """
        context = ""
        while plan.reveals:
            gesture = plan.grounding.gesture or Gesture(verb="")
            if len(first) == MOST_REVEALS:
                raise JudgeError("the judge does not come to an end of what is done first")
            first.append((gesture.verb, plan.grounding.locator or ""))
            await performer.reveal(*first[-1])
            context = f"{context} {plan.reveals}".strip()
            page = await snapshot_of(performer.tab)
            plan = await clicking.ground(self.asker, step, action, page, context)
            if not plan.grounding.found:
                raise PageError(plan.grounding.reason or "the page does not show the element")
        return plan.grounding

    async def verify(
        self, step: int, assertion: str, before: Snapshot, after: Snapshot, *, swapped: bool = False
    ) -> Verdict:
        """Return the model's verdict on the two screenshots alone: no text of the page is shown.

        Raises JudgeError, ServerError.
        """
        claim = assertions.Claim(assertion, before.screenshot, after.screenshot)
        return await assertions.verify(self.asker, step, claim, self.question, swapped=swapped)

    async def rate(self, step: int, reference: bytes, candidate: bytes) -> Rubric:
        """Return the model's points. Raises JudgeError, ServerError."""
        return await rubric.rate(self.asker, step, reference, candidate)
