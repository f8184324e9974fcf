"""What every form of the report shows, gathered once from the records of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import Config
from iwr.digests import digest
from iwr.records import Generation, ScoreStatus, SelfTest, Task, TaskScore
from iwr.repeats import model_of, number_of
from iwr.report.costs import Cost, costs
from iwr.report.trust import judge_trust
from iwr.runs.files import readable, write_atomic
from iwr.runs.paths import RunPaths
from iwr.scores.aggregate import (
    NOT_GIVEN,
    SCORES,
    Row,
    breakdown,
    counted_in_means,
    leaderboard,
    over_repeats,
)
from iwr.scores.caption import caption
from iwr.scores.repeats import Repeats, repeats_of
from iwr.scores.stage import read_scores
from iwr.stats import FEW, LEVEL, interval
from iwr.tasks.subset import describe

FLOOR, CEILING = ("blank", "screenshot"), ("oracle",)  # kinds of baselines, worst first
WITH_INTERVAL = ("ifs", "vfs", "final")
COUNTS = ("tasks", "missing", "unscored")
HEADERS = ("Model", "Tasks", "Missing", "Unscored", "IFS", "Low", "High", "VFS", "Final")

ALL_PASSED = "all steps passed"
NO_PAGE = "no page"
UNSCORED = "unscored"
CAUSES = (ALL_PASSED, "page", "action", "assertion", NO_PAGE, UNSCORED)

CAUTION = (
    f"Intervals over fewer than {FEW} tasks are too narrow: read them as a lower bound of the "
    "uncertainty."
)

Intervals = dict[str, dict[str, tuple[float, float] | None]]
"""model -> score -> 95 % interval of its mean over tasks."""


class Part(NamedTuple):
    """One value of an axis of the benchmark, such as the domain "Shop"."""

    value: str
    tasks: int
    finals: list[float | None]  # in the order of the leaderboard


class Summary(NamedTuple):
    """The numbers of one report."""

    config: Config
    tasks: Sequence[Task]
    scores: list[TaskScore]  # of every answer, in the order of the settings
    means: list[TaskScore]  # of every model and task: over its repeats
    rows: list[Row]  # the leaderboard, best first
    parts: list[Row]  # by domain and complexity
    intervals: Intervals
    kinds: dict[str, str]  # model -> its kind, where a page of it is recorded
    repeats: list[Repeats]  # of the models that were asked several times
    costs: list[Cost]  # of the models that wrote something
    trust: str  # what the self-test says of the judge
    selftest: SelfTest | None  # where it is of the judge as the rollouts were made

    @property
    def models(self) -> list[str]:
        """Names, best first."""
        return [row["model"] for row in self.rows]

    @property
    def repeat_names(self) -> list[str]:
        """Names of the repeats of all models, best model first."""
        names = dict.fromkeys(score.model for score in self.scores)
        ranks = {model: rank for rank, model in enumerate(self.models)}
        return sorted(names, key=lambda name: (ranks[model_of(name)], number_of(name)))

    @property
    def caption(self) -> str:
        """Which metrics made the scores, and which tasks were left out."""
        text = caption(self.config.protocol, self.scores)
        left_out = describe(self.config.data)
        if left_out:
            text = f"{text}; {len(self.tasks)} tasks of the data set: {left_out}"
        repeats = max((row["repeats"] for row in self.rows), default=1)
        if repeats > 1:
            text = f"{text}; each task is the mean of {repeats} answers, of baselines one"
        return text

    @property
    def caution(self) -> str | None:
        """The sentence on intervals over few tasks, where it applies."""
        return CAUTION if len(self.tasks) < FEW else None

    def baselines(self, kinds: Sequence[str]) -> list[Row]:
        """Return the rows of baselines, in the order of `kinds`."""
        rows = []
        for kind in kinds:
            rows += [row for row in self.rows if self.kinds.get(row["model"]) == kind]
        return rows

    def ends(self, model: str, score: str) -> tuple[float, float] | None:
        """Return the ends of the 95 % interval; None for fewer than two tasks."""
        return self.intervals.get(model, {}).get(score)

    def span(self, model: str, score: str) -> str:
        """Return the interval as text."""
        ends = self.ends(model, score)
        if ends is None:
            return format_score(None)
        low, high = ends
        return f"{format_score(low)} to {format_score(high)}"

    def parts_of(self, axis: str) -> list[Part]:
        """Return Final by value of one axis; no parts when the data do not say."""
        by_value: dict[str, list[Row]] = {}
        for row in self.parts:
            if row["axis"] == axis:
                rows = by_value.setdefault(row["value"], [])
                rows.append(row)
        if list(by_value) == [NOT_GIVEN]:
            return []
        return [self._part(value, rows) for value, rows in by_value.items()]

    def _part(self, value: str, rows: Sequence[Row]) -> Part:
        """Return one value of an axis from the rows of all models."""
        by_model = {row["model"]: row for row in rows}
        finals = []
        for model in self.models:
            finals.append(by_model[model]["final"])
        tasks: int = rows[0]["tasks"]
        return Part(value, tasks, finals)


def leaderboard_cells(row: Row) -> list[str]:
    """Return a row of the leaderboard under `HEADERS`."""
    counts = [str(row[key]) for key in COUNTS]
    scores = [format_score(row[key]) for key in SCORES]
    return [row["model"], *counts, *scores]


def format_score(score: float | None) -> str:
    """Return a score with three decimals, or a dash."""
    if score is None:
        return "-"
    return f"{score:.3f}"


def cause_of(score: TaskScore) -> str:
    """Return what ended a task: one of `CAUSES`."""
    if score.status is ScoreStatus.MISSING:
        return NO_PAGE
    if score.status is ScoreStatus.UNSCORED:
        return UNSCORED
    if score.failed_by is None:
        return ALL_PASSED
    return score.failed_by.value


def failure_counts(scores: Sequence[TaskScore]) -> dict[str, Counter[str]]:
    """Return by model, each repeat for itself, how many tasks ended by each of `CAUSES`."""
    counts: dict[str, Counter[str]] = {}
    for score in scores:
        counter = counts.setdefault(score.model, Counter())
        counter[cause_of(score)] += 1
    return counts


def summarise(
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
) -> Summary:
    """Return everything the report needs.

    Heavy libraries are loaded only when scores changed since the last report.
    """
    scores = read_scores(models, tasks, config, paths)
    means = over_repeats(scores)
    rows = leaderboard(scores)
    ranking = [row["model"] for row in rows]
    trust = judge_trust(scores, config, paths)
    return Summary(
        config=config,
        tasks=tasks,
        scores=scores,
        means=means,
        rows=rows,
        parts=breakdown(scores),
        intervals=_intervals(means, paths.report / "intervals.json"),
        kinds=_kinds(models, tasks, paths),
        repeats=repeats_of(scores),
        costs=costs(_names_by_model(models, ranking), tasks, paths),
        trust=trust.sentence,
        selftest=trust.selftest,
    )


def _names_by_model(names: Sequence[str], models: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of the repeats of each model."""
    by_model: dict[str, list[str]] = {model: [] for model in models}
    for name in names:
        by_model[model_of(name)].append(name)
    return by_model


