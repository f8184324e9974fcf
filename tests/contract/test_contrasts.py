"""What opens has no earlier look to compare with: its parts are compared with each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iwr.browser.snapshot import Snapshot
from iwr.contract import Answer, Expectation, check, derive
from iwr.contract.schema import Contrast
from tests.contract.pages import LOOK, PageMaker

SENTENCE = "A calendar opens in which the days before June 15 are greyed out."
BLACK = LOOK
PALE = LOOK.replace("rgb(0, 0, 0)", "rgba(0, 0, 0, 0.1)", 1)
GREY = LOOK.replace("rgb(0, 0, 0)", "rgb(190, 190, 190)", 1)
TRANSPARENT = LOOK.replace("|none|1|none|none", "|none|0.3|none|none")


def calendar(look_of_past: str, *, first: int = 15, side: float = 30) -> Snapshot:
    """Return a page with 30 days, of which those before the `first` have another look."""
    maker = PageMaker()
    maker.add((0, 0, 100, 20), "Date")
    group = maker.add((0, 50, 7 * side, 5 * side), uid="calendar")
    for day in range(1, 31):
        row, column = divmod(day - 1, 7)
        box = (side * column, 50 + side * row, side, side)
        look = look_of_past if day < first else BLACK
        maker.add(box, str(day), parent=group, look=look, uid=f"day {day}")
    return maker.page()


def closed() -> Snapshot:
    maker = PageMaker()
    maker.add((0, 0, 100, 20), "Date")
    return maker.page()


def contrast() -> Expectation:
    expectations = derive(closed(), calendar(PALE), SENTENCE)
    (entry,) = [entry for entry in expectations if isinstance(entry, Contrast)]
    return entry


def test_the_first_day_that_can_be_chosen_is_told_from_the_last_that_cannot():
    entry = contrast()
    assert {entry.text, entry.unlike} == {"14", "15"}


@pytest.mark.parametrize("look", [PALE, GREY, TRANSPARENT], ids=["pale", "grey", "transparent"])
def test_however_the_days_are_greyed_it_counts(look: str):
    assert check(contrast(), closed(), calendar(look, side=40)).answer is Answer.YES


@pytest.mark.parametrize(
    "page",
    [calendar(BLACK), calendar(PALE, first=14), calendar(PALE, first=16), closed()],
    ids=["none", "one too few", "one too many", "nothing opens"],
)
def test_days_that_are_not_told_apart_fail(page: Snapshot):
    assert check(contrast(), closed(), page).answer is Answer.NO


def test_what_scrolls_into_view_did_not_open():
    after = replace(calendar(PALE), scroll=(0, 100))
    expectations = derive(closed(), after, "The page scrolls to a grey calendar.")
    assert not any(isinstance(entry, Contrast) for entry in expectations)


def test_stripes_are_no_contrast():
    maker = PageMaker()
    for row in range(12):
        look = PALE if row % 2 else BLACK
        maker.add((0, 30.0 * row, 200, 20), f"Row {row}", look=look, uid=f"row {row}")
    expectations = derive(closed(), maker.page(), "A list of grey rows opens.")
    assert not any(isinstance(entry, Contrast) for entry in expectations)
