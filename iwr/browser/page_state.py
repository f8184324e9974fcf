"""What stands on a page: everything a person could read or act on, found in one walk (walker.js).

Boxes are (x, y, width, height) in CSS pixels of the viewport, also for what lies outside it or in a same-origin frame.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from iwr.browser.scripts import script
from iwr.errors import PageError

HOOK = script("hook.js")
"""To be installed in every frame before the page's own scripts."""
WALK = script("walker.js")

Box = tuple[float, float, float, float]
EDITABLE = {"textbox", "searchbox", "spinbutton"}
TOGGLES = {"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"}
FLOWING = ("text", "pseudo")


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One rendered element. `how` says why a person could act on it; None: nothing suggests that it reacts.

    semantic (a native or ARIA control) · listener (its own) · class (`btn`) · pointer (outermost with that cursor) ·
    under (below a listening element) · page (only the document or window listens).
    """

    index: int
    parent: int  # index, -1 for the root
    uid: str  # the same element has the same uid in every walk of one document
    tag: str
    role: str
    name: str  # accessible name, without the text content
    box: Box
    visible: bool  # painted, in view or not
    in_view: bool
    share: float  # visible part of the box, 0..1
    how: str | None
    value: str | None
    placeholder: str
    states: dict[str, str]  # ARIA and native states as strings
    hints: str  # id, class, data-*, file name of an image …
    marks: str  # all attributes but `value`, to see whether a script changed them
    look: str  # computed colours, weight, decoration …
    hovered: bool
    focused: bool
    layer: str  # CSS position
    path: str  # CSS path; " >>> " steps into a shadow root, " ||| " into a frame
    options: tuple[str, ...]  # of a <select>
    scroll_x: tuple[int, int] | None  # (position, furthest) of an inner scroller
    scroll_y: tuple[int, int] | None

    @property
    def center(self) -> tuple[float, float]:
        return self.box[0] + self.box[2] / 2, self.box[1] + self.box[3] / 2

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]


class Run(NamedTuple):
    """A piece of text on the page."""

    node: int  # the element that holds it
    text: str
    box: Box
    seen: bool  # in view, not clipped, transparent or covered
    block: int  # nearest block element: runs of one block form a line of text …
    row: int  # … unless a line break stands between them
    kind: str  # text | pseudo | value | placeholder


class Line(NamedTuple):
    """Text that reads in one go: the consecutive runs of one block."""

    node: int  # the block
    text: str
    box: Box
    runs: tuple[Run, ...]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One walk over a page. `nodes` in document order, parents before children."""

    nodes: tuple[Node, ...]
    runs: tuple[Run, ...]
    width: int
    height: int
    scroll: tuple[int, int]  # of the window
    reach: tuple[int, int]  # furthest scroll of the window
    address: str
    keys: bool  # something on the page listens to the keyboard
    cut: bool  # the page has more elements than were read
    screenshot: bytes = field(
        default=b"", repr=False
    )  # PNG of the same moment, where one was taken

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        lists: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            if node.parent >= 0:
                lists[node.parent].append(node.index)
        return tuple(tuple(indices) for indices in lists)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Index after the last descendant of each node: its subtree is `nodes[index:ends[index]]`."""
        ends = [node.index + 1 for node in self.nodes]
        for node in reversed(self.nodes):
            if node.parent >= 0:
                ends[node.parent] = max(ends[node.parent], ends[node.index])
        return tuple(ends)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All text, seen or not, line by line."""
        return lines_of(self.runs)

    @cached_property
    def seen_lines(self) -> tuple[Line, ...]:
        """What a person can read now."""
        return lines_of(run for run in self.runs if run.seen)

    @cached_property
    def by_uid(self) -> dict[str, Node]:
        return {node.uid: node for node in self.nodes}

    @cached_property
    def _runs_under(self) -> list[list[Run]]:
        lists: list[list[Run]] = [[] for _ in self.nodes]
        for run in self.runs:
            index = run.node
            while index >= 0:
                lists[index].append(run)
                index = self.nodes[index].parent
        return lists

    def within(self, index: int, ancestor: int) -> bool:
        return ancestor <= index < self.ends[ancestor]

    def subtree(self, node: Node) -> tuple[Node, ...]:
        return self.nodes[node.index : self.ends[node.index]]

    def lines_in(self, node: Node, seen: bool = False) -> tuple[Line, ...]:
        return lines_of(run for run in self._runs_under[node.index] if run.seen or not seen)

    def text(self, node: Node, seen: bool = False) -> str:
        """All text below `node`, lines joined by spaces."""
        return " ".join(line.text for line in self.lines_in(node, seen))

    def label(self, node: Node) -> str:
        """Accessible name, else text, placeholder, or what its attributes tell."""
        return " ".join((node.name or self.text(node) or node.placeholder or node.hints).split())

    def ancestors(self, node: Node) -> Iterator[Node]:
        while node.parent >= 0:
            node = self.nodes[node.parent]
            yield node

    def common(self, a: Node, b: Node) -> Node:
        """Their nearest common ancestor (one of them, when it holds the other)."""
        while not self.within(b.index, a.index):
            a = self.nodes[a.parent]
        return a

    def branch(self, node: Node, ancestor: Node) -> Node:
        """The child of `ancestor` that holds `node`, or `ancestor` itself."""
        while node.index != ancestor.index and node.parent != ancestor.index:
            node = self.nodes[node.parent]
        return node

    @cached_property
    def candidates(self) -> tuple[Node, ...]:
        """What a person could act on, in view or not."""
        return tuple(node for node in self.nodes if node.how and node.visible)


