"""Each score and metric by model: the mean over tasks, with its standard error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from iwr.records import ScoreStatus, TaskScore
from iwr.repeats import model_of
from iwr.scores.aggregate import SCORES, counted_in_means

COLUMNS = {
    "final": "Final",
    "ifs": "IFS",
    "vfs": "VFS",
    "low": "Low",
    "high": "High",
}
"""The scores by their keys, in the order of the table; metrics follow."""

ValuesByName = dict[str, list[float]]
"""Score or metric -> a value for each task that has one."""


Place = tuple[str, str, str]
"""(model, score or metric, task)"""


class Mean(NamedTuple):
    """A mean over tasks. `error` is its standard error; None for fewer than two tasks."""

    value: float
    error: float | None


class MetricTable(NamedTuple):
    """A column for each score and metric, a row for each model."""

    columns: list[str]
    rows: dict[str, list[Mean | None]]  # by model


def metric_means(scores: Sequence[TaskScore]) -> MetricTable:
    """Return the means of all models, without the columns that no task has a value for.

    As in the leaderboard, a missing page counts as 0 and unscored tasks are left out.
    """
    values = _values_by_model(scores)
    used: set[str] = set()
    for by_name in values.values():
        used.update(by_name)
    names = sorted(used, key=_place)
    columns = []
    for name in names:
        column = COLUMNS.get(name, name.upper())
        columns.append(column)
    rows = {}
    for model, by_name in values.items():
        rows[model] = [_mean(by_name.get(name, [])) for name in names]
    return MetricTable(columns, rows)


def _values_by_model(scores: Sequence[TaskScore]) -> dict[str, ValuesByName]:
    """Return the values behind the means of each model; of repeats of a task their mean."""
    names = set(SCORES)
    for score in scores:
        for pair in score.pairs:
            names.update(pair.metrics)
    answers: dict[Place, list[float]] = {}
    for score in counted_in_means(scores):
        model = model_of(score.model)
        for name, value in _values_of(score, names):
            place = (model, name, score.task)
            repeats = answers.setdefault(place, [])
            repeats.append(value)
    values: dict[str, ValuesByName] = {}
    for (model, name, _), repeats in answers.items():
        by_name = values.setdefault(model, {})
        numbers = by_name.setdefault(name, [])
        numbers.append(fmean(repeats))
    return values


def _place(name: str) -> tuple[int, str]:
    """Return the sort key of a column: the scores first, then the metrics by name."""
    names = list(COLUMNS)
    if name in names:
        return names.index(name), name
    return len(names), name


def _values_of(score: TaskScore, names: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Yield the value of one task for each score and metric that has one."""
    for name in names:
        if name in SCORES:
            value = getattr(score, name)
        elif score.status is ScoreStatus.MISSING:
            value = 0.0
        else:
            value = _metric(score, name)
        if value is not None:
            yield name, value


def _metric(score: TaskScore, name: str) -> float | None:
    """Return the mean of one metric over the checkpoints; None unless all have a value."""
    values = []
    for pair in score.pairs:
        value = pair.metrics.get(name)
        if value is None:
            return None
        values.append(value)
    if not values:
        return None
    return fmean(values)


def _mean(values: Sequence[float]) -> Mean | None:
    """Return the mean with its standard error; None for no values."""
    if not values:
        return None
    count = len(values)
    error = None
    if count > 1:
        error = stdev(values) / math.sqrt(count)
    return Mean(fmean(values), error)
