"""Actions done to a page by mouse and keyboard, as a gesture says.

What cannot be done is refused with an ActionError, never done as a plain click.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iwr.browser import gestures
from iwr.browser import input as actions
from iwr.browser.dialogs import DialogReply
from iwr.browser.frames import find_element
from iwr.contract.schema import Verb
from iwr.errors import ActionError, JudgeError
from iwr.records import Action, Gesture, Grounding

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

    from iwr.browser.page import Tab

Point = tuple[float, float]

HELD_SECONDS = 1.0  # where nothing says how long


async def perform(tab: Tab, action: Action, grounding: Grounding) -> Point | None:
    """Do the gesture of a grounding. Return the point acted on, in CSS pixels.

    Raises ActionError when a person could not do it, JudgeError when the record of an earlier
    version does not say how `action` was done, PageError, BrowserError.
    """
    if grounding.gesture is None:
        raise JudgeError(
            f"the record does not say how the {action.type} was done",
            hint="judge the page again with the judge that is repeated",
        )
    performer = Performer(tab)
    return await performer.act(grounding.gesture, grounding.locator)


class Performer:
    """Does gestures to the page of a tab. Elements are given by their locators, see walker.js."""

    def __init__(self, tab: Tab):
        """Act in `tab`, whose page must have been loaded with hook.js."""
        self.tab = tab

    async def act(self, gesture: Gesture, locator: str | None) -> Point | None:
        """Do a gesture and return the point acted on. Raises ActionError, JudgeError, PageError."""
        await self.prepare(gesture)
        return await self.do(gesture, locator)

    async def prepare(self, gesture: Gesture) -> None:
        """Plan the answers to dialogs, and do what comes before the gesture itself.

        The answers are planned first, since a dialog stops the page until it is answered.
        """
        replies = []
        for accept, text in gesture.replies:
            replies.append(DialogReply(accept, text))
        self.tab.dialogs.plan(replies)
        for verb, path in gesture.first:
            await self.reveal(verb, path)

    async def do(self, gesture: Gesture, locator: str | None) -> Point | None:
        """Do the gesture itself, as `act` does."""
        if gesture.verb == Verb.PRESS:
            await self._press(gesture)
            return None
        if gesture.verb == Verb.SCROLL:
            await self._scroll(gesture, locator)
            return None
        element = await self.element(locator)
        match gesture.verb:
            case Verb.TYPE:
                return await self._type(gesture, element)
            case Verb.SELECT:
                await actions.select(self.tab, element, gesture.text or "")
                return None
            case Verb.DRAG:
                return await self._drag(gesture, element)
            case Verb.CLICK | Verb.DOUBLE_CLICK | Verb.RIGHT_CLICK:
                return await self._click(gesture, element)
            case _:
                return await self._point_and(gesture, element)

    async def reveal(self, verb: str, locator: str) -> None:
        """Do what makes another element appear: hover over a menu, or click to open a list.

        Then wait as a person would: a menu may open late. Raises ActionError, PageError.
        """
        element = await self.element(locator)
        point = await gestures.place(self.tab, element)
        if verb == Verb.HOVER:
            await actions.hover(self.tab, point)
            await gestures.pass_time(self.tab, gestures.HOVER_SECONDS)
        else:
            await actions.click(self.tab, point)
            await self.tab.settle()

    async def element(self, locator: str | None) -> ElementHandle:
        """Return the element at a locator.

        Raises ActionError when it is gone, JudgeError when there is no locator.
        """
        if locator is None:
            raise JudgeError("nothing says what is acted on")
        return await find_element(self.tab, locator)

    # ---- the verbs -------------------------------------------------------------------------

    async def _click(self, gesture: Gesture, element: ElementHandle) -> Point:
        """Click, once or several times, with the button of the gesture."""
        count = gesture.count
        button = gesture.button
        if gesture.verb == Verb.DOUBLE_CLICK:
            count = 2
        if gesture.verb == Verb.RIGHT_CLICK:
            button = "right"
        point = await gestures.place(self.tab, element, gesture.at)
        await actions.click(self.tab, point, count=count, button=button)
        return point

    async def _point_and(self, gesture: Gesture, element: ElementHandle) -> Point:
        """Do what else needs one point: hovering, holding, choosing a file.

        Raises ActionError where a person could not reach the point, or there is no such verb.
        """
        tab = self.tab
        point = await gestures.place(tab, element, gesture.at)
        match gesture.verb:
            case Verb.HOVER:
                await actions.hover(tab, point)
            case Verb.HOLD:
                seconds = gesture.seconds or HELD_SECONDS
                await gestures.hold(tab, point, seconds, button=gesture.button)
            case Verb.UPLOAD:
                file = self._asset(gesture.text or "")
                await gestures.upload(tab, point, file)
            case _:
                raise ActionError(f"the action {gesture.verb!r} cannot be performed")
        return point

    async def _press(self, gesture: Gesture) -> None:
        """Press the keys one after the other, to whatever has the focus."""
        for _ in range(gesture.count):
            for key in gesture.keys:
                await actions.press(self.tab, key)

    async def _type(self, gesture: Gesture, element: ElementHandle) -> Point | None:
        """Type into a field, then press the keys of the gesture, such as Enter."""
        text = gesture.text or ""
        point = await actions.type_text(self.tab, element, text, clear=gesture.clear)
        await self._press(gesture)
        return point

    async def _scroll(self, gesture: Gesture, locator: str | None) -> None:
        """Turn the wheel over an element, or over the page where there is no locator."""
        if gesture.wheel is None:
            raise JudgeError("nothing says how far to scroll")
        over = None
        if locator:
            over = await self.element(locator)
        await actions.scroll(self.tab, *gesture.wheel, over)

    async def _drag(self, gesture: Gesture, element: ElementHandle) -> Point:
        """Drag an element to another one, or along a path.

        The path is relative to the start, in CSS pixels. Return the start.
        """
        start = await gestures.place(self.tab, element, gesture.at)
        x, y = start
        path = [start]
        if gesture.drop is not None:
            target = await self.element(gesture.drop)
            end = await gestures.place(self.tab, target, gesture.drop_at)
            path.append(end)
        for dx, dy in gesture.path:
            path.append((x + dx, y + dy))
        if len(path) == 1:
            raise JudgeError("nothing says where the drag ends")
        await gestures.drag(self.tab, path)
        return start

    def _asset(self, name: str) -> Path:
        """Return a file of the task's assets. Raises JudgeError when it is not there."""
        folder = self.tab.interceptor.site.assets
        is_in_folder = Path(name).name == name  # not in another one, such as ".."
        if folder is not None and is_in_folder:
            file = folder / name
            if file.is_file():
                return file
        raise JudgeError(f"the task has no file {name!r} to upload")
