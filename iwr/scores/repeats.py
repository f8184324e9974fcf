"""How much a model's answers to the same tasks differ: spread, pass@k and pass^k."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from iwr.records import TaskScore
from iwr.repeats import model_of, number_of
from iwr.scores import formula
from iwr.scores.aggregate import counted_in_means
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
    by_model: dict[str, list[TaskScore]] = {}
    for score in scores:
        group = by_model.setdefault(model_of(score.model), [])
        group.append(score)
    rows = []
    for model, group in by_model.items():
        names = {score.model for score in group}
        if len(names) > 1:
            ordered = sorted(names, key=number_of)
            rows.append(_repeats(model, ordered, group))
    return rows


def _repeats(model: str, names: Sequence[str], scores: Sequence[TaskScore]) -> Repeats:
    """Return the row of one model; `names` are those of its repeats, in order."""
    counted = counted_in_means(scores)
    finals = []
    for name in names:
        finals.append(formula.mean(score.final for score in counted if score.model == name))
    known = [final for final in finals if final is not None]
    answers: dict[str, list[bool]] = {}
    for score in counted:
        passes = answers.setdefault(score.task, [])
        passes.append(score.passed == score.steps)
    numbers = range(1, len(names) + 1)
    return Repeats(
        model=model,
        finals=finals,
        spread=stdev(known) if len(known) > 1 else None,
        pass_at=[_share(pass_at, k, answers.values()) for k in numbers],
        pass_all=[_share(pass_all, k, answers.values()) for k in numbers],
    )


def _share(
    estimate: Callable[[int, int, int], float],
    draws: int,
    answers: Iterable[Sequence[bool]],
) -> float | None:
    """Return the mean of an estimate over the tasks with enough answers."""
    values = []
    for passes in answers:
        if len(passes) >= draws:
            values.append(estimate(draws, len(passes), sum(passes)))
    if not values:
        return None
    return fmean(values)
