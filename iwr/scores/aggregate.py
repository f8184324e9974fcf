"""Many tasks' scores as one row a model.

A model that answered each task several times has one score a task: the mean over its repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from iwr.records import ScoreStatus, TaskScore
from iwr.repeats import model_of
from iwr.scores import formula

SCORES = ("ifs", "low", "high", "vfs", "final")
AXES = ("domain", "visual_complexity", "interaction_complexity")
NOT_GIVEN = "(not given)"

Row = dict[str, Any]
"""What leaderboard.json holds of a model: {model, judge, protocol, repeats, tasks, missing,
unscored, ifs, low, high, vfs, final}.

`missing` and `unscored` count answers: of each task, one a repeat.
"""


def row(scores: Sequence[TaskScore]) -> Row:
    """Return one model's means over its tasks, at least one; `scores` are those of all repeats.

    Tasks without a page count as 0; unscored tasks are left out of the means and counted in
    `unscored`.
    """
    first = scores[0]
    tasks = over_repeats(scores)
    result: Row = {
        "model": model_of(first.model),
        "judge": first.judge,
        "protocol": first.protocol,
        "repeats": len({score.model for score in scores}),
        "tasks": len(tasks),
        "missing": _count(scores, ScoreStatus.MISSING),
        "unscored": _count(scores, ScoreStatus.UNSCORED),
    }
    counted = counted_in_means(tasks)
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


def by_model(scores: Iterable[TaskScore]) -> dict[str, list[TaskScore]]:
    """Return the scores of each model, those of its repeats together, in their order."""
    groups: dict[str, list[TaskScore]] = {}
    for score in scores:
        group = groups.setdefault(model_of(score.model), [])
        group.append(score)
    return groups


def over_repeats(scores: Iterable[TaskScore]) -> list[TaskScore]:
    """Return one score for each model and task: the mean over the repeats that have one.

    A task is unscored when all of its repeats are. What is not a score is that of the first repeat.
    """
    groups: dict[tuple[str, str], list[TaskScore]] = {}
    for score in scores:
        group = groups.setdefault((model_of(score.model), score.task), [])
        group.append(score)
    return [_mean_score(model, group) for (model, _), group in groups.items()]


def _mean_score(model: str, repeats: Sequence[TaskScore]) -> TaskScore:
    """Return the mean of a task's repeats under the name of the model."""
    counted = counted_in_means(repeats) or repeats
    means: dict[str, object] = {"model": model}
    for name in SCORES:
        means[name] = formula.mean(getattr(score, name) for score in counted)
    return counted[0].model_copy(update=means)


def leaderboard(scores: Iterable[TaskScore]) -> list[Row]:
    """Return a row for each model, best first; models without any score last."""
    rows = [row(group) for group in by_model(scores).values()]
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
