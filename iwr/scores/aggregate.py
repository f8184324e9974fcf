"""Many tasks' scores as one row a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from iwr.records import ScoreStatus, TaskScore
from iwr.scores import formula

SCORES = ("ifs", "low", "high", "vfs", "final")
AXES = ("domain", "visual_complexity", "interaction_complexity")
NOT_GIVEN = "(not given)"

Row = dict[str, Any]
"""What leaderboard.json holds of a model: {model, judge, protocol, tasks, missing, unscored, ifs,
low, high, vfs, final}."""


def row(scores: Sequence[TaskScore]) -> Row:
    """Return one model's means over its tasks, at least one.

    Tasks without a page count as 0; unscored tasks are left out of the means and counted in
    `unscored`.
    """
    first = scores[0]
    result: Row = {
        "model": first.model,
        "judge": first.judge,
        "protocol": first.protocol,
        "tasks": len(scores),
        "missing": _count(scores, ScoreStatus.MISSING),
        "unscored": _count(scores, ScoreStatus.UNSCORED),
    }
    counted = counted_in_means(scores)
    for name in SCORES:
        result[name] = formula.mean(getattr(score, name) for score in counted)
    return result


def _count(scores: Iterable[TaskScore], status: ScoreStatus) -> int:
    """Return how many scores have a status."""
    return sum(score.status is status for score in scores)


def counted_in_means(scores: Iterable[TaskScore]) -> list[TaskScore]:
    """Return the scored tasks and, as zeros, those without a page.

    The protocol `reference` gives tasks without a page no score.
    """
    return [score for score in scores if score.final is not None]


def leaderboard(scores: Iterable[TaskScore]) -> list[Row]:
    """Return a row for each model, best first; models without any score last."""
    by_model: dict[str, list[TaskScore]] = {}
    for score in scores:
        group = by_model.setdefault(score.model, [])
        group.append(score)
    rows = [row(group) for group in by_model.values()]
    return sorted(rows, key=_rank)


def _rank(row: Row) -> tuple[bool, float]:
    """Return the sort key of a row: best first, rows without a score last."""
    final = row["final"]
    if final is None:
        return True, 0.0
    return False, -final


def breakdown(scores: Sequence[TaskScore]) -> list[Row]:
    """Return a row for each model on each part of the benchmark.

    The keys are those of `row`, with `axis` and `value` in front.
    """
    rows: list[Row] = []
    for axis in AXES:
        parts: dict[str, list[TaskScore]] = {}
        for score in scores:
            value = getattr(score.classification, axis) or NOT_GIVEN
            part = parts.setdefault(value, [])
            part.append(score)
        for value in sorted(parts):
            for model_row in leaderboard(parts[value]):
                rows.append({"axis": axis, "value": value, **model_row})
    return rows
