"""How much repeats differ: spread, pass@k, pass^k."""

from itertools import combinations
from statistics import fmean, stdev

import pytest

from iwr.records import ScoreStatus, TaskScore
from iwr.scores.repeats import repeats_of

PASSED = {"a": [1, 1, 1, 1], "b": [1, 0, 0, 1], "c": [0, 0, 0, 0], "d": [0, 1, 0, 0]}


def scores(answers):
    """Scores of four repeats of each task; None: unscored."""
    made = []
    for task, tries in answers.items():
        for number, passes in enumerate(tries, 1):
            value = None if passes is None else float(passes)
            made.append(
                TaskScore(
                    model="m" if number == 1 else f"m.repeat-{number}",
                    judge="contract",
                    protocol="offline",
                    task=task,
                    status=ScoreStatus.UNSCORED if passes is None else ScoreStatus.OK,
                    fingerprint={},
                    steps=3,
                    passed=None if passes is None else 3 * passes,
                    **dict.fromkeys(("ifs", "low", "high", "vfs", "final"), value),
                )
            )
    return made


def test_pass_at_k_and_pass_all_k_are_means_over_every_choice_of_k_answers():
    (row,) = repeats_of(scores(PASSED))
    for k in (1, 2, 3, 4):
        some = [fmean(map(any, combinations(tries, k))) for tries in PASSED.values()]
        every = [fmean(map(all, combinations(tries, k))) for tries in PASSED.values()]
        assert row.pass_at[k - 1] == pytest.approx(fmean(some))
        assert row.pass_all[k - 1] == pytest.approx(fmean(every))


def test_the_spread_is_over_the_means_of_the_repeats():
    (row,) = repeats_of(scores(PASSED))
    assert row.finals == [0.5, 0.5, 0.25, 0.5]
    assert row.spread == pytest.approx(stdev(row.finals))


def test_an_unscored_answer_is_no_failed_one():
    (row,) = repeats_of(scores({"a": [1, 1, 1, None], "b": [None] * 4}))
    assert row.pass_at == row.pass_all == [1.0, 1.0, 1.0, None]
    assert row.finals == [1.0, 1.0, 1.0, None]


def test_a_model_that_was_asked_once_has_no_row():
    assert repeats_of(scores({"a": [1]})) == []
