"""Perform the actions of a script as scoring does: at once, with the code that judges pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from iwr.browser import gestures
from iwr.browser import input as actions
from iwr.browser.dialogs import DialogReply
from iwr.errors import ActionError
from iwr.records import ActionType
from iwr.tasks.recorder.script import SCROLLED_PAGES, ScriptAction

if TYPE_CHECKING:
    from playwright.async_api import Locator

    from iwr.browser.page import Tab

Point = tuple[float, float]
Part = Literal["target", "hover", "drop"]
"""What an element is to an action."""
FRAME_STEP = " ||| "
DIRECTIONS = {"down": (0, 1), "up": (0, -1), "right": (1, 0), "left": (-1, 0)}


class TargetObserver(Protocol):
    """Is told of every element of an action just before it is acted on."""

    async def note(self, part: Part, element: Locator) -> None:
        """Take note of an element; the page is as the person sees it at this moment."""


async def locate(tab: Tab, selector: str) -> Locator:
    """Return the one element that fits.

    Raises ActionError for none or several, PageError for an invalid selector.
    """
    *frames, last = selector.split(FRAME_STEP)
    scope = tab.page.main_frame
    element = scope.locator(last)
    if frames:
        inner = scope.frame_locator(frames[0])
        for frame in frames[1:]:
            inner = inner.frame_locator(frame)
        element = inner.locator(last)
    count = await tab.call(element.count(), f"finding {selector!r}")
    if count != 1:
        raise ActionError(
            f"{selector!r} fits {count} elements, it must fit one; "
            "`:nth-match(CSS, 2)` picks one of several"
        )
    return element


def wheel_of(action: ScriptAction, size: tuple[int, int]) -> Point:
    """Return how far a scroll turns the wheel in CSS pixels; right and down are positive."""
    width, height = size
    pages = action.pages or SCROLLED_PAGES
    across, along = DIRECTIONS[action.direction or "down"]
    dx = across * pages * width
    dy = along * pages * height
    return dx, dy


class Performer:
    """Performs actions on a page. A recording replaces how the mouse and the keys move."""

    def __init__(
        self,
        tab: Tab,
        size: tuple[int, int],
        assets: Path | None = None,
        observer: TargetObserver | None = None,
    ):
        self.tab = tab
        self.size = size
        self.assets = assets
        self.observer = observer

    async def perform(self, action: ScriptAction) -> None:
        """Do `action`. Raises ActionError when a person could not."""
        answers = action.dialog
        replies = [DialogReply(answer.accept, answer.text) for answer in answers]
        self.tab.dialogs.plan(replies)
        await self._hover_first(action.hover)
        target = None
        if action.target:
            target = await self._find(action.target)
        match action.type:
            case ActionType.CLICK if target:
                await self._click(action, target)
            case ActionType.TYPE if target:
                text = action.text or ""
                await self.type_text(target, text, clear=action.clear)
            case ActionType.PRESS:
                for _ in range(action.count):
                    await self.press(action.key or "")
            case ActionType.SCROLL:
                wheel = wheel_of(action, self.size)
                await self.scroll(wheel, target)

    def check_dialogs(self) -> None:
        """Raise ActionError when fewer dialogs opened than the last action has answers for."""
        unused = self.tab.dialogs.unused
        if unused:
            opened = len(self.tab.dialogs.opened)
            answers = opened + unused
            raise ActionError(f"{opened} dialogs open, but `dialog` has {answers} answers")

    # ---- how it is done; a recording does it slowly ------------------------------------

    async def move(self, point: Point) -> None:
        """Move the mouse to a point of the viewport."""
        await actions.hover(self.tab, point)

    async def pause(self, seconds: float) -> None:
        """Let time pass for the page."""
        await gestures.pass_time(self.tab, seconds)

    async def approach(self, point: Point) -> None:
        """Prepare a click; the gestures themselves move the mouse at once."""

    async def hold(
        self,
        point: Point,
        seconds: float,
        button: gestures.Button,
    ) -> None:
        """Press and hold the mouse button."""
        await gestures.hold(
            self.tab,
            point,
            seconds,
            button=button,
        )

    async def drag(self, path: Sequence[Point]) -> None:
        """Drag what is at the first point along the others."""
        await gestures.drag(self.tab, path)

    async def press(self, key: str) -> None:
        """Press a key or a chord once."""
        await actions.press(self.tab, key)

    async def type_text(
        self,
        field: Locator,
        text: str,
        *,
        clear: bool,
    ) -> None:
        """Type into a field, or set one that has no text to type into."""
        await actions.type_text(
            self.tab,
            field,
            text,
            clear=clear,
        )

    async def scroll(self, wheel: Point, over: Locator | None) -> None:
        """Turn the wheel over the page or an element."""
        await actions.scroll(self.tab, *wheel, over)

    async def point_of(self, element: Locator, share: Point | None = None) -> Point:
        """Return where a person could click the element."""
        return await gestures.place(self.tab, element, share)

    # ---- what is done ------------------------------------------------------------------

    async def _find(self, selector: str, part: Part = "target") -> Locator:
        """Return the element, and tell the observer of it."""
        element = await locate(self.tab, selector)
        if self.observer:
            await self.observer.note(part, element)
        return element

    async def _hover_first(self, selectors: Sequence[str]) -> None:
        """Hover over one after another: each may reveal the next."""
        for selector in selectors:
            element = await self._find(selector, "hover")
            point = await self.point_of(element)
            await self.move(point)
            await self.pause(gestures.HOVER_SECONDS)

    async def _click(self, action: ScriptAction, target: Locator) -> None:
        """Do what kind of click the action is."""
        point = await self.point_of(target, action.at)
        if action.hover_only:
            await self.move(point)
            return
        await self.approach(point)
        match action.gesture:
            case "option":
                await actions.select(self.tab, target, action.option or "")
            case "hold":
                await self.hold(point, action.hold or 0.0, action.button)
            case "drag_to" | "drag_by":
                end = await self._drop_point(point, action)
                await self.drag([point, end])
            case "file":
                file = self._asset(action.file or "")
                await gestures.upload(self.tab, point, file)
            case _:
                await actions.click(
                    self.tab,
                    point,
                    count=action.count,
                    button=action.button,
                )

    async def _drop_point(self, start: Point, action: ScriptAction) -> Point:
        """Return where a drag ends, in CSS pixels."""
        if action.drag_to:
            place = await self._find(action.drag_to, "drop")
            return await self.point_of(place)
        x, y = start
        dx, dy = action.drag_by or (0.0, 0.0)
        return x + dx, y + dy

    def _asset(self, name: str) -> Path:
        """Return a file of the task's assets. Raises ActionError when it is not there."""
        if self.assets is None:
            raise ActionError(f"there is no file {name!r}: the task has no assets folder")
        path = self.assets / name
        root = self.assets.resolve()
        is_inside = path.resolve().is_relative_to(root)
        if not path.is_file() or not is_inside:
            raise ActionError(f"there is no file {name!r} in the assets folder")
        return path
