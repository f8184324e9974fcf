"""An element described as a person sees it, and found again on another page.

Tags, classes, attributes and the order of the markup do not count. What counts, in this order: the
kind of element and its label, the texts around it, its place among its like, where it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.elements import (
    alike,
    beside,
    container_of,
    is_reachable,
    kind_of,
    label_of,
    outermost,
    picture_of,
)
from iwr.contract.geometry import overlap, rows_of, share_of_diagonal, similar_size
from iwr.contract.labels import label_points
from iwr.contract.reading import Passage, passages, plain, worded
from iwr.contract.schema import Point, Target, Verb

NEAR = 0.15  # of the diagonal of the viewport
CLEAR_LEAD = 0.75  # points between the best candidate and the next
LEAST_POINTS = 3.0  # for an element without a readable label
SAME_SPOT = 0.01  # of the diagonal: two candidates as near as that are a tie

KIND_POINTS = 2.0
ROLE_POINTS = 0.5
HOW_POINTS = 0.25
CONTEXT_POINTS = 6.0  # for the nearest text around the target, less for the others
CONTAINER_POINTS = 1.0
PLACE_POINTS = 1.0
COUNT_POINTS = 0.5

COMPATIBLE = {
    "field": {"field", "choice", "slider"},
    "choice": {"choice", "field", "button"},
    "slider": {"slider", "field", "button", "other"},
    "toggle": {"toggle", "button", "picture", "other"},
    "file": {"file", "button"},
    "button": {"button", "choice", "toggle", "picture", "file", "other"},
    "picture": {"picture", "button", "other"},
    "other": {"other", "button", "picture", "toggle", "choice", "field"},
}
"""Kind of a target -> kinds of elements that another page may use for it."""
INPUTS = {
    Verb.TYPE: {"field", "choice", "slider"},
    Verb.SELECT: {"choice", "field"},
}


class Match(NamedTuple):
    """What fits a target: a node, or the reason why there is none. `tied`: several fit as well."""

    node: Node | None
    reason: str = ""
    tied: bool = False


class Cell(NamedTuple):
    """The place of an element among its like: its number, and its row and column (0-based)."""

    number: int
    row: int
    column: int


# ---- describing --------------------------------------------------------------------------


def describe_target(snapshot: Snapshot, node: Node) -> Target:
    """Return how a person would tell `node` from everything else on the page."""
    label = label_of(snapshot, node)
    container, container_role = container_of(snapshot, node)
    like = alike(
        snapshot,
        node,
        _rivals(snapshot, node),
    )
    cell = _cell(like, node)
    name = node.name
    if plain(name) == plain(label):
        name = ""
    return Target(
        label=label,
        name=name,
        placeholder=node.placeholder,
        picture=picture_of(node),
        role=node.role,
        kind=kind_of(node),
        states=node.states,
        beside=beside(snapshot, node),
        container=container,
        container_role=container_role,
        index=cell.number,
        count=len(like),
        row=cell.row,
        column=cell.column,
        box=node.box,
        viewport=(snapshot.width, snapshot.height),
        how=node.how,
    )


def _rivals(snapshot: Snapshot, node: Node) -> list[Node]:
    """Return what `node` is told from: elements that react or, where it does not, all."""
    if not node.how:
        return _reachable(snapshot)
    rivals = _reactive(snapshot)
    if node not in rivals:
        rivals.append(node)
    return rivals


def _reachable(page: Snapshot) -> list[Node]:
    """Return everything that a person could point at, without the page itself."""
    return [node for node in page.nodes[1:] if is_reachable(node)]


def _reactive(page: Snapshot) -> list[Node]:
    return [node for node in _reachable(page) if node.how]


def _cell(like: Sequence[Node], node: Node) -> Cell:
    """Return the place of a node in the rows that its like form."""
    number = 0
    for row, members in enumerate(rows_of(like)):
        for column, member in enumerate(members):
            if member.index == node.index:
                return Cell(
                    number,
                    row,
                    column,
                )
            number += 1
    return Cell(
        0,
        0,
        0,
    )


# ---- finding -----------------------------------------------------------------------------


def find(
    target: Target,
    page: Snapshot,
    verb: Verb | None = None,
) -> Match:
    """Return the element of `page` that a person would take for `target`."""
    for pool in (_reactive(page), _reachable(page)):
        search = TargetSearch(
            target,
            page,
            pool,
            verb,
        )
        if search.candidates:
            return search.choose()
    return Match(None, f"no {_noun(target)} on the page")


def all_like(target: Target, page: Snapshot) -> list[Node]:
    """Return the elements in view that look like `target`: its like on this page."""
    pool = [node for node in _reachable(page) if node.in_view]
    fitting = TargetSearch(
        target,
        page,
        pool,
    ).fitting
    if target.box and not _is_named(target):
        box = target.box
        fitting = [node for node in fitting if similar_size(box, node.box)]
    same_kind = [node for node in fitting if kind_of(node) == target.kind]
    nodes = same_kind or fitting
    return (
        outermost(
            page,
            nodes,
            nodes[-1],
        )
        if nodes
        else []
    )


def _is_named(target: Target) -> bool:
    """Return whether a person could name the target by what is written or shown on it."""
    texts = (target.label, target.placeholder, target.picture)
    return any(map(worded, texts))


def _noun(target: Target) -> str:
    name = target.label or target.name or target.placeholder
    if name:
        return f"element {name!r}"
    kind = target.kind or "element"
    if not target.beside:
        return f"{kind} like the recorded one"
    return f"{kind} beside {target.beside[0]!r}"


class TargetSearch:
    """The search for one target on one page. `fitting` are the nodes of its kind and label.

    Of each nest of fitting nodes `candidates` has the one that fits best, else the innermost.
    """

    def __init__(
        self,
        target: Target,
        page: Snapshot,
        pool: Sequence[Node],
        verb: Verb | None = None,
    ):
        self.target = target
        self.page = page
        self.verb = verb
        self.points: dict[int, float] = {}
        self.fitting = [node for node in pool if self._fits(node)]
        self.candidates = self._without_wrappers()

    def _fits(self, node: Node) -> bool:
        """Return whether kind and label let `node` be the target, and note its points."""
        kind = kind_of(node)
        if self.verb in INPUTS and kind not in INPUTS[self.verb]:
            return False
        expected = self.target.kind
        if expected and kind not in COMPATIBLE.get(expected, {expected}):
            return False
        points = label_points(
            self.target,
            self.page,
            node,
        )
        if points is None:
            return False
        if kind == expected:
            points += KIND_POINTS
        if node.role == self.target.role:
            points += ROLE_POINTS
        if node.how == self.target.how:
            points += HOW_POINTS
        self.points[node.index] = points
        return True

    def _without_wrappers(self) -> list[Node]:
        kept: list[Node] = []
        for node in sorted(self.fitting, key=lambda entry: -entry.index):
            inner = [entry for entry in kept if self.page.within(entry.index, node.index)]
            best_inside = max((self.points[entry.index] for entry in inner), default=-math.inf)
            if self.points[node.index] > best_inside:
                kept = [entry for entry in kept if entry not in inner]
                kept.append(node)
        return kept

    # ---- choosing ----------------------------------------------------------------------

    def choose(self) -> Match:
        """Return the best candidate: there must be one."""
        self._add_context()
        for node in self.candidates:
            self._add_place(node)
        ranking = sorted(self.candidates, key=self._rank)
        best = ranking[0]
        best_points = self.points[best.index]
        if best_points < LEAST_POINTS and not _is_named(self.target):
            return Match(None, f"no {_noun(self.target)} on the page")
        least = best_points - CLEAR_LEAD
        equals = [node for node in ranking if self.points[node.index] > least]
        return self._nearest(equals)

    def _rank(self, node: Node) -> float:
        return -self.points[node.index]

    def _add_context(self) -> None:
        """Reward the candidates that are closest to the texts around the target."""
        for place, text in enumerate(self.target.beside):
            self._reward_closeness(text, CONTEXT_POINTS / (1 + place))
        if self.target.container:
            self._reward_closeness(self.target.container, CONTAINER_POINTS)

    def _reward_closeness(self, text: str, points: float) -> None:
        anchors = passages(self.page.lines, text)
        if not anchors:
            return
        spans = {}
        for node in self.candidates:
            spans[node.index] = min(self._span(node, anchor) for anchor in anchors)
        limit = min(spans.values()) * 1.02 + 1
        for index, span in spans.items():
            if span <= limit:
                self.points[index] += points

    def _span(self, node: Node, anchor: Passage) -> float:
        """Return how much of the page it takes to hold a node and a text, in square pixels.

        In a flat grid, where all share one parent, the distance decides.
        """
        holder = self.page.nodes[anchor.lines[0].node]
        group = self.page.common(node, holder)
        return group.area + math.dist(node.center, anchor.center)

    def _add_place(self, node: Node) -> None:
        """Reward a candidate whose place among its like, or on the page, is the target's."""
        target = self.target
        if target.box is None:
            return
        like = alike(
            self.page,
            node,
            self.candidates,
        )
        points = 0.0
        if len(like) > 1 or target.count > 1:
            cell = _cell(like, node)
            if (cell.row, cell.column) == (target.row, target.column):
                points += PLACE_POINTS
            if cell.number == target.index:
                points += PLACE_POINTS
            if len(like) == target.count:
                points += COUNT_POINTS
        closeness = 1 - self._distance(node) / NEAR
        points += max(0.0, closeness)
        self.points[node.index] += points

    def _distance(self, node: Node) -> float:
        """Return how far the node is from the target's place, in diagonals of the viewport."""
        target = self.target
        if target.box is None:
            return 1.0
        x, y, width, height = target.box
        size = target.viewport or (self.page.width, self.page.height)
        old = _in_unit_square((x + width / 2, y + height / 2), size)
        new = _in_unit_square(node.center, (self.page.width, self.page.height))
        return share_of_diagonal(old, new)

    def _nearest(self, nodes: Sequence[Node]) -> Match:
        """Return, of nodes that fit equally well, the one with the target's place."""
        if len(nodes) == 1:
            return Match(nodes[0])
        if self.target.box is None:
            return Match(nodes[0], tied=True)
        first, second, *_ = sorted(nodes, key=self._distance)
        lead = self._distance(second) - self._distance(first)
        tied = lead < SAME_SPOT and not overlap(first.box, second.box)
        return Match(first, tied=tied)


def _in_unit_square(point: Point, size: tuple[int, int]) -> Point:
    return point[0] / size[0], point[1] / size[1]
