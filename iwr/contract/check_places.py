"""Expectations about places: what moves in which direction, and what scrolls."""

from __future__ import annotations

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.geometry import sign
from iwr.contract.outcome import Outcome, Transition, no, title_of, undecided, yes
from iwr.contract.reading import occurrences, plain
from iwr.contract.schema import Direction, Moved, Point, Scrolled
from iwr.contract.search import find

LEAST_MOVE = 4.0  # pixels
Extent = tuple[int, int]
"""(position, furthest) of a scroller along one axis"""
ACROSS = {-1: "left", 0: "", 1: "right"}
ALONG = {-1: "up", 0: "", 1: "down"}


def moved(expectation: Moved, change: Transition) -> Outcome:
    """Return whether a text or an element moves in a direction."""
    title = title_of(expectation.element, expectation.text)
    before = _points(expectation, change.before)
    after = _points(expectation, change.after)
    if not before or len(before) != len(after):
        return no(f"{title} is not there before and afterwards")
    direction = (expectation.dx, expectation.dy)
    words = _words(direction)
    lane = _row if expectation.dx else _column
    before.sort(key=lane)
    after.sort(key=lane)
    right = 0
    wrong = 0
    for old, new in zip(before, after, strict=True):
        way = change.way(old, new)
        move = _direction(way)
        right += _agree(move, direction)
        wrong += _conflict(move, direction)
    if right and wrong:
        return undecided(f"{title} is there several times, and not all move {words}")
    if right:
        return yes(f"{title} moves {words}")
    return no(f"{title} does not move {words}")


def _points(expectation: Moved, page: Snapshot) -> list[Point]:
    """Return the middle of each occurrence."""
    if expectation.text is not None:
        spots = occurrences(page, expectation.text)
        return [spot.center for spot in spots]
    if expectation.element is None:
        return []
    node = find(expectation.element, page).node
    return [node.center] if node else []


def _row(point: Point) -> tuple[float, Point]:
    """Return by what points that move sideways are paired: they keep their rows."""
    return round(point[1]), point


def _column(point: Point) -> tuple[float, Point]:
    """Return by what points that move up or down are paired: they keep their columns."""
    return round(point[0]), point


def _direction(way: Point) -> Direction:
    """Return in which direction something moved, given by how many pixels."""
    across, along = way
    dx = sign(across, LEAST_MOVE)
    dy = sign(along, LEAST_MOVE)
    return dx, dy


def _agree(move: Direction, expected: Direction) -> bool:
    """Return whether a move goes in a direction, wherever else it goes."""
    axes = zip(move, expected, strict=True)
    return all(needed in (0, actual) for actual, needed in axes)


def _conflict(move: Direction, expected: Direction) -> bool:
    """Return whether a move goes, at least in part, in the contrary of a direction."""
    axes = zip(move, expected, strict=True)
    return any(actual * needed < 0 for actual, needed in axes)


def _words(direction: Direction) -> str:
    """Return how a direction is called in a reason."""
    dx, dy = direction
    words = [ACROSS[dx], ALONG[dy]]
    return " and ".join(filter(None, words))


# ---- scrolling ---------------------------------------------------------------------------


def scrolled(expectation: Scrolled, change: Transition) -> Outcome:
    """Return whether the page, or something in it, scrolls in a direction."""
    direction = (expectation.dx, expectation.dy)
    words = _words(direction)
    for way in scrolls(change, expectation.inside):
        if _agree(_direction(way), direction):
            return yes(f"the page scrolls {words}")
    return no(f"nothing scrolls {words}")


def scrolls(change: Transition, inside: str | None = None) -> list[Point]:
    """Return by how much the page and the scrollers in it, of them those with `inside`, moved.

    Each is (dx, dy) in CSS pixels, the page first.
    """
    page = change.after
    moves: list[Point] = [change.scroll]
    for node in page.nodes:
        earlier = change.before.by_uid.get(node.uid)
        if earlier is None:
            continue
        across = _distance(earlier.scroll_x, node.scroll_x)
        along = _distance(earlier.scroll_y, node.scroll_y)
        if across == 0 and along == 0:
            continue
        if inside is None or _holds(page, node, inside):
            moves.append((across, along))
    return moves


def _holds(page: Snapshot, node: Node, text: str) -> bool:
    """Return whether an element has a text in it."""
    content = plain(page.text(node))
    return plain(text) in content


def _distance(before: Extent | None, after: Extent | None) -> int:
    """Return how far one axis of a scroller moved, in CSS pixels."""
    if before is None or after is None:
        return 0
    start, _ = before
    end, _ = after
    return end - start
