"""Rows of the leaderboard."""

from itertools import count

import pytest

from iwr.records import Classification, ScoreStatus, TaskScore
from iwr.scores.aggregate import breakdown, leaderboard, row

NUMBERS = count()


def result(model="m", status="ok", value=1.0, high=None, task=None):
    known = status != "unscored"
    scores = {name: value if known else None for name in ("ifs", "low", "vfs", "final")}
    return TaskScore(
        model=model,
        judge="contract",
        protocol="offline",
        task=task or f"task-{next(NUMBERS)}",
        status=ScoreStatus(status),
        fingerprint={},
        steps=2,
        passed=2 if known else None,
        high=high if known else None,
        **scores,
    )


def test_missing_pages_count_as_zero_and_unscored_tasks_do_not_count():
    made = row(
        [
            result(value=0.9),
            result(value=0.6),
            result(status="missing", value=0.0),
            result(status="unscored"),
        ]
    )
    assert (made["tasks"], made["missing"], made["unscored"]) == (4, 1, 1)
    assert made["final"] == pytest.approx(0.5)
    assert made["high"] is None


def test_a_row_without_any_score_has_none():
    made = row([result(status="unscored")])
    assert [made[name] for name in ("ifs", "low", "high", "vfs", "final")] == [None] * 5
    assert made["unscored"] == 1


def test_a_row_of_missing_pages_alone_is_zero():
    assert row([result(status="missing", value=0.0)])["final"] == 0.0


def test_best_first_and_models_without_a_score_last():
    scores = [
        result("none", "unscored"),
        result("low", value=0.1),
        result("best", value=0.8),
        result("zero", value=0.0),
    ]
    assert [made["model"] for made in leaderboard(scores)] == ["best", "low", "zero", "none"]


def test_the_high_level_score_is_averaged_where_there_is_one():
    assert row([result(high=0.4), result(high=0.6)])["high"] == pytest.approx(0.5)


def test_repeats_are_one_score_a_task_and_unscored_ones_do_not_count():
    first = [result("m", value=1.0, task="a"), result("m", value=0.0, task="b")]
    second = [
        result("m.repeat-2", value=0.5, task="a"),
        result("m.repeat-2", "unscored", task="b"),
    ]
    (made,) = leaderboard([*first, *second])
    assert (made["model"], made["repeats"]) == ("m", 2)
    assert (made["tasks"], made["missing"], made["unscored"]) == (2, 0, 1)
    assert made["final"] == pytest.approx((0.75 + 0.0) / 2)


def test_breakdown_by_each_axis():
    def of(task, value, **axes):
        return result(value=value).model_copy(
            update={"task": task, "classification": Classification(**axes)}
        )

    scores = [
        of("a", 1.0, domain="Shop", visual_complexity="V1"),
        of("b", 0.0, domain="Shop", visual_complexity="V2"),
        of("c", 0.5),
    ]
    rows = {(row["axis"], row["value"]): (row["tasks"], row["final"]) for row in breakdown(scores)}
    assert rows == {
        ("domain", "Shop"): (2, 0.5),
        ("domain", "(not given)"): (1, 0.5),
        ("visual_complexity", "V1"): (1, 1.0),
        ("visual_complexity", "V2"): (1, 0.0),
        ("visual_complexity", "(not given)"): (1, 0.5),
        ("interaction_complexity", "(not given)"): (3, 0.5),
    }
