"""Expectations about places: what moves in which direction, and what scrolls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iwr.browser.snapshot import Snapshot
from iwr.contract.geometry import sign
from iwr.contract.outcome import Outcome, Transition, no, title_of, undecided, yes
from iwr.contract.reading import occurrences, plain
from iwr.contract.schema import Moved, Point, Scrolled, Sign
from iwr.contract.target import find

LEAST_MOVE = 4.0  # pixels
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
    moves = _moves(
        before,
        after,
        change.scroll,
        across=expectation.dx != 0,
    )
    right = any(_goes(move, direction) for move in moves)
    wrong = any(_goes_against(move, direction) for move in moves)
    words = _words(direction)
    if right and wrong:
        return undecided(f"{title} is there several times, and not all move {words}")
    if right:
        return yes(f"{title} moves {words}")
    return no(f"{title} does not move {words}")


def _points(expectation: Moved, page: Snapshot) -> list[Point]:
    """Return the middle of each occurrence."""
    if expectation.text is not None:
        return [passage.center for passage in occurrences(page, expectation.text)]
    if expectation.element is None:
        return []
    node = find(expectation.element, page).node
    return [node.center] if node else []


def _moves(
    before: Iterable[Point],
    after: Iterable[Point],
    scroll: tuple[int, int],
    *,
    across: bool,
) -> list[Point]:
    """Return by how much each point moved on the page.

    Things that move sideways keep their rows, others their columns: so points are paired.
    """

    def lane(point: Point) -> tuple[float, Point]:
        return round(point[1] if across else point[0]), point

    moves = []
    pairs = zip(
        sorted(before, key=lane),
        sorted(after, key=lane),
        strict=True,
    )
    for old, new in pairs:
        dx = new[0] - old[0] + scroll[0]
        dy = new[1] - old[1] + scroll[1]
        moves.append((dx, dy))
    return moves


def _goes(move: Point, direction: Sequence[Sign]) -> bool:
    """Return whether a move goes in a direction, wherever else it goes."""
    for distance, expected in zip(
        move,
        direction,
        strict=True,
    ):
        if expected and sign(distance, LEAST_MOVE) != expected:
            return False
    return True


def _goes_against(move: Point, direction: Sequence[Sign]) -> bool:
    for distance, expected in zip(
        move,
        direction,
        strict=True,
    ):
        if expected and sign(distance, LEAST_MOVE) == -expected:
            return True
    return False


def _words(direction: tuple[Sign, Sign]) -> str:
    across = ACROSS[direction[0]]
    along = ALONG[direction[1]]
    if across and along:
        return f"{across} and {along}"
    return across or along


# ---- scrolling ---------------------------------------------------------------------------


def scrolled(expectation: Scrolled, change: Transition) -> Outcome:
    """Return whether the page, or something in it, scrolls in a direction."""
    direction = (expectation.dx, expectation.dy)
    words = _words(direction)
    for move in scrolls(change, expectation.inside):
        if _goes(move, direction):
            return yes(f"the page scrolls {words}")
    return no(f"nothing scrolls {words}")


def scrolls(change: Transition, inside: str | None = None) -> list[tuple[int, int]]:
    """Return by how much the page and the scrollers in it, of them those with `inside`, moved."""
    moves = [change.scroll]
    for node in change.after.nodes:
        earlier = change.before.by_uid.get(node.uid)
        if earlier is None or not (node.scroll_x or node.scroll_y):
            continue
        if inside and plain(inside) not in plain(change.after.text(node)):
            continue
        across = _difference(earlier.scroll_x, node.scroll_x)
        along = _difference(earlier.scroll_y, node.scroll_y)
        moves.append((across, along))
    return moves


def _difference(before: tuple[int, int] | None, after: tuple[int, int] | None) -> int:
    if before is None or after is None:
        return 0
    return after[0] - before[0]
