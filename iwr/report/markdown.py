"""report.md: the report as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iwr.records import ScoreStatus, TaskScore
from iwr.report import repeats
from iwr.report.costs import COLUMNS, cost_cells
from iwr.report.costs import NOTE as COSTS_NOTE
from iwr.report.published import NOTE as PUBLISHED_NOTE
from iwr.report.published import published_scores
from iwr.report.summary import (
    CAUSES,
    CEILING,
    FLOOR,
    HEADERS,
    Summary,
    failure_counts,
    format_score,
    leaderboard_cells,
)
from iwr.report.trust import HEADERS as JUDGE_HEADERS
from iwr.report.trust import kind_rows
from iwr.scores import formula
from iwr.scores.aggregate import AXES, Row

LONGEST = 500  # characters in one cell

PUBLISHED_COLUMNS = {
    "Model": "model",
    "IFS": "ifs",
    "Low": "low_level",
    "High": "high_level",
    "VFS": "vfs",
    "Final": "final",
    "Source": "source",
}


def markdown(summary: Summary) -> str:
    """Return the text of report.md."""
    paragraphs = [
        *_introduction(summary),
        *_leaderboard(summary),
        *_repeats(summary),
        *_judge(summary),
        *_failures(summary.scores),
        *_unscored(summary.scores),
    ]
    for axis in AXES:
        paragraphs += _axis(axis, summary)
    paragraphs += _costs(summary)
    paragraphs += _published()
    return "\n\n".join(paragraphs) + "\n"


def _introduction(summary: Summary) -> list[str]:
    """Return judge, protocol, formula and engines."""
    judge, protocol = summary.config.judge, summary.config.protocol
    paragraphs = [
        "# Leaderboard",
        f"Judge `{judge.name}`, protocol `{protocol.name}`. {_inline(summary.caption)}",
        f"Scores are in [0, 1]: {formula.TEXT}. Missing pages count as 0; unscored tasks are left "
        "out of the means.",
    ]
    engines = set()
    for score in summary.scores:
        for name, engine in score.engines.items():
            engines.add(f"{name}: {engine}")
    if engines:
        paragraphs.append(f"Computed by {_inline('; '.join(sorted(engines)))}.")
    return paragraphs


def _leaderboard(summary: Summary) -> list[str]:
    """Return the table of all models, and what is to know about it."""
    lines = []
    for row in summary.rows:
        span = summary.span(row["model"], "final")
        lines.append([*leaderboard_cells(row), span])
    paragraphs = [
        _table((*HEADERS, "Final, 95 %"), lines),
        *_baselines("Floor", summary.baselines(FLOOR)),
        *_baselines("Ceiling", summary.baselines(CEILING)),
    ]
    if summary.caution:
        paragraphs.append(summary.caution)
    paragraphs.append(_inline(summary.trust))
    return paragraphs


def _repeats(summary: Summary) -> list[str]:
    """Return how repeats of a model differ; nothing where no model has any."""
    if not summary.repeats:
        return []
    rows = [repeats.cells(row) for row in summary.repeats]
    return ["## Repeats", repeats.NOTE, _table(repeats.HEADERS, rows)]


def _judge(summary: Summary) -> list[str]:
    """Return the self-test of the judge by kind of question; nothing where it does not apply."""
    record = summary.selftest
    if record is None:
        return []
    rows = [row.cells for row in kind_rows(record)]
    paragraphs = ["## Is the judge right?", _table(JUDGE_HEADERS, rows)]
    if record.misses:
        paragraphs.append("Every wrong answer, with its pictures: selftest.html.")
    return paragraphs


def _baselines(name: str, rows: Sequence[Row]) -> list[str]:
    """Return a sentence on what is reached without a model."""
    if not rows:
        return []
    phrases = []
    for row in rows:
        model = row["model"]
        final = format_score(row["final"])
        ifs = format_score(row["ifs"])
        vfs = format_score(row["vfs"])
        phrases.append(f"{model} {final} (IFS {ifs}, VFS {vfs})")
    return [f"{name}, from baselines that are no models: {'; '.join(phrases)}."]


def _failures(scores: Sequence[TaskScore]) -> list[str]:
    """Return how many tasks ended by each cause."""
    lines = []
    for model, counts in failure_counts(scores).items():
        cells = [str(counts[cause]) for cause in CAUSES]
        lines.append([model, *cells])
    headers = ("Model", *CAUSES)
    return [
        "## Where pages failed",
        _table(headers, lines),
    ]


def _unscored(scores: Sequence[TaskScore]) -> list[str]:
    """Return the tasks that have no score, with the reasons; nothing when all have one."""
    lines = []
    for score in scores:
        if score.status is ScoreStatus.UNSCORED:
            lines.append([score.model, score.task, score.reason or ""])
    if not lines:
        return []
    return ["## Unscored", _table(("Model", "Task", "Reason"), lines)]


def _axis(axis: str, summary: Summary) -> list[str]:
    """Return Final by part of the benchmark, a column a model; nothing when the data do not say."""
    parts = summary.parts_of(axis)
    if not parts:
        return []
    name = axis.replace("_", " ")
    lines = []
    for part in parts:
        finals = [format_score(final) for final in part.finals]
        lines.append([part.value, str(part.tasks), *finals])
    headers = (name.capitalize(), "Tasks", *summary.models)
    return [f"## Final by {name}", _table(headers, lines)]


def _costs(summary: Summary) -> list[str]:
    """Return what generation took; nothing when no model wrote anything."""
    if not summary.costs:
        return []
    lines = []
    for cost in summary.costs:
        cells = cost_cells(cost)
        lines.append([cost["model"], *cells.values()])
    headers = ("Model", *COLUMNS.values())
    return [
        "## Generation",
        COSTS_NOTE,
        _table(headers, lines),
    ]


def _published() -> list[str]:
    """Return what others published."""
    lines = []
    for row in published_scores():
        lines.append([row[key] for key in PUBLISHED_COLUMNS.values()])
    return [
        "## Published scores, not comparable",
        f"{PUBLISHED_NOTE} In percent.",
        _table(tuple(PUBLISHED_COLUMNS), lines),
    ]


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rule = ["---"] * len(headers)
    lines = []
    for row in (headers, rule, *rows):
        cells = " | ".join(map(_inline, row))
        lines.append(f"| {cells} |")
    return "\n".join(lines)


def _inline(text: str) -> str:
    """Return text of models and judges as one harmless line of Markdown."""
    line = " ".join(text.split())
    if len(line) > LONGEST:
        line = line[: LONGEST - 1] + "…"
    for mark in "\\`*[]<>|&":
        line = line.replace(mark, "\\" + mark)
    return line
