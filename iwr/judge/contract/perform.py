"""Perform a recorded action on another page, exactly as it was done on the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.browser.page_state import Node, Snapshot
from iwr.browser.states import snapshot_of
from iwr.contract.schema import PerformedAction, StepContract, Target, Verb
from iwr.contract.search import Match, find
from iwr.errors import ActionError, JudgeError, PageError
from iwr.judge.perform import Performer
from iwr.records import Gesture

if TYPE_CHECKING:
    from iwr.browser.page import Tab

IS_LIST_BOX = """element => (element.closest("select") || element).tagName === "SELECT" """


class ContractPerformer:
    """Performs the actions of one rollout."""

    def __init__(self, tab: Tab):
        self.tab = tab
        self.performer = Performer(tab)

    async def perform(self, step: StepContract, page: Snapshot) -> Node | None:
        """Do the action of `step` to `page`, and return the element that it was done to.

        Raises PageError when an element is missing, ActionError when a person could not do it,
        JudgeError when several elements fit equally well.
        """
        action = step.action
        gesture = gesture_of(action)
        for target in action.hover:
            menu = element_for(target, page, Verb.HOVER)
            await self.performer.reveal(Verb.HOVER, menu.path)
            page = await self._read()
        node = None
        if step.target:
            node = element_for(step.target, page, action.verb)
        if action.drop:
            drop = element_for(action.drop, page, Verb.DRAG)
            gesture = gesture.model_copy(update={"drop": drop.path})
        if node is None:
            await self.performer.act(gesture, None)
        elif action.verb is Verb.SELECT and not await self._is_list_box(node):
            await self._choose(node, gesture)
        else:
            await self.performer.act(gesture, node.path)
        return node

    async def _is_list_box(self, node: Node) -> bool:
        """Return whether the browser itself shows the options."""
        element = await self.performer.element(node.path)
        question = element.evaluate(IS_LIST_BOX)
        return bool(await self.tab.call(question, "finding the list"))

    async def _choose(self, node: Node, gesture: Gesture) -> None:
        """Choose an option of a list that a click opens.

        The page is read again after the click, since its options appear only then. Raises
        ActionError when there is no such option, JudgeError when several fit equally well.
        """
        opening = ((Verb.CLICK.value, node.path),)
        click = Gesture(verb=Verb.CLICK, first=opening, replies=gesture.replies)
        await self.performer.prepare(click)
        target = Target(label=gesture.text or "")
        page = await self._read()
        match = find(target, page, Verb.CLICK)
        if match.node is None:
            raise ActionError(f"the list has no option {gesture.text!r}")
        option = sole_node(match, target)
        await self.performer.do(click, option.path)

    async def _read(self) -> Snapshot:
        """Return the state of the page now. Raises PageError."""
        return await snapshot_of(self.tab)


def gesture_of(action: PerformedAction) -> Gesture:
    """Return the action without its elements."""
    replies = []
    for answer in action.dialogs:
        replies.append((answer.accept, answer.text))
    path = action.path
    if action.drop:  # where it ends is an element, wherever that is on the other page
        path = ()
    return Gesture(
        verb=action.verb,
        button=action.button,
        count=action.count,
        at=action.at,
        text=action.option or action.file or action.text,
        clear=action.clear,
        keys=action.keys,
        wheel=action.wheel,
        path=path,
        seconds=action.seconds,
        replies=tuple(replies),
    )


def element_for(target: Target, page: Snapshot, verb: Verb) -> Node:
    """Return the element that a person would take for `target`. Raises PageError, JudgeError."""
    return sole_node(find(target, page, verb), target)


def sole_node(match: Match, target: Target) -> Node:
    """Return the one element of a match. Raises PageError: none, JudgeError: several."""
    if match.node is None:
        raise PageError(match.reason)
    if match.tied:
        name = target.label or target.name or target.kind
        raise JudgeError(f"undecided: several elements fit {name!r} equally well")
    return match.node
