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
PASS = """ms => window[Symbol.for("iwr.clock")].pass(ms)"""
IN_FOREIGN_FRAME = """element => {
  if (window === window.top || window.frameElement) return null;
  const box = element.getBoundingClientRect();
  return [box.x, box.y];
}"""


async def place(tab: Tab, element: Element, share: Point | None = None) -> Point:
    """Return where a person could click the element, in the viewport of the page.

    `share` asks for a point of its box, (0, 0) its top left and (1, 1) its bottom right corner.
    """
    if share is None:
        return await _reach_in_frame(tab, element)
    box = await tab.call(element.bounding_box(), "finding the element")
    if box is None:
        raise ActionError("the element is not visible")
    return box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"]


async def _reach_in_frame(tab: Tab, element: Element) -> Point:
    """Return what `reach` returns; in a frame of another origin that is relative to the frame."""
    x, y = await reach(tab, element)
    corner = await tab.call(element.evaluate(IN_FOREIGN_FRAME), "finding the element")
    box = await tab.call(element.bounding_box(), "finding the element") if corner else None
    if box is None:
        return x, y
    return x + box["x"] - corner[0], y + box["y"] - corner[1]


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
    point = target if isinstance(target, tuple) else await place(tab, target)
    await hover(tab, point)
    await tab.call(tab.page.mouse.down(button=button), "pressing the mouse button")
    await (wait(seconds) if wait else pass_time(tab, seconds))
    await tab.call(tab.page.mouse.up(button=button), "releasing the mouse button")
    return point


async def drag(
    tab: Tab, path: Sequence[Point], *, move: Move | None = None, wait: Wait | None = None
) -> None:
    """Press the mouse button at the first point, move to the others, release it at the last.

    `move` moves the mouse to a point, `wait` lets seconds pass; a recording has its own.
    """
    start, *_ = path
    await hover(tab, start)
    await tab.call(tab.page.mouse.down(), "pressing the mouse button")
    await (wait(REST_SECONDS) if wait else pass_time(tab, REST_SECONDS))
    for before, after in pairwise(path):
        await (move(after) if move else _move_in_steps(tab, before, after))
    await (wait(REST_SECONDS) if wait else pass_time(tab, REST_SECONDS))
    await tab.call(tab.page.mouse.up(), "releasing the mouse button")


async def _move_in_steps(tab: Tab, start: Point, end: Point) -> None:
    for step in range(1, DRAG_STEPS + 1):
        await hover(tab, between(start, end, step / DRAG_STEPS))
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
    content = {
        "name": file.name,
        "mimeType": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "buffer": file.read_bytes(),
    }
    chooser: asyncio.Future[FileChooser] = asyncio.get_running_loop().create_future()

    def note(dialog: FileChooser) -> None:
        if not chooser.done():
            chooser.set_result(dialog)

    tab.page.on("filechooser", note)
    try:
        point = target if isinstance(target, tuple) else await place(tab, target)
        await click(tab, point)
        await asyncio.wait([chooser], timeout=REST_SECONDS)
        if not chooser.done():
            await tab.settle()  # the page may open it later
            await asyncio.wait([chooser], timeout=DIALOG_SECONDS)
    finally:
        tab.page.remove_listener("filechooser", note)
    if not chooser.done():
        raise ActionError("the click opens no file dialog")
    await tab.call(chooser.result().set_files(content), "choosing a file")  # type: ignore[arg-type]
    return point
