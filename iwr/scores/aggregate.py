"""Many tasks' scores as one row a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from iwr.records import ScoreStatus, TaskScore
from iwr.scores import formula

SCORES = ("ifs", "low", "high", "vfs", "final")
AXES = ("domain", "visual_complexity", "interaction_complexity")
Row = dict[str, Any]
"""{model, judge, protocol, tasks, missing, unscored, ifs, low, high, vfs, final}: what leaderboard.json holds."""


def row(scores: Sequence[TaskScore]) -> Row:
    """One model's mean over its tasks, at least one.

    Tasks without a page count as 0; unscored tasks are left out of the means and counted in `unscored`.
    """
    counted = counted_in_means(scores)
    counts = {
        "tasks": len(scores),
        "missing": sum(score.status is ScoreStatus.MISSING for score in scores),
        "unscored": sum(score.status is ScoreStatus.UNSCORED for score in scores),
    }
    first = scores[0]
    means = {name: formula.mean(getattr(score, name) for score in counted) for name in SCORES}
    return {"model": first.model, "judge": first.judge, "protocol": first.protocol} | counts | means


def counted_in_means(scores: Iterable[TaskScore]) -> list[TaskScore]:
    """The scored tasks and, as zeros, those without a page (the protocol `reference` gives these no score)."""
    return [score for score in scores if score.final is not None]


def leaderboard(scores: Sequence[TaskScore]) -> list[Row]:
    """A row for each model, best first; models without any score last."""
    models = list(dict.fromkeys(score.model for score in scores))
    rows = [row([score for score in scores if score.model == model]) for model in models]
    return sorted(rows, key=lambda r: (r["final"] is None, -(r["final"] or 0.0)))


def breakdown(scores: Sequence[TaskScore]) -> list[Row]:
    """A row for each model on each part of the benchmark: the keys of `row`, and `axis` and `value` in front."""
    rows = []
    for axis in AXES:
        values = sorted({_value(score, axis) for score in scores})
        for value in values:
            part = [score for score in scores if _value(score, axis) == value]
            rows += [{"axis": axis, "value": value} | found for found in leaderboard(part)]
    return rows


def _value(score: TaskScore, axis: str) -> str:
    return getattr(score.classification, axis) or "(not given)"
