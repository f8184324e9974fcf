"""What every form of the report shows, gathered once from the records of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import Config
from iwr.records import Generation, ScoreStatus, Task, TaskScore, digest
from iwr.report.costs import Cost, costs
from iwr.report.trust import judge_trust
from iwr.runs.files import readable, write_atomic
from iwr.runs.paths import RunPaths
from iwr.scores.aggregate import SCORES, Row, breakdown, counted_in_means, leaderboard
from iwr.scores.stage import recorded
from iwr.stats import FEW, LEVEL, interval

FLOOR, CEILING = ("blank", "screenshot"), ("oracle",)  # kinds of baselines, worst first
WITH_INTERVAL = ("ifs", "vfs", "final")
COUNTS = ("tasks", "missing", "unscored")
HEADERS = ("Model", "Tasks", "Missing", "Unscored", "IFS", "Low", "High", "VFS", "Final")
CAUSES = ("all steps passed", "page", "action", "assertion", "no page", "unscored")
Intervals = dict[str, dict[str, tuple[float, float] | None]]
"""model -> score -> 95 % interval of its mean over tasks."""


class Summary(NamedTuple):
    config: Config
    tasks: Sequence[Task]
    scores: list[TaskScore]  # of every model and task, in the order they were asked for
    rows: list[Row]  # the leaderboard, best first
    parts: list[Row]  # by domain and complexity
    intervals: Intervals
    kinds: dict[str, str]  # model -> kind of contestant, where a page of it is recorded
    costs: list[Cost]  # of the models that wrote something
    trust: str  # what the self-test says of the judge

    def baselines(self, kinds: Sequence[str]) -> list[Row]:
        """Rows of the contestants that are no models, in the order of `kinds`."""
        return [row for kind in kinds for row in self.rows if self.kinds.get(row["model"]) == kind]

    def span(self, model: str, score: str) -> str:
        """The interval as text."""
        ends = self.intervals.get(model, {}).get(score)
        return f"{shown(ends[0])} to {shown(ends[1])}" if ends else shown(None)

    @property
    def caution(self) -> str | None:
        few = len(self.tasks) < FEW
        return (
            f"Intervals over fewer than {FEW} tasks are too narrow: read them as a lower bound of the uncertainty."
            if few
            else None
        )


def cells(row: Row) -> list[str]:
    """A row of the leaderboard under `HEADERS`."""
    return [row["model"], *(str(row[key]) for key in COUNTS), *(shown(row[key]) for key in SCORES)]


def shown(score: float | None) -> str:
    return "-" if score is None else f"{score:.3f}"


def failures(scores: Sequence[TaskScore]) -> dict[str, Counter[str]]:
    """By model: how many tasks ended by each of `CAUSES`."""
    counts: dict[str, Counter[str]] = {}
    for score in scores:
        cause = {ScoreStatus.MISSING: "no page", ScoreStatus.UNSCORED: "unscored"}.get(score.status)
        counts.setdefault(score.model, Counter())[
            cause or score.failed_by or "all steps passed"
        ] += 1
    return counts


def summarise(
    models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths
) -> Summary:
    """Everything the report needs. Heavy libraries are loaded only when scores changed since the last report."""
    scores = recorded(models, tasks, config, paths)
    kinds = {model: kind for model in models if (kind := _kind(model, tasks, paths))}
    found = _intervals(scores, paths.report / "intervals.json")
    rows = leaderboard(scores)
    spent = costs([row["model"] for row in rows], tasks, paths)
    return Summary(
        config,
        tasks,
        scores,
        rows,
        breakdown(scores),
        found,
        kinds,
        spent,
        judge_trust(scores, config, paths),
    )


def _kind(model: str, tasks: Sequence[Task], paths: RunPaths) -> str | None:
    for task in tasks:
        record = readable(paths.task(model, task.id).generation, Generation)
        if record is not None:
            return record.fingerprint.get("model.kind")
    return None


def _intervals(scores: Sequence[TaskScore], file: Path) -> Intervals:
    """Taken from `file` when they were computed from the same scores."""
    values: dict[str, dict[str, list[float]]] = {}
    for score in counted_in_means(scores):
        for name in WITH_INTERVAL:
            values.setdefault(score.model, {}).setdefault(name, []).append(getattr(score, name))
    made_from = digest(values)
    old = _read(file)
    if old.get("made_from") == made_from:
        return old["intervals"]
    found = {
        model: {name: interval(of) for name, of in by_name.items()}
        for model, by_name in values.items()
    }
    write_atomic(
        file,
        json.dumps({"made_from": made_from, "level": LEVEL, "intervals": found}, indent=1) + "\n",
    )
    return found


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # none yet, or damaged: made again
