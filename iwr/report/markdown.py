"""report.md: the report as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from iwr.records import ScoreStatus, TaskScore
from iwr.report import costs
from iwr.report.published import NOTE, published
from iwr.report.summary import CAUSES, CEILING, FLOOR, HEADERS, Summary, cells, failures, shown
from iwr.scores import formula
from iwr.scores.aggregate import AXES, Row


def markdown(summary: Summary) -> str:
    config = summary.config
    engines = sorted(
        {f"{name}: {engine}" for score in summary.scores for name, engine in score.engines.items()}
    )
    parts = [
        "# Leaderboard",
        f"Judge `{config.judge.name}`, protocol `{config.protocol.name}`. {_inline(config.protocol.note)}",
        f"Scores are in [0, 1]: {formula.TEXT}. Missing pages count as 0; unscored tasks are left out of the means.",
        *([f"Computed by {_inline('; '.join(engines))}."] if engines else []),
        _table(
            (*HEADERS, "Final, 95 %"),
            ([*cells(row), summary.span(row["model"], "final")] for row in summary.rows),
        ),
        *filter(
            None,
            [
                _baselines("Floor", summary.baselines(FLOOR)),
                _baselines("Ceiling", summary.baselines(CEILING)),
                summary.caution,
            ],
        ),
        _inline(summary.trust),
        "## Where pages failed",
        _table(
            ("Model", *CAUSES),
            (
                [model, *(count[cause] for cause in CAUSES)]
                for model, count in failures(summary.scores).items()
            ),
        ),
        *_unscored(summary.scores),
        *(part for axis in AXES for part in _axis(axis, summary)),
        *_costs(summary),
        "## Published scores, not comparable",
        f"{NOTE} In percent.",
        _table(
            ("Model", "IFS", "Low", "High", "VFS", "Final", "Source"),
            (
                [
                    row[key]
                    for key in ("model", "ifs", "low_level", "high_level", "vfs", "final", "source")
                ]
                for row in published()
            ),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _baselines(word: str, rows: Sequence[Row]) -> str | None:
    """A sentence on what is reached without a model."""
    found = "; ".join(
        f"{row['model']} {shown(row['final'])} (IFS {shown(row['ifs'])}, VFS {shown(row['vfs'])})"
        for row in rows
    )
    return f"{word}, from baselines that are no models: {found}." if rows else None


def _axis(axis: str, summary: Summary) -> list[str]:
    """Final by part of the benchmark, a column a model; nothing when the data do not say."""
    rows = [row for row in summary.parts if row["axis"] == axis]
    values = list(dict.fromkeys(row["value"] for row in rows))
    if values == ["(not given)"]:
        return []
    finals = {(row["value"], row["model"]): row["final"] for row in rows}
    tasks = {row["value"]: row["tasks"] for row in rows}
    models = [row["model"] for row in summary.rows]
    lines = (
        [value, str(tasks[value]), *(shown(finals[value, model]) for model in models)]
        for value in values
    )
    return [
        f"## Final by {axis.replace('_', ' ')}",
        _table((axis.replace("_", " ").capitalize(), "Tasks", *models), lines),
    ]


def _costs(summary: Summary) -> list[str]:
    rows = ([cost["model"], *costs.cells(cost).values()] for cost in summary.costs)
    return (
        ["## Generation", costs.NOTE, _table(("Model", *costs.COLUMNS.values()), rows)]
        if summary.costs
        else []
    )


def _unscored(scores: Sequence[TaskScore]) -> list[str]:
    rows = [
        [score.model, score.task, score.reason or ""]
        for score in scores
        if score.status is ScoreStatus.UNSCORED
    ]
    return ["## Unscored", _table(("Model", "Task", "Why"), rows)] if rows else []


def _table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(map(_inline, line))} |" for line in lines)


def _inline(text: Any) -> str:
    """Text of models and judges as one harmless line of Markdown."""
    words = " ".join(str(text).split())
    words = words if len(words) <= 500 else words[:499] + "…"
    for mark in "\\`*[]<>|&":
        words = words.replace(mark, "\\" + mark)
    return words
