"""The tables of a run: leaderboard.json, leaderboard.csv, tasks.jsonl, report.md, and the one on the console."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

from iwr.config import Config
from iwr.records import ScoreStatus, Task, TaskScore
from iwr.runs import RunPaths, write_atomic
from iwr.scores import formula
from iwr.scores.aggregate import SCORES, Row, leaderboard
from iwr.scores.stage import recorded

TASK_KEYS = ("model", "task", "status", "steps", "passed", "ifs", "low", "high", "vfs", "final", "failed_step", "failed_by")
COUNTS = ("tasks", "missing", "unscored")
HEADERS = ("Model", "Tasks", "Missing", "Unscored", "IFS", "Low", "High", "VFS", "Final")


def write_report(models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths) -> list[Row]:
    """Write <run>/report/ from the records on disk; returns the leaderboard's rows, best first.

    Raises DataError when the disk refuses.
    """
    scores = recorded(models, tasks, config, paths)
    rows = leaderboard(scores)
    lines = [json.dumps({key: score.model_dump(mode="json")[key] for key in TASK_KEYS}) for score in scores]
    write_atomic(paths.report / "leaderboard.json", json.dumps(rows, indent=1) + "\n")
    write_atomic(paths.report / "leaderboard.csv", _csv(rows))
    write_atomic(paths.report / "tasks.jsonl", "".join(line + "\n" for line in lines))
    write_atomic(paths.report / "report.md", _markdown(rows, scores, config))
    return rows


def print_leaderboard(rows: Sequence[Row], note: str) -> None:
    """The leaderboard on standard output."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, 60 + max((len(row["model"]) for row in rows), default=0)))
    table = Table(title=Text(_title(rows)), caption=Text(note), title_justify="left", caption_justify="left")
    for index, header in enumerate(HEADERS):
        table.add_column(header, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
    console.print(table)


def published() -> list[dict[str, str]]:
    """Scores that others published, in percent, as they stand in published_scores.csv."""
    text = files("iwr.report").joinpath("published_scores.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def shown(score: float | None) -> str:
    return "-" if score is None else f"{score:.3f}"


def _title(rows: Sequence[Row]) -> str:
    names = {(row["judge"], row["protocol"]) for row in rows}
    return "; ".join(f"judge {judge}, protocol {protocol}" for judge, protocol in sorted(names))


def _cells(row: Row) -> list[str]:
    return [row["model"], *(str(row[key]) for key in COUNTS), *(shown(row[key]) for key in SCORES)]


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["model", "judge", "protocol", *COUNTS, *SCORES], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _markdown(rows: Sequence[Row], scores: Sequence[TaskScore], config: Config) -> str:
    engines = sorted({f"{name}: {engine}" for score in scores for name, engine in score.engines.items()})
    parts = [
        "# Leaderboard",
        f"Judge `{config.judge.name}`, protocol `{config.protocol.name}`. {_inline(config.protocol.note)}",
        f"Scores are in [0, 1]: {formula.TEXT}. Missing pages count as 0; unscored tasks are left out of the means.",
        *([f"Computed by {_inline('; '.join(engines))}."] if engines else []),
        _table(HEADERS, map(_cells, rows)),
        "## Where pages failed",
        _table(("Model", *CAUSES), _failures(scores)),
        *_unscored(scores),
        "## Published scores, not comparable",
        "Judged by API models under the paper's protocol: for orientation, never ranked with the rows above. In percent.",
        _table(("Model", "IFS", "Low", "High", "VFS", "Final", "Source"),
               ([row[key] for key in ("model", "ifs", "low_level", "high_level", "vfs", "final", "source")] for row in published())),
    ]
    return "\n\n".join(parts) + "\n"


CAUSES = ("all steps passed", "page", "action", "assertion", "no page", "unscored")


def _failures(scores: Sequence[TaskScore]) -> list[list[str]]:
    """By model: how many tasks ended by each cause."""
    counts: dict[str, Counter[str]] = {}
    for score in scores:
        if score.status is ScoreStatus.OK:
            cause = score.failed_by.value if score.failed_by else "all steps passed"
        else:
            cause = "no page" if score.status is ScoreStatus.MISSING else "unscored"
        counts.setdefault(score.model, Counter())[cause] += 1
    return [[model, *(str(count[cause]) for cause in CAUSES)] for model, count in counts.items()]


def _unscored(scores: Sequence[TaskScore]) -> list[str]:
    rows = [[score.model, score.task, score.reason or ""] for score in scores if score.status is ScoreStatus.UNSCORED]
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
