"""What moved on a board, such as the tiles of a game: where its pieces stand among each other.

Pieces are short texts on elements that look alike. They are redrawn with every move, and several
have the same text, so neither an element nor a text tells which one moved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from iwr.browser.snapshot import Node, Snapshot, TextLine
from iwr.contract.check_places import moved
from iwr.contract.difference import Difference
from iwr.contract.geometry import center_of, is_part, rows_of, same_column, similar_size
from iwr.contract.outcome import Answer, Transition
from iwr.contract.reading import plain, plain_texts
from iwr.contract.schema import DIRECTIONS, Arrangement, Box, Cell, Moved

LONGEST_PIECE = 4  # characters
MOST_PIECES = 12
LEAST_LIKENESS = 0.8  # of the sizes of two pieces
BOARD_SHARE = 0.6  # of the viewport: a larger group is the page, not a board


def rearranged(change: Transition) -> Iterator[Difference]:
    """Yield the arrangement of a board on which some pieces are new or elsewhere.

    Where the page scrolled, pieces come into view without a move.
    """
    fresh = _fresh_pieces(change)
    if not fresh or any(change.scroll):
        return
    first = fresh[0]
    board = _board(change, fresh)
    if 2 <= len(board) <= MOST_PIECES:
        texts = [line.text for line in board]
        words = " ".join(texts)
        arrangement = Arrangement(cells=_cells(board))
        yield Difference(arrangement, words, first.box)


def pieces_moved(change: Transition) -> Iterator[Difference]:
    """Yield the direction in which pieces with one text moved together, all redrawn."""
    old = _pieces(change.before)
    new = _pieces(change.after)
    before = Counter(plain_texts(old))
    after = Counter(plain_texts(new))
    for line in new:
        text = plain(line.text)
        count = after.pop(text, 0)
        if count < 2:
            continue
        if count == before[text]:
            yield from _moves_of(line, change)


def _moves_of(line: TextLine, change: Transition) -> Iterator[Difference]:
    """Yield the directions in which all pieces with the text of a line moved."""
    for dx, dy in DIRECTIONS.values():
        expectation = Moved(text=line.text, dx=dx, dy=dy)
        outcome = moved(expectation, change)
        if outcome.answer is Answer.YES:
            yield Difference(expectation, line.text, line.box)


def _pieces(page: Snapshot) -> list[TextLine]:
    """Return the lines in view that are short enough for a piece, in document order."""
    pieces = []
    for line in page.seen_lines:
        if len(plain(line.text)) <= LONGEST_PIECE:
            pieces.append(line)
    return pieces


def _fresh_pieces(change: Transition) -> list[TextLine]:
    """Return the pieces that stand where there was no such text before."""
    old = {_spot(line) for line in _pieces(change.before)}
    fresh = []
    for line in _pieces(change.after):
        if _spot(line) not in old:
            fresh.append(line)
    return fresh


def _spot(line: TextLine) -> tuple[str, Box]:
    """Return what a piece is known by: its text and where it stands."""
    return plain(line.text), line.box


def _board(change: Transition, fresh: Sequence[TextLine]) -> list[TextLine]:
    """Return the pieces like the first fresh one in the smallest group that has several.

    All fresh pieces that look like it are in that group, and some were there before: what opens
    is no board. None: there is no such group.
    """
    page = change.after
    first = page.nodes[fresh[0].node]
    pieces = _like(page, first, _pieces(page))
    fresh = _like(page, first, fresh)
    for group in page.ancestors(first):
        if not is_part(page, group, BOARD_SHARE):
            break
        members = _within(page, group, pieces)
        if len(members) < 2 or not _had_pieces(change.before, group, first):
            continue
        if set(members).issuperset(fresh):
            return members
    return []


def _had_pieces(page: Snapshot, group: Node, piece: Node) -> bool:
    """Return whether the group had pieces that look like one on an earlier state of the page."""
    earlier = page.by_uid.get(group.uid)
    if earlier is None:
        return False
    pieces = _within(page, earlier, _pieces(page))
    return bool(_like(page, piece, pieces))


def _like(page: Snapshot, node: Node, lines: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines on elements that look like `node`."""
    like = []
    for line in lines:
        holder = page.nodes[line.node]
        if holder.tag != node.tag:
            continue
        if similar_size(holder.box, node.box, LEAST_LIKENESS):
            like.append(line)
    return like


def _within(page: Snapshot, group: Node, lines: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines that are in an element."""
    members = []
    for line in lines:
        if page.within(line.node, group.index):
            members.append(line)
    return members


# ---- rows and columns ------------------------------------------------------------------


def _cells(pieces: Sequence[TextLine]) -> tuple[Cell, ...]:
    """Return the pieces with the numbers of their rows and columns, in reading order."""
    columns = _columns(pieces)
    cells = []
    for row, members in enumerate(rows_of(pieces)):
        for line in members:
            column = 0
            while not same_column(line.box, columns[column]):
                column += 1
            cell = Cell(text=line.text, row=row, column=column)
            cells.append(cell)
    return tuple(cells)


def _columns(pieces: Sequence[TextLine]) -> list[Box]:
    """Return the box of one piece of each column, from left to right."""
    boxes = [line.box for line in pieces]
    boxes.sort(key=center_of)
    columns: list[Box] = []
    for box in boxes:
        if columns and same_column(box, columns[-1]):
            continue
        columns.append(box)
    return columns
