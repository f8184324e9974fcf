"""The judge that is a vision-language model. It finds elements, decides assertions and gives points; see the three modules used here.

Keys, and places to scroll to that stand on the page word for word, need no model: there the rules are used.
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

    async def ground(self, step: int, action: Action, page: Snapshot) -> Grounding:
        description = action.parameters.description
        match action.type:
            case ActionType.PRESS:
                return ground_press(action, page)
            case ActionType.SCROLL:
                found = ground_scrolling(action, page)
                if found.found or not scrolling(action).target:
                    return found
                return await grounding.ground(self.asker, step, description, page, sections(page))
            case ActionType.TYPE:
                wanted = typing(
                    action
                )  # raises JudgeError before the model is asked, when there is no text
                if not wanted.target and any(node.focused for node in writable(page)):
                    return grounding_of_focus(page)
                return await grounding.ground(self.asker, step, description, page, writable(page))
            case ActionType.CLICK:
                return await grounding.ground(self.asker, step, description, page, page.candidates)

    async def verify(
        self, step: int, assertion: str, before: Snapshot, after: Snapshot, *, swapped: bool = False
    ) -> Verdict:
        return await assertions.verify(
            self.asker, step, assertion, before.screenshot, after.screenshot, swapped=swapped
        )

    async def rate(self, step: int, reference: bytes, candidate: bytes) -> Rubric:
        return await rubric.rate(self.asker, step, reference, candidate)


def sections(page: Snapshot) -> list[Node]:
    """Headings and landmarks: where one may scroll to."""
    return [node for node in page.nodes if node.visible and node.role in SECTIONS]


def grounding_of_focus(page: Snapshot) -> Grounding:
    node = next(node for node in writable(page) if node.focused)
    return Grounding(
        found=True,
        role=node.role,
        name=page.label(node)[:120] or None,
        locator=node.path,
        point=node.center,
    )
