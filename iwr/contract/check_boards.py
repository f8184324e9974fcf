"""Expectations about boards: where the pieces stand among each other."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.browser.snapshot import Snapshot
from iwr.contract.geometry import center_of, same_column, same_row, sign
from iwr.contract.outcome import Outcome, Transition, no, yes
from iwr.contract.reading import ALONE, Passage, occurrences
from iwr.contract.schema import Arrangement, Box, Cell, Direction, Sign

Passages = tuple[Passage, ...]
MOST_SPOTS = 50  # at which one text is looked at
MOST_PARTIAL = 100  # arrangements of the first pieces that are followed up


def arrangement(expectation: Arrangement, change: Transition) -> Outcome:
    """Return whether the pieces of a board are arranged as they were not before."""
    cells = expectation.cells
    texts = [cell.text for cell in cells]
    names = " ".join(texts)
    if not _can_stand(cells, change.after):
        return no(f"the texts {names} do not stand as expected among each other")
    if _can_stand(cells, change.before):
        return no(f"the texts {names} stood like that before")
    return yes(f"the texts {names} stand as expected among each other")


def _can_stand(cells: Sequence[Cell], page: Snapshot) -> bool:
    """Return whether texts of the page can be chosen that stand as expected, cell by cell.

    A page may show the same text elsewhere, too, such as a score.
    """
    chosen: list[Passages] = [()]
    for number, cell in enumerate(cells):
        spots = occurrences(page, cell.text, ALONE)[:MOST_SPOTS]
        longer: list[Passages] = []
        for pieces in chosen:
            for spot in spots:
                if _fits(spot, pieces, cells[: number + 1]):
                    longer.append((*pieces, spot))
        chosen = longer[:MOST_PARTIAL]
    return bool(chosen)


def _fits(spot: Passage, pieces: Passages, cells: Sequence[Cell]) -> bool:
    """Return whether a text is where the last cell is, seen from the pieces in the others."""
    *others, cell = cells
    for piece, other in zip(pieces, others, strict=True):
        expected = _way(other, cell)
        if _direction(piece.box, spot.box) != expected:
            return False
    return True


def _way(start: Cell, end: Cell) -> Direction:
    """Return in which direction one cell is from another."""
    dx = sign(end.column - start.column, 1)
    dy = sign(end.row - start.row, 1)
    return dx, dy


def _direction(start: Box, end: Box) -> Direction:
    """Return in which direction one box is from another; 0: in its column, or its row."""
    x, y = center_of(start)
    end_x, end_y = center_of(end)
    dx: Sign = 0
    dy: Sign = 0
    if not same_column(start, end):
        dx = sign(end_x - x, 0)
    if not same_row(start, end):
        dy = sign(end_y - y, 0)
    return dx, dy
