"""The judge that is a vision-language model: it finds elements, decides assertions, gives points.

Keys, and places to scroll to that the page names word for word, need no model: there the rules
are used.
"""

from __future__ import annotations

from iwr.browser.page_state import Node, Snapshot
from iwr.judge.model import assertions, grounding, rubric
from iwr.judge.model.asking import Asker
from iwr.judge.rules.intents import scrolling, typing
from iwr.judge.rules.judge import ground_press, ground_scrolling, writable
from iwr.records import Action, ActionType, Grounding, Rubric, Verdict

SECTIONS = {"heading", "region", "contentinfo", "banner", "main", "form", "article", "table"}


class ModelJudge:
    """The judge of one rollout. See iwr.judge.base.Judge."""

    rates = True

    def __init__(self, asker: Asker):
        self.asker = asker

    @property
    def calls(self) -> int:
        return self.asker.calls

    async def ground(
        self,
        step: int,
        action: Action,
        page: Snapshot,
    ) -> Grounding:
        """Return the element that the description means. Raises JudgeError, ServerError."""
        match action.type:
            case ActionType.PRESS:
                return ground_press(action, page)
            case ActionType.SCROLL:
                place = ground_scrolling(action, page)
                if place.found or not scrolling(action).target:
                    return place
                nodes = sections(page)
            case ActionType.TYPE:
                request = typing(action)  # without a text this raises before the model is asked
                nodes = writable(page)
                focused = [node for node in nodes if node.focused]
                if focused and not request.target:
                    return grounding_of_focus(page, focused[0])
            case ActionType.CLICK:
                nodes = list(page.candidates)
        description = action.parameters.description
        return await grounding.ground(self.asker, step, description, page, nodes)

    async def verify(
        self,
        step: int,
        assertion: str,
        before: Snapshot,
        after: Snapshot,
        *,
        swapped: bool = False,
    ) -> Verdict:
        """Return the model's verdict. Raises JudgeError, ServerError."""
        pictures = (before.screenshot, after.screenshot)
        return await assertions.verify(self.asker, step, assertion, *pictures, swapped=swapped)

    async def rate(
        self,
        step: int,
        reference: bytes,
        candidate: bytes,
    ) -> Rubric:
        """Return the model's points. Raises JudgeError, ServerError."""
        return await rubric.rate(self.asker, step, reference, candidate)


def sections(page: Snapshot) -> list[Node]:
    """Return headings and landmarks: where one may scroll to."""
    return [node for node in page.nodes if node.visible and node.role in SECTIONS]


def grounding_of_focus(page: Snapshot, node: Node) -> Grounding:
    """Return the field that has the focus, for a description that names no field."""
    return Grounding(
        found=True,
        role=node.role,
        name=page.label(node)[: grounding.LONGEST_NAME] or None,
        locator=node.path,
        point=node.center,
    )
