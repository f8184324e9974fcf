"""Frames of another origin, such as sandboxed ones, which no script of the page sees into.

Each is read on its own, and what is in it is put where the frame is on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.browser.guarded import GuardedPage, Navigated
from iwr.browser.scripts import script
from iwr.errors import ActionError

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Frame, Locator


MOST_FRAMES = 10  # that are looked into
STEP = " ||| "
"""Between the parts of a path: into a frame."""

IS_FOREIGN = """() => {
  const clock = window[Symbol.for("iwr.clock")];
  return !!clock && !clock.shared;
}"""
HOLDER = """element => {
  const key = Symbol.for("iwr.hook");
  let hook = window[key];
  try { hook = window.top[key] || hook; } catch { /* a frame of another origin */ }
  return [hook.number(element), element.clientLeft, element.clientTop];
}"""
FIND = """path => window[Symbol.for("iwr.hook")].find(path)"""

CORNER = """element => {
  const box = element.getBoundingClientRect();
  return [box.x + element.clientLeft, box.y + element.clientTop];
}"""

Point = tuple[float, float]
Entry = dict[str, Any]
"""What walker.js returns, or a part of it."""


class FrameWalk(NamedTuple):
    """What walker.js returned for a frame of another origin."""

    holder: str  # the number of the element that shows the frame, see Node.uid
    border: tuple[float, float]  # CSS pixels, at its left and its top
    text: str  # JSON


async def foreign_frames(page: GuardedPage) -> list[Frame]:
    """Return the frames of another origin, the outer ones first. Raises PageError."""
    frames = []
    for frame in page.page.frames[1 : 1 + MOST_FRAMES]:
        if await in_frame(page, frame, IS_FOREIGN):
            frames.append(frame)
    return frames


async def in_frame(
    page: GuardedPage,
    frame: Frame,
    function: str,
    arg: object = None,
    seconds: float | None = None,
) -> Any:
    """Return the result of a JavaScript function in a frame; None when the frame has gone."""
    try:
        return await page.evaluate(function, arg, frame=frame, seconds=seconds)
    except Navigated:
        return None


async def walk_frames(page: GuardedPage) -> list[FrameWalk]:
    """Return what is in the frames of another origin, the outer ones first. Raises PageError."""
    walks = []
    for frame in await foreign_frames(page):
        text = await in_frame(page, frame, script("walker.js"))
        if text is None:
            continue
        holder = await page.call(frame.frame_element(), "finding the frame")
        number, left, top = await page.call(holder.evaluate(HOLDER), "finding the frame")
        walks.append(FrameWalk(str(number), (float(left), float(top)), str(text)))
    return walks


async def find_element(page: GuardedPage, path: str) -> ElementHandle:
    """Return the element at a path, see walker.js. Raises ActionError when it is gone."""
    *holders, last = path.split(STEP)
    frame: Frame | None = page.page.main_frame
    for holder in holders:
        element = await _find_in(page, frame, holder)
        frame = None
        if element is not None:
            frame = await page.call(element.content_frame(), "finding the frame")
    element = await _find_in(page, frame, last)
    if element is None:
        raise ActionError(f"the element is no longer on the page: {path}")
    return element


async def _find_in(page: GuardedPage, frame: Frame | None, path: str) -> ElementHandle | None:
    """Return the element at a path inside one frame; None when either is gone."""
    if frame is None:
        return None
    handle = await page.call(frame.evaluate_handle(FIND, path), "finding the element")
    return handle.as_element()


async def point_in_page(
    page: GuardedPage, element: ElementHandle | Locator, point: Point, frames: int = 0
) -> Point:
    """Return a point of an element's frame as a point of the page.

    `frames`: out of how many frames around the element the point has been moved already. Raises
    PageError. (Playwright's bounding boxes leave out the borders of frames of another origin.)
    """
    x, y = point
    if await page.call(element.evaluate("() => window === window.top"), "a script"):
        return point
    handle = await page.call(element.evaluate_handle("element => element"), "a script")
    inner = handle.as_element()
    assert inner is not None
    frame = await page.call(inner.owner_frame(), "finding the frame")
    while frame and frame.parent_frame:
        if frames > 0:
            frames -= 1
        else:
            holder = await page.call(frame.frame_element(), "finding the frame")
            left, top = await page.call(holder.evaluate(CORNER), "finding the frame")
            x += left
            y += top
        frame = frame.parent_frame
    return x, y


# ---- joining what was read ---------------------------------------------------------------------


def joined(page: Entry, walks: Sequence[tuple[FrameWalk, Entry]]) -> Entry:
    """Return the page with what is in its frames, in the page's coordinates and in its order.

    A frame whose element the walk of the page did not see is left out.
    """
    for walk, inner in walks:
        holder = _numbered(page["nodes"], walk.holder)
        if holder is not None and holder["visible"]:
            page = _with_frame(page, holder, walk.border, inner)
    return page


def _numbered(nodes: Sequence[Entry], number: str) -> Entry | None:
    """Return the node with the uid `number`; None when the walk did not see it."""
    for node in nodes:
        if node["u"] == number:
            return node
    return None


def _with_frame(page: Entry, holder: Entry, border: Point, inner: Entry) -> Entry:
    """Return the page with the content of one frame as descendants of its element.

    The content follows the element that shows the frame, as it does for frames of the same origin.
    """
    x, y, _, _ = holder["box"]
    left, top = border
    corner = (x + left, y + top)
    whole = dict(page)
    whole["nodes"] = _joined_nodes(page, holder, corner, inner)
    whole["runs"] = _joined_runs(page, holder, corner, inner)
    return whole


def _joined_nodes(page: Entry, holder: Entry, corner: Point, inner: Entry) -> list[Entry]:
    """Return the nodes of the page with those of a frame after its element."""
    first = holder["i"] + 1
    count = len(inner["nodes"])
    before = []
    after = []
    for node in page["nodes"]:
        renumbered = _renumbered_node(node, first, count)
        if node["i"] < first:
            before.append(renumbered)
        else:
            after.append(renumbered)
    inside = [_inner_node(node, holder, corner) for node in inner["nodes"]]
    return before + inside + after


def _joined_runs(page: Entry, holder: Entry, corner: Point, inner: Entry) -> list[Entry]:
    """Return the texts of the page with those of a frame before the ones of later nodes."""
    first = holder["i"] + 1
    count = len(inner["nodes"])
    runs = [_renumbered_run(run, first, count) for run in page["runs"]]
    place = _place_of_runs(page["runs"], first)
    inside = [_inner_run(run, holder, corner) for run in inner["runs"]]
    return runs[:place] + inside + runs[place:]


def _place_of_runs(runs: Sequence[Entry], first: int) -> int:
    """Return before which text those of the node `first` and later ones begin."""
    for place, run in enumerate(runs):
        if run["n"] >= first:
            return place
    return len(runs)


def _renumbered_node(node: Entry, first: int, count: int) -> Entry:
    """Return a node of the page after `count` nodes were put before the node `first`."""
    index = _renumbered(node["i"], first, count)
    parent = _renumbered(node["p"], first, count)
    return {**node, "i": index, "p": parent}


def _renumbered_run(run: Entry, first: int, count: int) -> Entry:
    """Return a text of the page after `count` nodes were put before the node `first`."""
    node = _renumbered(run["n"], first, count)
    block = _renumbered(run["block"], first, count)
    return {**run, "n": node, "block": block}


def _renumbered(index: int, first: int, count: int) -> int:
    """Return the index of a node, moved up when it is `first` or later."""
    if index < first:
        return index
    return index + count


def _inner_node(node: Entry, holder: Entry, corner: Point) -> Entry:
    """Return a node of a frame as one of the page."""
    first = holder["i"] + 1
    moved = dict(node)
    moved["i"] = node["i"] + first
    moved["p"] = node["p"] + first  # that of its root, -1, becomes the frame's element
    moved["box"] = _moved(node["box"], corner)
    moved["inView"] = node["inView"] and holder["inView"]
    moved["path"] = holder["path"] + STEP + node["path"]
    return moved


def _inner_run(run: Entry, holder: Entry, corner: Point) -> Entry:
    """Return a text of a frame as one of the page."""
    first = holder["i"] + 1
    moved = dict(run)
    moved["n"] = run["n"] + first
    moved["block"] = run["block"] + first
    moved["box"] = _moved(run["box"], corner)
    moved["seen"] = run["seen"] and holder["inView"]
    return moved


def _moved(box: Sequence[float], corner: Point) -> list[float]:
    """Return a box of a frame in the coordinates of the page; `corner` is where it shows."""
    x, y, width, height = box
    left, top = corner
    return [x + left, y + top, width, height]
