"""Requirements on one model's scores, for CI: a score to reach, a baseline not to fall behind."""

from __future__ import annotations

import operator
import re
from typing import NamedTuple

from iwr.errors import ConfigError, DataError
from iwr.scores.aggregate import SCORES, row
from iwr.scores.paired import Side, compare_sides

OPERATORS = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
CONDITION = re.compile(r"\s*(\w+)\s*(>=|<=|>|<)\s*(\d*\.?\d+)\s*")
EXACT = 1e-9  # differences below it are rounding


class Outcome(NamedTuple):
    """One requirement, and whether it is met."""

    is_met: bool
    verdict: str  # met | not met, or against a baseline: better | equal | worse
    left_out: int  # tasks without a score, about which nothing is known
    sentence: str


class Requirement(NamedTuple):
    """A condition on the mean of a score over all tasks."""

    score: str
    sign: str  # one of `OPERATORS`
    value: float

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Return a condition such as "final>=0.40". Raises ConfigError for anything else."""
        match = CONDITION.fullmatch(text)
        if match is None or match[1] not in SCORES:
            names = ", ".join(SCORES)
            raise ConfigError(
                f"--require {text!r}: write a score, a sign and a number",
                hint=f'such as --require "final>=0.40"; the scores are {names}',
            )
        score, sign, value = match.groups()
        return cls(score, sign, float(value))

    def is_met(self, value: float) -> bool:
        """Return whether a mean meets the condition."""
        holds = OPERATORS[self.sign]
        return bool(holds(value, self.value))


def check_requirement(requirement: Requirement, side: Side) -> Outcome:
    """Return whether the mean of a score meets a condition. Raises DataError without a mean."""
    scores = [entry.score for entry in side.scores.values()]
    means = row(scores)
    value = means[requirement.score]
    if value is None:
        raise DataError(
            f"{side.label} has no {requirement.score}",
            hint="score the run under a protocol that has it",
        )
    is_met = requirement.is_met(value)
    verdict = "met"
    if not is_met:
        verdict = "not met"
    name, sign, limit = requirement
    sentence = f"{verdict}: {side.label} has {name} {value:.3f}, required {sign} {limit:g}"
    left_out: int = means["unscored"]
    return Outcome(
        is_met=is_met,
        verdict=verdict,
        left_out=left_out,
        sentence=sentence + _left_out(left_out),
    )


def check_baseline(baseline: Side, side: Side, margin: float) -> Outcome:
    """Return how Final compares with that of a baseline on the tasks that both have scored.

    Worse is a mean difference below -`margin`, better one above it. Raises StaleRunError when the
    two have other settings, DataError when they share no scored task.
    """
    comparison = compare_sides(baseline, side)
    final = comparison["scores"]["final"]
    if final is None:
        raise DataError(
            f"{baseline.label} and {side.label} share no task that both have scored",
            hint="`iwr status` shows what is unscored; the same command resumes a run",
        )
    difference = final["difference"]
    verdict = _verdict(difference, margin)
    sentence = f"{verdict}: {side.label} against {baseline.label}: Final {difference:+.3f}"
    if final["interval"]:
        low, high = final["interval"]
        sentence += f" ({low:+.3f} to {high:+.3f})"
    sentence += f" over {comparison['tasks']} tasks, margin {margin:g}"
    left_out = comparison["unscored"]
    left_out += comparison["only_first"]
    left_out += comparison["only_second"]
    return Outcome(
        is_met=verdict != "worse",
        verdict=verdict,
        left_out=left_out,
        sentence=sentence + _left_out(left_out),
    )


def _verdict(difference: float, margin: float) -> str:
    """Return how a model compares with its baseline, given the mean difference of Final."""
    tolerance = margin + EXACT
    if difference < -tolerance:
        return "worse"
    if difference > tolerance:
        return "better"
    return "equal"


def _left_out(count: int) -> str:
    """Return what is said of tasks about which nothing is known."""
    if not count:
        return ""
    return f"; {count} left out, without a score"
