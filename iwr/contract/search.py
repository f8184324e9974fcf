"""The element of a page that a person would take for the target of a contract.

Tags, classes, attributes and the order of the markup do not count. What counts, in this order: the
kind of element and its label, the texts around it, its place among its like, where it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.elements import alike, kind_of, outermost
from iwr.contract.geometry import (
    center_of,
    overlap,
    share_of_diagonal,
    similar_size,
)
from iwr.contract.labels import label_points
from iwr.contract.pools import cell_of, reachable, reactive
from iwr.contract.reading import Passage, passages, plain, worded
from iwr.contract.schema import Point, Target, Verb

NEAR = 0.15  # of the diagonal of the viewport
CLEAR_LEAD = 0.75  # points between the best candidate and the next
LEAST_POINTS = 7.0  # for an element without a readable label
SAME_SPOT = 0.01  # of the diagonal: two candidates as near as that are a tie
SAME_SPAN = 1.02  # times the smallest span around a text and a candidate: as near as that

KIND_POINTS = 4.0
ROLE_POINTS = 0.5
HOW_POINTS = 0.25
REACTS_POINTS = 2.0  # for anything that suggests that the element reacts
CONTEXT_POINTS = 6.0  # for the nearest text around the target, less for the others
CONTAINER_POINTS = 1.0
PLACE_POINTS = 1.0
COUNT_POINTS = 0.5
SIZE_POINTS = 1.0  # for an element without a label

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
INPUTS: dict[Verb | None, set[str]] = {
    Verb.TYPE: {"field", "choice", "slider"},
    Verb.SELECT: {"choice", "field"},
}


class Match(NamedTuple):
    """What fits a target: a node, or the reason why there is none. `tied`: several fit as well."""

    node: Node | None
    reason: str = ""
    tied: bool = False


# ---- finding -----------------------------------------------------------------------------


def find(target: Target, page: Snapshot, verb: Verb | None = None) -> Match:
    """Return the element of `page` that a person would take for `target`."""
    for pool in (reactive(page), reachable(page)):
        search = TargetSearch(target, page, pool, verb)
        if search.candidates:
            return search.choose()
    return _nothing_like(target)


def all_like(target: Target, page: Snapshot) -> list[Node]:
    """Return the elements in view that look like `target`: its like on this page."""
    pool = [node for node in reachable(page) if node.in_view]
    search = TargetSearch(target, page, pool)
    fitting = []
    for candidate in search.fitting:
        if _is_as_large(candidate.node, target):
            fitting.append(candidate.node)
    same_kind = []
    for node in fitting:
        if kind_of(node) == target.kind:
            same_kind.append(node)
    nodes = same_kind or fitting
    if not nodes:
        return []
    last = nodes[-1]
    return outermost(page, nodes, last)


def _is_as_large(node: Node, target: Target) -> bool:
    """Return whether the size of an element lets it be the like of a target without a label."""
    if target.box is None or _is_named(target):
        return True
    return similar_size(target.box, node.box)


def _is_named(target: Target) -> bool:
    """Return whether a person could name the target by what is written or shown on it."""
    texts = (target.label, target.placeholder, target.picture)
    return any(map(worded, texts))


def _nothing_like(target: Target) -> Match:
    """Return that no element fits."""
    noun = _noun(target)
    return Match(None, f"no {noun} on the page")


def _noun(target: Target) -> str:
    """Return how a target is called in a reason."""
    name = target.label or target.name or target.placeholder
    if name:
        return f"element {name!r}"
    kind = target.kind or "element"
    if target.beside:
        return f"{kind} beside {target.beside[0]!r}"
    return f"{kind} like the recorded one"


@dataclass(eq=False, slots=True)
class Candidate:
    """An element that may be the target, and how much speaks for it."""

    node: Node
    points: float


class TargetSearch:
    """The search for one target on one page. `fitting` are those of its kind and label.

    Of each nest of fitting elements `candidates` has the one that fits best, else the innermost.
    """

    def __init__(
        self,
        target: Target,
        page: Snapshot,
        pool: Iterable[Node],
        verb: Verb | None = None,
    ):
        self.target = target
        self.page = page
        self.verb = verb
        self.fitting: list[Candidate] = []
        for node in pool:
            points = self._first_points(node)
            if points is not None:
                candidate = Candidate(node, points)
                self.fitting.append(candidate)
        self.candidates = self._without_wrappers()
        self.nodes = [entry.node for entry in self.candidates]

    def _first_points(self, node: Node) -> float | None:
        """Return the points for kind and label; None where they contradict the target's."""
        target = self.target
        kind = kind_of(node)
        if not self._is_possible(kind):
            return None
        points = label_points(target, self.page, node)
        if points is None:
            return None
        if kind == target.kind:
            points += KIND_POINTS
        if node.role == target.role:
            points += ROLE_POINTS
        if node.how == target.how:
            points += HOW_POINTS
        if node.how and node.how != "page":
            points += REACTS_POINTS
        return points

    def _is_possible(self, kind: str) -> bool:
        """Return whether an element of this kind can be the target, and take the action."""
        takes_input = INPUTS.get(self.verb)
        if takes_input and kind not in takes_input:
            return False
        expected = self.target.kind
        if not expected:
            return True
        compatible = COMPATIBLE.get(expected, {expected})
        return kind in compatible

    def _without_wrappers(self) -> list[Candidate]:
        """Return what fits; of those in each other, the one with the most points."""
        kept: list[Candidate] = []
        for candidate in sorted(self.fitting, key=_place_from_the_end):
            inner = self._inside(candidate, kept)
            best = max(inner, key=_points, default=None)
            if best and best.points >= candidate.points:
                continue
            for entry in inner:
                kept.remove(entry)
            kept.append(candidate)
        return kept

    def _inside(self, outer: Candidate, entries: Iterable[Candidate]) -> list[Candidate]:
        """Return the entries that are in another one."""
        inner = []
        for entry in entries:
            index = entry.node.index
            if self.page.within(index, outer.node.index):
                inner.append(entry)
        return inner

    # ---- choosing ----------------------------------------------------------------------

    def choose(self) -> Match:
        """Return the best candidate: there must be one."""
        self._add_context()
        for candidate in self.candidates:
            candidate.points += self._place_points(candidate.node)
        ranking = sorted(self.candidates, key=_points, reverse=True)
        best = ranking[0].points
        is_sure = best >= LEAST_POINTS or _is_named(self.target)
        if not is_sure:
            return _nothing_like(self.target)
        least = best - CLEAR_LEAD
        equals = []
        for candidate in ranking:
            if candidate.points > least:
                equals.append(candidate.node)
        return self._nearest(equals)

    def _nearest(self, nodes: Sequence[Node]) -> Match:
        """Return, of nodes that fit equally well, the one with the target's place."""
        first = nodes[0]
        if len(nodes) == 1:
            return Match(first)
        if self.target.box is None:
            return Match(first, tied=True)
        ranking = sorted(nodes, key=self._distance)
        first = ranking[0]
        second = ranking[1]
        if overlap(first.box, second.box):
            return Match(first)
        lead = self._distance(second) - self._distance(first)
        is_tied = lead < SAME_SPOT
        return Match(first, tied=is_tied)

    # ---- the texts around it -----------------------------------------------------------

    def _add_context(self) -> None:
        """Reward the candidates that are closest to the texts around the target."""
        for place, text in enumerate(self.target.beside):
            points = CONTEXT_POINTS / (1 + place)
            self._reward_closeness(text, points)
        container = self.target.container
        if container:
            self._reward_closeness(container, CONTAINER_POINTS)

    def _reward_closeness(self, text: str, points: float) -> None:
        """Reward the candidates that, with a text around them, take the least of the page."""
        anchors = passages(self.page.lines, text)
        if not anchors:
            return
        spans = []
        for candidate in self.candidates:
            span = self._smallest_span(candidate.node, text, anchors)
            spans.append(span)
        limit = SAME_SPAN * min(spans) + 1
        if math.isinf(limit):
            return
        for candidate, span in zip(self.candidates, spans, strict=True):
            if span <= limit:
                candidate.points += points

    def _smallest_span(self, node: Node, text: str, anchors: Iterable[Passage]) -> float:
        """Return how much of the page holds a node and a text around it; infinite for none."""
        smallest = math.inf
        for anchor in anchors:
            if not self._is_own(text, anchor, node):
                span = self._span(node, anchor)
                smallest = min(smallest, span)
        return smallest

    def _is_own(self, text: str, anchor: Passage, node: Node) -> bool:
        """Return whether a text is a part of the node, or holds the node's own text."""
        page = self.page
        holder = anchor.block
        if page.within(holder, node.index):
            return True
        if not page.within(node.index, holder):
            return False
        own = plain(page.text(node))
        return bool(own) and own in plain(text)

    def _span(self, node: Node, anchor: Passage) -> float:
        """Return how much of the page it takes to hold a node and a text, in square pixels.

        In a flat grid, where all share one parent, the distance decides.
        """
        holder = self.page.nodes[anchor.block]
        group = self.page.common(node, holder)
        distance = math.dist(node.center, anchor.center)
        return group.area + distance

    # ---- its place ---------------------------------------------------------------------

    def _place_points(self, node: Node) -> float:
        """Return the points of a candidate for its place among its like, and on the page."""
        target = self.target
        if target.box is None:
            return 0.0
        points = self._points_among_like(node)
        if not _is_named(target) and similar_size(target.box, node.box):
            points += SIZE_POINTS
        closeness = 1 - self._distance(node) / NEAR
        return points + max(0.0, closeness)

    def _points_among_like(self, node: Node) -> float:
        """Return the points for the same row, column and number, among as many of its like."""
        target = self.target
        like = alike(self.page, node, self.nodes)
        count = len(like)
        if max(count, target.count) < 2:
            return 0.0
        cell = cell_of(like, node)
        place = (target.row, target.column)
        points = 0.0
        if (cell.row, cell.column) == place:
            points += PLACE_POINTS
        if cell.number == target.index:
            points += PLACE_POINTS
        if count == target.count:
            points += COUNT_POINTS
        return points

    def _distance(self, node: Node) -> float:
        """Return how far the node is from the target's place, in diagonals of the viewport."""
        target = self.target
        if target.box is None:
            return 1.0
        size = (self.page.width, self.page.height)
        old_size = target.viewport or size
        old = _in_unit_square(center_of(target.box), old_size)
        new = _in_unit_square(node.center, size)
        return share_of_diagonal(old, new)


def _place_from_the_end(candidate: Candidate) -> int:
    """Return by what candidates are sorted against the markup: children before parents."""
    return -candidate.node.index


def _points(candidate: Candidate) -> float:
    """Return by what candidates are compared."""
    return candidate.points


def _in_unit_square(point: Point, size: tuple[int, int]) -> Point:
    """Return a point of a viewport (width, height) in shares of its sides."""
    x, y = point
    width, height = size
    return x / width, y / height
