"""Gestures that last or have several parts: hover, hold, drag, wheel over a place, upload.

Like the actions in `input.py`, none waits for its effect, and each raises ActionError when a
person could not do it, PageError when the page hangs or crashes.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from iwr.browser.frames import point_in_page
from iwr.browser.guarded import Navigated
from iwr.browser.input import click, hover, reach
from iwr.errors import ActionError

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, FileChooser, Locator

    from iwr.browser.page import Tab

    Element = Locator | ElementHandle
    Target = Element | tuple[float, float]

Point = tuple[float, float]
Button = Literal["left", "middle", "right"]
Move = Callable[[Point], Awaitable[None]]
Wait = Callable[[float], Awaitable[None]]

DRAG_STEPS = 12  # mouse moves between two points of a drag
DIALOG_SECONDS = 3.0  # real ones, in which a file dialog opens after a click
STEP_SECONDS = 0.04
REST_SECONDS = 0.15  # the mouse rests after the button went down, and before it goes up
HOVER_SECONDS = 0.5  # menus with a delay open within it
BOX = """element => {
  const box = element.getBoundingClientRect();
  return box.width && box.height ? [box.x, box.y, box.width, box.height] : null;
}"""
PASS = """ms => window[Symbol.for("iwr.clock")].pass(ms)"""


async def place(tab: Tab, element: Element, share: Point | None = None) -> Point:
    """Return where a person could click the element, in the viewport of the page.

    `share` asks for a point of its box, (0, 0) its top left and (1, 1) its bottom right corner.
    """
    if share is None:
        return await reach(tab, element)
    box = await tab.call(element.evaluate(BOX), "finding the element")
    if box is None:
        raise ActionError("the element is not visible")
    left, top, width, height = box
    point = (left + share[0] * width, top + share[1] * height)
    return await point_in_page(tab, element, point)


async def pass_time(tab: Tab, seconds: float) -> None:
    """Let time pass for the page: virtual time, or real time in a recording."""
    with suppress(Navigated):
        await tab.evaluate(PASS, seconds * 1000, seconds=seconds + tab.limits.call)


async def hold(
    tab: Tab,
    target: Target,
    seconds: float,
    *,
    button: Button = "left",
    wait: Wait | None = None,
) -> Point:
    """Press the mouse button for so long. Return the point.

    `wait` lets seconds pass in place of `pass_time`; a recording has its own.
    """
    mouse = tab.page.mouse
    point = await _point(tab, target)
    await hover(tab, point)
    await tab.call(mouse.down(button=button), "pressing the mouse button")
    await _wait(tab, seconds, wait)
    await tab.call(mouse.up(button=button), "releasing the mouse button")
    return point


async def _point(tab: Tab, target: Target) -> Point:
    """Return a place on the page; a mark on it is looked up."""
    if isinstance(target, tuple):
        return target
    return await place(tab, target)


async def _wait(tab: Tab, seconds: float, wait: Wait | None) -> None:
    """Let time pass, in the way of a recording where it gives one."""
    if wait is None:
        await pass_time(tab, seconds)
    else:
        await wait(seconds)


async def drag(
    tab: Tab, path: Sequence[Point], *, move: Move | None = None, wait: Wait | None = None
) -> None:
    """Press the mouse button at the first point, move to the others, release it at the last.

    `move` moves the mouse to a point, `wait` lets seconds pass; a recording has its own.
    """
    start, *_ = path
    await hover(tab, start)
    mouse = tab.page.mouse
    await tab.call(mouse.down(), "pressing the mouse button")
    await _wait(tab, REST_SECONDS, wait)
    for before, after in pairwise(path):
        if move is None:
            await _move_in_steps(tab, before, after)
        else:
            await move(after)
    await _wait(tab, REST_SECONDS, wait)
    await tab.call(mouse.up(), "releasing the mouse button")


async def _move_in_steps(tab: Tab, start: Point, end: Point) -> None:
    """Move the pointer along a straight line, with time between the steps."""
    for step in range(1, DRAG_STEPS + 1):
        share = step / DRAG_STEPS
        point = between(start, end, share)
        await hover(tab, point)
        await pass_time(tab, STEP_SECONDS)


def between(start: Point, end: Point, share: float) -> Point:
    """Return the point on the straight way from `start` to `end`, after a share of it."""
    x = start[0] + (end[0] - start[0]) * share
    y = start[1] + (end[1] - start[1]) * share
    return x, y


async def upload(tab: Tab, target: Target, file: Path) -> Point:
    """Click what opens a file dialog and choose `file` there. Return the clicked point.

    Raises ActionError when no dialog opens.
    """
    kind, _ = mimetypes.guess_type(file.name)
    content = {
        "name": file.name,
        "mimeType": kind or "application/octet-stream",
        "buffer": file.read_bytes(),
    }
    loop = asyncio.get_running_loop()
    chooser: asyncio.Future[FileChooser] = loop.create_future()

    def note(dialog: FileChooser) -> None:
        if not chooser.done():
            chooser.set_result(dialog)

    tab.page.on("filechooser", note)
    try:
        point = await _point(tab, target)
        await click(tab, point)
        await asyncio.wait([chooser], timeout=REST_SECONDS)
        if not chooser.done():
            await tab.settle()  # the page may open it later
            await asyncio.wait([chooser], timeout=DIALOG_SECONDS)
    finally:
        tab.page.remove_listener("filechooser", note)
    if not chooser.done():
        raise ActionError("the click opens no file dialog")
    work = chooser.result().set_files(content)  # type: ignore[arg-type]
    await tab.call(work, "choosing a file")
    return point
