"""The tables of a run: for scripts as JSON and CSV, for people on the console."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from iwr.config import Config
from iwr.console import plain_table, print_table
from iwr.records import Task, TaskScore
from iwr.report.figure import write_figures
from iwr.report.html import write_html
from iwr.report.markdown import markdown
from iwr.report.summary import (
    COUNTS,
    HEADERS,
    Summary,
    format_score,
    leaderboard_cells,
    summarise,
)
from iwr.runs.files import write_atomic
from iwr.runs.paths import RunPaths
from iwr.scores.aggregate import SCORES, Row

CSV_COLUMNS = ("model", "judge", "protocol", "repeats", *COUNTS, *SCORES)
COMPARISON_HEADERS = ("Score", "First", "Second", "Difference", "95 % interval", "p")

TASK_KEYS = {
    "model",
    "task",
    "status",
    "reason",
    "steps",
    "passed",
    "ifs",
    "low",
    "high",
    "vfs",
    "final",
    "failed_step",
    "failed_by",
}
"""What tasks.jsonl holds of a score, in the order of the record's own fields."""

EXCLUSIONS = {
    "unscored": "unscored in one of them",
    "only_first": "only in the first",
    "only_second": "only in the second",
}


# ---- files -------------------------------------------------------------------------------------


def write_report(
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
) -> Summary:
    """Write <run>/report/ from the records on disk; return what it shows.

    The files are leaderboard.json, leaderboard.csv, tasks.jsonl, breakdown.json, repeats.json,
    costs.json, report.md, the figures and the HTML pages. Raises DataError when the disk refuses.
    """
    summary = summarise(models, tasks, config, paths)
    folder = paths.report
    write_atomic(folder / "leaderboard.json", _json(summary.rows))
    write_atomic(folder / "leaderboard.csv", _csv(summary.rows))
    write_atomic(folder / "tasks.jsonl", _json_lines(summary.scores))
    write_atomic(folder / "breakdown.json", _json(summary.parts))
    write_atomic(folder / "repeats.json", _json([row._asdict() for row in summary.repeats]))
    write_atomic(folder / "costs.json", _json(summary.costs))
    write_atomic(folder / "report.md", markdown(summary))
    figures = write_figures(summary, paths)
    write_html(summary, paths, figures)
    return summary


def _json(rows: Sequence[Row]) -> str:
    """Return records as the text of a JSON file."""
    return json.dumps(rows, indent=1) + "\n"


def _json_lines(scores: Sequence[TaskScore]) -> str:
    """Return one line a task, with `TASK_KEYS`."""
    lines = []
    for score in scores:
        fields = score.model_dump(mode="json", include=TASK_KEYS)
        lines.append(json.dumps(fields) + "\n")
    return "".join(lines)


def _csv(rows: Sequence[Row]) -> str:
    """Return the leaderboard as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# ---- console -----------------------------------------------------------------------------------


def print_leaderboard(rows: Sequence[Row], note: str) -> None:
    """Print the leaderboard on standard output."""
    from rich.text import Text

    table = plain_table(HEADERS)
    for row in rows:
        table.add_row(*map(Text, leaderboard_cells(row)))
    print(_title(rows))
    print_table(table)
    print(note)


def print_comparison(comparison: dict[str, Any]) -> None:
    """Print what `iwr.scores.paired.compare_sides` returned."""
    settings = _settings(comparison["judge"], comparison["protocol"])
    print(
        f"{comparison['first']} against {comparison['second']}: "
        f"{settings}, {comparison['tasks']} tasks"
    )
    table = plain_table(COMPARISON_HEADERS)
    for name, difference in comparison["scores"].items():
        if difference:
            cells = _comparison_cells(difference)
            table.add_row(name, *cells)
    print_table(table)
    print(
        f"The second one is better on {comparison['won']} tasks, "
        f"worse on {comparison['lost']}, "
        f"equal on {comparison['tied']}."
    )
    for key, reason in EXCLUSIONS.items():
        count = comparison[key]
        if count:
            noun = "task" if count == 1 else "tasks"
            print(f"Excluded: {count} {noun} {reason}.")


def _comparison_cells(difference: dict[str, Any]) -> list[str]:
    """Return one score's difference under `COMPARISON_HEADERS`."""
    span = chance = "-"
    if difference["interval"]:
        low, high = difference["interval"]
        span = f"{low:+.3f} to {high:+.3f}"
    if difference["p"] is not None:
        chance = f"{difference['p']:.4f}"
    return [
        format_score(difference["first"]),
        format_score(difference["second"]),
        f"{difference['difference']:+.3f}",
        span,
        chance,
    ]


def _title(rows: Sequence[Row]) -> str:
    """Return judge and protocol; several where the rows differ."""
    titles = {_settings(row["judge"], row["protocol"]) for row in rows}
    return "; ".join(sorted(titles))


def _settings(judge: str, protocol: str) -> str:
    """Return judge and protocol as text."""
    return f"judge {judge}, protocol {protocol}"
