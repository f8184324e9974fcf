"""The one formula, against every published row."""

import pytest

from iwr.report.published import published_scores
from iwr.scores import formula

ROWS = published_scores()


def test_all_published_rows_are_there():
    assert len(ROWS) == 31


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["model"])
def test_published_rows_satisfy_the_formula(row):
    low, high, ifs, vfs, final = (
        float(row[key]) for key in ("low_level", "high_level", "ifs", "vfs", "final")
    )
    assert formula.vfs(low, high, has_high=True) == pytest.approx(vfs, abs=0.01)
    assert formula.final(ifs, vfs) == pytest.approx(final, abs=0.01)


def test_without_a_high_level_score_vfs_is_the_low_level_alone():
    assert formula.vfs(0.4, None, has_high=False) == 0.4


@pytest.mark.parametrize(
    "value",
    [
        formula.vfs(None, 0.5, has_high=True),
        formula.vfs(0.5, None, has_high=True),
        formula.vfs(None, None, has_high=False),
        formula.final(None, 0.5),
        formula.final(0.5, None),
        formula.mean([0.5, None]),
        formula.mean([]),
    ],
)
def test_what_is_unknown_stays_unknown(value):
    assert value is None


def test_means_and_functionality():
    assert formula.mean([0.0, 0.5, 1.0]) == 0.5
    assert formula.ifs(3, 4) == 0.75
    assert formula.high(85) == 0.85
