"""Pieces on a board are redrawn, and several look the same: where each one stands tells a move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iwr.browser.snapshot import Snapshot
from iwr.contract import Answer, Expectation, check, derive
from iwr.contract.schema import Arrangement, Cell
from tests.contract.pages import PageMaker, lines

Piece = tuple[str, int, int]
"""(text, column, row)"""


def board(
    *pieces: Piece, move: int, side: float = 60, left: float = 50, score: str = ""
) -> Snapshot:
    """Return a board on which all pieces are new elements at each move."""
    maker = PageMaker()
    if score:
        maker.add((600, 10, 10, 20), score, uid="score")
    group = maker.add((left, 50, 4 * side, 4 * side), uid="board")
    for number, (text, column, row) in enumerate(pieces):
        box = (left + side * column, 50 + side * row, side - 10, side - 10)
        maker.add(box, text, parent=group, uid=f"{move}.{number}")
    return maker.page()


def answers(
    expectations: tuple[Expectation, ...], before: Snapshot, after: Snapshot
) -> set[Answer]:
    return {check(expectation, before, after).answer for expectation in expectations}


START = (("2", 1, 1), ("2", 2, 1))
MERGED = (("4", 0, 1), ("2", 1, 3))
AT_THE_WRONG_EDGE = (("4", 3, 1), ("2", 1, 3))
SENTENCE = "The two 2 tiles merge into a 4 at the left edge."


def merge() -> tuple[Expectation, ...]:
    return derive(board(*START, move=0), board(*MERGED, move=1), SENTENCE)


def test_a_new_piece_at_the_wrong_edge_fails():
    before = board(*START, move=0)
    assert answers(merge(), before, board(*MERGED, move=1)) == {Answer.YES}
    assert Answer.NO in answers(merge(), before, board(*AT_THE_WRONG_EDGE, move=1))
    assert Answer.NO in answers(merge(), before, before)


def test_a_piece_that_differs_from_one_replay_to_the_next_has_no_place():
    before, after = board(*START, move=0), board(*MERGED, move=1)
    expectations = derive(before, after, SENTENCE, volatile=frozenset({"2"}))
    assert not any(isinstance(entry, Arrangement) for entry in expectations)


def test_what_opens_is_no_board():
    before = PageMaker().page()
    expectations = derive(before, board(*MERGED, move=1), "A panel opens on the right.")
    assert not any(isinstance(entry, Arrangement) for entry in expectations)


def test_pieces_that_scroll_into_view_did_not_move():
    before = board(*START, move=0)
    after = replace(board(*MERGED, move=1), scroll=(0, 100))
    expectations = derive(before, after, "The page scrolls down.")
    assert not any(isinstance(entry, Arrangement) for entry in expectations)


def test_a_board_elsewhere_of_another_size_with_the_score_beside_it_passes():
    look = {"side": 90.0, "left": 20.0}
    before = board(*START, move=0, score="2", **look)
    after = board(*MERGED, move=1, score="4", **look)
    (arrangement,) = [entry for entry in merge() if isinstance(entry, Arrangement)]
    assert check(arrangement, before, after).answer is Answer.YES
    wrong = board(*AT_THE_WRONG_EDGE, move=1, score="4", **look)
    assert check(arrangement, before, wrong).answer is Answer.NO


@pytest.mark.parametrize(("row", "answer"), [(3, Answer.YES), (0, Answer.NO)])
def test_equal_pieces_that_slide_down_do_not_slide_up(row: int, answer: Answer):
    before = board(("4", 2, 1), ("2", 3, 1), ("2", 3, 2), move=0)
    after = board(("4", 2, 3), ("4", 3, 3), ("2", 2, 2), move=1)
    expectations = derive(before, after, "The tiles slide to the bottom and two merge into a 4.")
    other = board(("4", 2, row), ("4", 3, row), ("2", 2, 2), move=1)
    assert (Answer.NO in answers(expectations, before, other)) is (answer is Answer.NO)


def test_equal_pieces_that_move_together_have_a_direction():
    before = board(("X", 1, 0), ("X", 1, 2), move=0)
    after = board(("X", 3, 0), ("X", 3, 2), move=1)
    expectations = derive(before, after, "Each X moves to the right.")
    assert [(entry.kind, entry.text, entry.dx) for entry in expectations] == [("moved", "X", 1)]
    wrong = board(("X", 0, 0), ("X", 0, 2), move=1)
    assert answers(expectations, before, wrong) == {Answer.NO}


def test_a_page_full_of_the_same_text_is_answered_too():
    cells = tuple(Cell(text="2", row=number % 3, column=number) for number in range(8))
    page = lines(*["2"] * 400)
    assert check(Arrangement(cells=cells), lines("1"), page).answer is Answer.NO
