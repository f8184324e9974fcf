"""The tables of a run: leaderboard.json, leaderboard.csv, tasks.jsonl, breakdown.json, costs.json, report.md, the console's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iwr.config import Config
from iwr.records import Task
from iwr.report.figure import write_figures
from iwr.report.html import write_html
from iwr.report.markdown import markdown
from iwr.report.summary import COUNTS, HEADERS, Summary, cells, shown, summarise
from iwr.runs.files import write_atomic
from iwr.runs.paths import RunPaths
from iwr.scores.aggregate import SCORES, Row

if TYPE_CHECKING:
    from rich.console import Console

TASK_KEYS = (
    "model",
    "task",
    "status",
    "steps",
    "passed",
    "ifs",
    "low",
    "high",
    "vfs",
    "final",
    "failed_step",
    "failed_by",
)


def write_report(
    models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths
) -> Summary:
    """Write <run>/report/ from the records on disk; returns what it shows.

    Raises DataError when the disk refuses.
    """
    summary = summarise(models, tasks, config, paths)
    lines = [
        json.dumps({key: score.model_dump(mode="json")[key] for key in TASK_KEYS})
        for score in summary.scores
    ]
    write_atomic(paths.report / "leaderboard.json", json.dumps(summary.rows, indent=1) + "\n")
    write_atomic(paths.report / "leaderboard.csv", _csv(summary.rows))
    write_atomic(paths.report / "tasks.jsonl", "".join(line + "\n" for line in lines))
    write_atomic(paths.report / "breakdown.json", json.dumps(summary.parts, indent=1) + "\n")
    write_atomic(paths.report / "costs.json", json.dumps(summary.costs, indent=1) + "\n")
    write_atomic(paths.report / "report.md", markdown(summary))
    write_html(summary, paths, write_figures(summary, paths))
    return summary


def print_leaderboard(rows: Sequence[Row], note: str) -> None:
    """The leaderboard on standard output."""
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(_title(rows)), caption=Text(note), title_justify="left", caption_justify="left"
    )
    for index, header in enumerate(HEADERS):
        table.add_column(header, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, cells(row)))
    _console(90 + max((len(row["model"]) for row in rows), default=0)).print(table)


def print_comparison(found: dict[str, Any]) -> None:
    """What `iwr.scores.paired.compare` found, on standard output."""
    from rich.table import Table

    title = f"{found['first']} against {found['second']}: judge {found['judge']}, protocol {found['protocol']}, {found['tasks']} tasks"
    table = Table()
    for index, header in enumerate(
        ("Score", "First", "Second", "Difference", "95 % interval", "p")
    ):
        table.add_column(header, justify="left" if index == 0 else "right", no_wrap=True)
    for name, row in found["scores"].items():
        if row:
            ends = " to ".join(f"{end:+.3f}" for end in row["interval"]) if row["interval"] else "-"
            chance = "-" if row["p"] is None else f"{row['p']:.4f}"
            table.add_row(
                name,
                shown(row["first"]),
                shown(row["second"]),
                f"{row['difference']:+.3f}",
                ends,
                chance,
            )
    print(title)
    _console(90).print(table)
    print(
        f"The second one is better on {found['won']} tasks, worse on {found['lost']}, equal on {found['tied']}."
    )
    for key, words in (
        ("unscored", "unscored in one of them"),
        ("only_first", "only in the first"),
        ("only_second", "only in the second"),
    ):
        if found[key]:
            print(f"Left out: {found[key]} tasks {words}.")


def _console(width: int) -> Console:
    """Standard output; where that is no terminal, wide enough for `width` columns."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, width))


def _title(rows: Sequence[Row]) -> str:
    names = {(row["judge"], row["protocol"]) for row in rows}
    return "; ".join(f"judge {judge}, protocol {protocol}" for judge, protocol in sorted(names))


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, ["model", "judge", "protocol", *COUNTS, *SCORES], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