def _kinds(
    models: Sequence[str],
    tasks: Sequence[Task],
    paths: RunPaths,
) -> dict[str, str]:
    """Return the kind of each model of which a page is recorded."""
    kinds = {}
    for model in models:
        kind = _kind(model, tasks, paths)
        if kind:
            kinds[model] = kind
    return kinds


def _kind(
    model: str,
    tasks: Sequence[Task],
    paths: RunPaths,
) -> str | None:
    """Return the kind of a model, from the first page that is recorded."""
    for task in tasks:
        record = readable(paths.task(model, task.id).generation, Generation)
        if record is not None:
            return record.fingerprint.get("model.kind")
    return None


def _intervals(scores: Sequence[TaskScore], file: Path) -> Intervals:
    """Return the intervals, taken from `file` when its scores were the same."""
    values = _values(scores)
    source = digest(values)
    record = read_json(file)
    if record.get("source") == source:
        intervals: Intervals = record["intervals"]
        return intervals
    intervals = {}
    for model, by_name in values.items():
        ends = intervals.setdefault(model, {})
        for name, numbers in by_name.items():
            ends[name] = interval(numbers)
    record = {
        "source": source,
        "level": LEVEL,
        "intervals": intervals,
    }
    write_atomic(file, json.dumps(record, indent=1) + "\n")
    return intervals


def _values(scores: Sequence[TaskScore]) -> dict[str, dict[str, list[float]]]:
    """Return the values behind each mean that has an interval: model -> score -> by task."""
    values: dict[str, dict[str, list[float]]] = {}
    for score in counted_in_means(scores):
        by_name = values.setdefault(score.model, {})
        for name in WITH_INTERVAL:
            numbers = by_name.setdefault(name, [])
            numbers.append(getattr(score, name))
    return values


def read_json(file: Path) -> dict[str, Any]:
    """Return the object in a file of the report; empty when it is missing or damaged."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(record, dict):
        return {}
    return record
