"""The state of a page, read in one walk over it (js/walker.js)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from iwr.browser.frames import Entry, FrameWalk, joined
from iwr.browser.scripts import script
from iwr.browser.snapshot import (
    EDITABLE,
    TOGGLES,
    Box,
    Node,
    Run,
    Snapshot,
    TextLine,
    lines_of,
)
from iwr.errors import PageError

__all__ = [
    "EDITABLE",
    "HOOK",
    "TOGGLES",
    "WALK",
    "Box",
    "Node",
    "Run",
    "Snapshot",
    "TextLine",
    "lines_of",
    "parse",
    "picture_of",
]

HOOK = script("hook.js")
"""To be installed in every frame before the page's own scripts."""
WALK = script("walker.js")


def parse(text: str, screenshot: bytes = b"", frames: Sequence[FrameWalk] = ()) -> Snapshot:
    """Return the Snapshot in the JSON text that walker.js returned.

    `frames`: what it returned for frames that the page does not see into.
    Raises PageError when the page has tampered with the answer.
    """
    try:
        walks = [(walk, json.loads(walk.text)) for walk in frames]
        entry = joined(json.loads(text), walks)
        snapshot = _snapshot(entry, screenshot)
        sound = _is_sound(snapshot)
    except (KeyError, TypeError, ValueError) as error:
        raise PageError(f"the page cannot be read: {type(error).__name__}: {error}") from error
    if not sound:
        raise PageError("the page cannot be read: the list of its elements makes no sense")
    return snapshot


def _snapshot(entry: Entry, screenshot: bytes) -> Snapshot:
    """Return a state from the walker's entry. Raises KeyError, TypeError, ValueError."""
    return Snapshot(
        nodes=tuple(map(_node, entry["nodes"])),
        runs=tuple(map(_run, entry["runs"])),
        width=int(entry["width"]),
        height=int(entry["height"]),
        scroll=_pair(entry["scroll"]),
        reach=_pair(entry["reach"]),
        address=str(entry["address"]),
        keys=bool(entry["keys"]),
        cut=bool(entry["cut"]),
        screenshot=screenshot,
    )


def _is_sound(snapshot: Snapshot) -> bool:
    """Return whether there are nodes, numbered from 0, and all references are to nodes."""
    count = len(snapshot.nodes)
    for index, node in enumerate(snapshot.nodes):
        if node.index != index or not -1 <= node.parent < index:
            return False
    for run in snapshot.runs:
        if not 0 <= run.node < count or not 0 <= run.block < count:
            return False
    return count > 0


def picture_of(screenshot: bytes, width: int, height: int) -> Snapshot:
    """Return a state of which there is only a picture.

    Nothing on it can be read or acted on by rules.
    """
    root = Node(
        index=0,
        parent=-1,
        uid="picture",
        tag="html",
        role="generic",
        name="",
        box=(0, 0, width, height),
        visible=True,
        in_view=True,
        share=1,
        how=None,
        value=None,
        placeholder="",
        states={},
        hints="",
        marks="",
        look="",
        hovered=False,
        focused=False,
        layer="static",
        path="html",
        options=(),
        scroll_x=None,
        scroll_y=None,
    )
    return Snapshot(
        nodes=(root,),
        runs=(),
        width=width,
        height=height,
        scroll=(0, 0),
        reach=(0, 0),
        address="",
        keys=False,
        cut=False,
        screenshot=screenshot,
    )


def _node(entry: Entry) -> Node:
    """Return an element from the walker's entry."""
    return Node(
        index=entry["i"],
        parent=entry["p"],
        uid=str(entry["u"]),
        tag=str(entry["tag"]),
        role=str(entry["role"]),
        name=str(entry["name"]),
        box=_box(entry["box"]),
        visible=bool(entry["visible"]),
        in_view=bool(entry["inView"]),
        share=float(entry["share"]),
        how=entry["how"],
        value=entry["value"],
        placeholder=str(entry["placeholder"]),
        states=dict(entry["states"]),
        hints=str(entry["hints"]),
        marks=str(entry["marks"]),
        look=str(entry["look"]),
        hovered=bool(entry["hovered"]),
        focused=bool(entry["focused"]),
        layer=str(entry["layer"]),
        path=str(entry["path"]),
        options=tuple(map(str, entry.get("options", ()))),
        scroll_x=_range(entry.get("scrollX")),
        scroll_y=_range(entry.get("scrollY")),
    )


def _run(entry: Entry) -> Run:
    """Return a piece of text from the walker's entry."""
    return Run(
        node=entry["n"],
        text=str(entry["t"]),
        box=_box(entry["box"]),
        seen=bool(entry["seen"]),
        block=entry["block"],
        row=int(entry["row"]),
        kind=str(entry["kind"]),
    )


def _box(values: Iterable[Any]) -> Box:
    """Return a box of CSS pixels from four numbers."""
    x, y, width, height = map(float, values)
    return x, y, width, height


def _pair(values: Iterable[Any]) -> tuple[int, int]:
    """Return two whole CSS pixels."""
    x, y = map(int, values)
    return x, y


def _range(values: Iterable[Any] | None) -> tuple[int, int] | None:
    """Return (position, furthest) of a scroller; None where nothing scrolls."""
    if not values:
        return None
    return _pair(values)
