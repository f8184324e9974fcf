"""Everything that a person could read or act on in one state of a page.

Boxes are (x, y, width, height) in CSS pixels of the viewport, also for what is outside it or in a
same-origin frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

Box = tuple[float, float, float, float]
EDITABLE = {"textbox", "searchbox", "spinbutton"}
TOGGLES = {"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"}
FLOWING = ("text", "pseudo")


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One rendered element.

    `how` says why a person could act on it: semantic (a native or ARIA control), listener (its
    own), class (`btn`), pointer (the outermost element with that cursor), under (below a listening
    element), page (only the document or window listens). None: nothing suggests that it reacts.
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
        """The middle of the box, CSS pixels of the viewport."""
        x, y, width, height = self.box
        return x + width / 2, y + height / 2

    @property
    def area(self) -> float:
        """Square CSS pixels of the box."""
        _, _, width, height = self.box
        return width * height


class Run(NamedTuple):
    """A piece of text on the page."""

    node: int  # the element that holds it
    text: str
    box: Box
    seen: bool  # in view, not clipped, transparent or covered
    block: int  # nearest block element: runs of one block form a line of text …
    row: int  # … unless a line break is between them
    kind: str  # text | pseudo | value | placeholder


class TextLine(NamedTuple):
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
    screenshot: bytes = field(default=b"", repr=False)  # PNG of the same moment, if one was taken

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Indices of each node's children."""
        lists: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            if node.parent >= 0:
                lists[node.parent].append(node.index)
        return tuple(map(tuple, lists))

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Index after the last descendant of each node.

        The subtree of a node is `nodes[index:ends[index]]`.
        """
        count = len(self.nodes)
        ends = list(range(1, count + 1))
        for node in reversed(self.nodes):
            parent = node.parent
            if parent >= 0:
                end = ends[node.index]
                ends[parent] = max(ends[parent], end)
        return tuple(ends)

    @cached_property
    def lines(self) -> tuple[TextLine, ...]:
        """All text, seen or not, line by line."""
        return lines_of(self.runs)

    @cached_property
    def seen_lines(self) -> tuple[TextLine, ...]:
        """What a person can read now."""
        return lines_of(seen_runs(self.runs))

    @cached_property
    def by_uid(self) -> dict[str, Node]:
        """The nodes by their numbers in the document."""
        return {node.uid: node for node in self.nodes}

    @cached_property
    def _runs_under(self) -> list[list[Run]]:
        """For each node, the text inside it and inside its descendants."""
        lists: list[list[Run]] = [[] for _ in self.nodes]
        for run in self.runs:
            index = run.node
            while index >= 0:
                lists[index].append(run)
                index = self.nodes[index].parent
        return lists

    def within(self, index: int, ancestor: int) -> bool:
        """Return whether a node is `ancestor` or below it."""
        return ancestor <= index < self.ends[ancestor]

    def subtree(self, node: Node) -> tuple[Node, ...]:
        """Return a node and all below it."""
        return self.nodes[node.index : self.ends[node.index]]

    def lines_in(self, node: Node, seen: bool = False) -> tuple[TextLine, ...]:
        """Return the text below `node`; with `seen` only what a person can read now."""
        runs = self._runs_under[node.index]
        if seen:
            runs = seen_runs(runs)
        return lines_of(runs)

    def text(self, node: Node, seen: bool = False) -> str:
        """Return the text below `node`, lines joined by spaces."""
        lines = self.lines_in(node, seen)
        return " ".join(line.text for line in lines)

    def label(self, node: Node) -> str:
        """Return the accessible name, else text, placeholder, or what the attributes tell."""
        label = node.name or self.text(node) or node.placeholder or node.hints
        return " ".join(label.split())

    def ancestors(self, node: Node) -> Iterator[Node]:
        """Yield the node's parent, its parent, up to the root."""
        while node.parent >= 0:
            node = self.nodes[node.parent]
            yield node

    def common(self, a: Node, b: Node) -> Node:
        """Return the nearest common ancestor (one of them, when it holds the other)."""
        common = a
        while not self.within(b.index, common.index):
            common = self.nodes[common.parent]
        return common

    def branch(self, node: Node, ancestor: Node) -> Node:
        """Return the child of `ancestor` that holds `node`, or `ancestor` itself."""
        while node.index != ancestor.index and node.parent != ancestor.index:
            node = self.nodes[node.parent]
        return node

    @cached_property
    def candidates(self) -> tuple[Node, ...]:
        """What a person could act on, in view or not."""
        return tuple(node for node in self.nodes if node.how and node.visible)


def seen_runs(runs: Iterable[Run]) -> list[Run]:
    """Return what a person can read now."""
    return [run for run in runs if run.seen]


def lines_of(runs: Iterable[Run]) -> tuple[TextLine, ...]:
    """Return runs in document order, joined where they belong to one block."""
    groups: list[list[Run]] = []
    for run in runs:
        group = groups[-1] if groups else []
        if group and _continues(group[-1], run):
            group.append(run)
        else:
            groups.append([run])
    return tuple(map(_line, groups))


def _continues(last: Run, run: Run) -> bool:
    """Return whether `run` follows `last` in the same line of text."""
    same_row = last.block == run.block and last.row == run.row
    return same_row and last.kind in FLOWING and run.kind in FLOWING


def _line(runs: list[Run]) -> TextLine:
    """Return consecutive runs of one block as a line, blanks collapsed."""
    first = runs[0]
    words = "".join(run.text for run in runs).split()
    boxes = [run.box for run in runs]
    text = " ".join(words)
    return TextLine(first.block, text, _union(boxes), tuple(runs))


def _union(boxes: list[Box]) -> Box:
    """Return the smallest box around all."""
    left, top, width, height = boxes[0]
    right = left + width
    bottom = top + height
    for x, y, width, height in boxes[1:]:
        left = min(left, x)
        top = min(top, y)
        right = max(right, x + width)
        bottom = max(bottom, y + height)
    return left, top, right - left, bottom - top