def lines_of(runs: Iterable[Run]) -> tuple[Line, ...]:
    """Runs in document order, joined where they belong to one block."""
    groups: list[list[Run]] = []
    for run in runs:
        last = groups[-1][-1] if groups else None
        flows = (
            last is not None
            and (last.block, last.row) == (run.block, run.row)
            and last.kind in FLOWING
            and run.kind in FLOWING
        )
        groups[-1].append(run) if flows else groups.append([run])
    return tuple(_line(group) for group in groups)


def _line(runs: list[Run]) -> Line:
    left, top = min(run.box[0] for run in runs), min(run.box[1] for run in runs)
    right, bottom = (
        max(run.box[0] + run.box[2] for run in runs),
        max(run.box[1] + run.box[3] for run in runs),
    )
    text = " ".join("".join(run.text for run in runs).split())
    return Line(runs[0].block, text, (left, top, right - left, bottom - top), tuple(runs))


def parse(text: Any, screenshot: bytes = b"") -> Snapshot:
    """A Snapshot from the JSON that walker.js returned. Raises PageError when the page has tampered with the answer."""
    try:
        raw = json.loads(text)
        nodes = tuple(_node(entry) for entry in raw["nodes"])
        runs = tuple(
            Run(
                r["n"],
                str(r["t"]),
                _box(r["box"]),
                bool(r["seen"]),
                r["block"],
                int(r["row"]),
                str(r["kind"]),
            )
            for r in raw["runs"]
        )
        snapshot = Snapshot(
            nodes,
            runs,
            int(raw["width"]),
            int(raw["height"]),
            _pair(raw["scroll"]),
            _pair(raw["reach"]),
            str(raw["address"]),
            bool(raw["keys"]),
            bool(raw["cut"]),
            screenshot,
        )
        sound = all(
            node.index == i and -1 <= node.parent < i for i, node in enumerate(nodes)
        ) and all(0 <= run.node < len(nodes) and 0 <= run.block < len(nodes) for run in runs)
    except (KeyError, TypeError, ValueError) as error:
        raise PageError(f"the page cannot be read: {type(error).__name__}: {error}") from error
    if not sound or not nodes:
        raise PageError("the page cannot be read: the list of its elements makes no sense")
    return snapshot


def picture_of(screenshot: bytes, width: int, height: int) -> Snapshot:
    """A state of which there is only a picture: nothing on it can be read or acted on by rules."""
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
    return Snapshot((root,), (), width, height, (0, 0), (0, 0), "", False, False, screenshot)


def _node(entry: dict[str, Any]) -> Node:
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


def _box(values: Any) -> Box:
    x, y, width, height = map(float, values)
    return x, y, width, height


def _pair(values: Any) -> tuple[int, int]:
    x, y = map(int, values)
    return x, y


def _range(values: Any) -> tuple[int, int] | None:
    return _pair(values) if values else None
