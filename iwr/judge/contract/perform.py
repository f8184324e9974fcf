"""Perform a recorded action on another page, exactly as it was done on the true one.

What cannot be done is refused with an ActionError, never done as a plain click.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iwr.browser import gestures
from iwr.browser import input as actions
from iwr.browser.dialogs import DialogReply
from iwr.browser.page_state import WALK, Node, Snapshot, parse
from iwr.contract.schema import PerformedAction, StepContract, Target, Verb
from iwr.contract.target import Match, find
from iwr.errors import ActionError, JudgeError, PageError

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

    from iwr.browser.page import Tab

Point = tuple[float, float]

FIND = """path => window[Symbol.for("iwr.hook")].find(path)"""
IS_LIST_BOX = """element => (element.closest("select") || element).tagName === "SELECT" """
HELD_SECONDS = 1.0  # where a contract does not say how long


class ContractPerformer:
    """Performs the actions of one rollout. `assets` holds the files that can be uploaded."""

    def __init__(self, tab: Tab, assets: Path | None):
        self.tab = tab
        self.assets = assets

    async def perform(self, step: StepContract, page: Snapshot) -> Node | None:
        """Do the action of `step` to `page`, and return the element that it was done to.

        Raises PageError when an element is missing, ActionError when a person could not do it,
        JudgeError when several elements fit equally well.
        """
        action = step.action
        replies = [DialogReply(answer.accept, answer.text) for answer in action.dialogs]
        self.tab.dialogs.plan(replies)
        if action.hover:
            page = await self._hover_first(action, page)
        node = (
            element_for(
                step.target,
                page,
                action.verb,
            )
            if step.target
            else None
        )
        await self._act(
            action,
            page,
            node,
        )
        return node

    async def _hover_first(self, action: PerformedAction, page: Snapshot) -> Snapshot:
        """Hover over what reveals the target. Return the page as it is then."""
        for target in action.hover:
            node = element_for(
                target,
                page,
                Verb.HOVER,
            )
            element = await self._handle(node)
            await actions.hover(self.tab, await gestures.place(self.tab, element))
            await gestures.pass_time(self.tab, gestures.HOVER_SECONDS)
            page = await self._read()
        return page

    async def _read(self) -> Snapshot:
        return parse(await self.tab.evaluate(WALK))

    async def _handle(self, node: Node) -> ElementHandle:
        """Return the element of a node. Raises ActionError when it is gone."""
        work = self.tab.page.evaluate_handle(FIND, node.path)
        handle = (await self.tab.call(work, "finding the element")).as_element()
        if handle is None:
            raise ActionError(f"the element is no longer on the page: {node.path}")
        return handle

    # ---- the verbs -------------------------------------------------------------------------

    async def _act(self, action: PerformedAction, page: Snapshot, node: Node | None) -> None:
        match action.verb:
            case Verb.PRESS:
                await self._press(action)
            case Verb.SCROLL:
                await self._scroll(action, node)
            case Verb.TYPE:
                element = await self._handle(_needed(node))
                await actions.type_text(
                    self.tab,
                    element,
                    action.text or "",
                    clear=action.clear,
                )
            case Verb.SELECT:
                await self._select(action, _needed(node))
            case Verb.DRAG:
                await self._drag(
                    action,
                    page,
                    _needed(node),
                )
            case _:
                await self._point_and(action, _needed(node))

    async def _point_and(self, action: PerformedAction, node: Node) -> None:
        """Do what needs one point: clicks, hovering, holding, choosing a file."""
        element = await self._handle(node)
        point = await gestures.place(
            self.tab,
            element,
            action.at,
        )
        match action.verb:
            case Verb.HOVER:
                await actions.hover(self.tab, point)
            case Verb.HOLD:
                seconds = action.seconds or HELD_SECONDS
                await gestures.hold(
                    self.tab,
                    point,
                    seconds,
                    button=action.button,
                )
            case Verb.UPLOAD:
                await gestures.upload(
                    self.tab,
                    point,
                    self._asset(action.file or ""),
                )
            case Verb.CLICK | Verb.DOUBLE_CLICK | Verb.RIGHT_CLICK:
                await actions.click(
                    self.tab,
                    point,
                    count=_click_count(action),
                    button=_button(action),
                )
            case _:
                raise ActionError(f"the action {action.verb!r} cannot be performed")

    async def _press(self, action: PerformedAction) -> None:
        for _ in range(action.count):
            for key in action.keys:
                await actions.press(self.tab, key)

    async def _scroll(self, action: PerformedAction, node: Node | None) -> None:
        if action.wheel is None:
            raise ActionError("the contract does not say how far to scroll")
        over = await self._handle(node) if node else None
        await actions.scroll(
            self.tab,
            *action.wheel,
            over,
        )

    async def _select(self, action: PerformedAction, node: Node) -> None:
        """Choose an option of a native list box, or of a list that a click opens."""
        element = await self._handle(node)
        option = action.option or action.text or ""
        if await self.tab.call(element.evaluate(IS_LIST_BOX), "finding the list"):
            await actions.select(
                self.tab,
                element,
                option,
            )
            return
        await actions.click(self.tab, await gestures.place(self.tab, element))
        await self.tab.settle()
        opened = await self._read()
        target = Target(label=option)
        match = find(target, opened, Verb.CLICK)
        if match.node is None:
            raise ActionError(f"the list has no option {option!r}")
        choice = await self._handle(sole_node(match, target))
        await actions.click(self.tab, await gestures.place(self.tab, choice))

    async def _drag(self, action: PerformedAction, page: Snapshot, node: Node) -> None:
        """Drag an element to another one, or along a path."""
        start = await gestures.place(
            self.tab,
            await self._handle(node),
            action.at,
        )
        if action.drop is not None:
            drop = element_for(
                action.drop,
                page,
                Verb.DRAG,
            )
            end = await gestures.place(self.tab, await self._handle(drop))
            await gestures.drag(self.tab, [start, end])
            return
        if not action.path:
            raise ActionError("the contract does not say where the drag ends")
        path = [start]
        for dx, dy in action.path:
            path.append((start[0] + dx, start[1] + dy))
        await gestures.drag(self.tab, path)

    def _asset(self, name: str) -> Path:
        """Return a file of the task's assets. Raises JudgeError when it is not there."""
        path = (self.assets or Path()) / name
        if self.assets is None or not path.is_file():
            raise JudgeError(f"the task has no file {name!r} to upload")
        return path


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


def _needed(node: Node | None) -> Node:
    if node is None:
        raise JudgeError("the contract does not say what is acted on")
    return node


def _click_count(action: PerformedAction) -> int:
    return 2 if action.verb is Verb.DOUBLE_CLICK else action.count


def _button(action: PerformedAction) -> gestures.Button:
    return "right" if action.verb is Verb.RIGHT_CLICK else action.button
