"""How much a model's answers to the same tasks differ: spread, pass@k and pass^k."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from iwr.records import TaskScore
from iwr.repeats import number_of
from iwr.scores import formula
from iwr.scores.aggregate import by_model, counted_in_means
from iwr.stats import pass_all, pass_at


class Repeats(NamedTuple):
    """What repeats.json holds of a model that was asked each task several times.

    A task passes when all its steps do; a missing page does not. Lists over k, from 1 to the number
    of repeats, are over the tasks with at least k scored answers; None where there are none.
    """

    model: str
    finals: list[float | None]  # mean over tasks, by repeat
    spread: float | None  # standard deviation of `finals`; None for fewer than two
    pass_at: list[float | None]  # by k: some of k answers pass
    pass_all: list[float | None]  # by k: all of k answers pass


def repeats_of(scores: Iterable[TaskScore]) -> list[Repeats]:
    """Return a row for each model with more than one repeat, in the order of the scores."""
    rows = []
    for model, group in by_model(scores).items():
        names = {score.model for score in group}
        if len(names) > 1:
            rows.append(_repeats(model, len(names), group))
    return rows


def _repeats(model: str, count: int, scores: Sequence[TaskScore]) -> Repeats:
    """Return the row of a model with so many repeats."""
    numbers = range(1, count + 1)
    finals = [_final(number, scores) for number in numbers]
    known = [final for final in finals if final is not None]
    answers = _answers(scores)
    return Repeats(
        model=model,
        finals=finals,
        spread=stdev(known) if len(known) > 1 else None,
        pass_at=[_share(pass_at, k, answers) for k in numbers],
        pass_all=[_share(pass_all, k, answers) for k in numbers],
    )


def _final(number: int, scores: Iterable[TaskScore]) -> float | None:
    """Return the mean of Final over the tasks of one repeat."""
    finals = []
    for score in counted_in_means(scores):
        if number_of(score.model) == number:
            finals.append(score.final)
    return formula.mean(finals)


def _answers(scores: Iterable[TaskScore]) -> list[list[bool]]:
    """Return for each task which of its scored answers passed all steps."""
    by_task: dict[str, list[bool]] = {}
    for score in counted_in_means(scores):
        answers = by_task.setdefault(score.task, [])
        answers.append(score.passed == score.steps)
    return list(by_task.values())


def _share(
    estimate: Callable[[int, int, int], float],
    draws: int,
    answers: Sequence[Sequence[bool]],
) -> float | None:
    """Return the mean of an estimate over the tasks with enough answers."""
    values = []
    for outcomes in answers:
        if len(outcomes) >= draws:
            values.append(estimate(draws, len(outcomes), sum(outcomes)))
    if not values:
        return None
    return fmean(values)
