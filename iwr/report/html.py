"""The HTML report: a folder that opens from disk, needs no server and no network, and runs no page of any model.

Only what changed since the last report is made again. Pictures and recordings are hard links where the file system
allows it, so the folder costs little space and can still be copied or packed as it is.
"""

from __future__ import annotations

import json
import os
import shutil
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from iwr.errors import DataError
from iwr.records import Generation, Rollout, ScoreStatus, Task, TaskScore, digest
from iwr.report import costs
from iwr.report.figure import Figure
from iwr.report.published import NOTE, published
from iwr.report.summary import CAUSES, CEILING, FLOOR, Summary, failures, shown
from iwr.report.views import answer_facts, cause, cell, neighbours, outcome, steps_of
from iwr.runs.files import part_of, readable, write_atomic
from iwr.runs.paths import ReportPaths, RunPaths
from iwr.scores import formula
from iwr.scores.aggregate import AXES

STATIC = ("report.css", "report.js", "icon.svg")
TEMPLATES = (*STATIC, "base.html", "macros.html", "index.html", "task.html")


def write_html(summary: Summary, paths: RunPaths, figures: list[Figure]) -> Path:
    """Write the report's pages; returns the one to open. Raises DataError when the disk refuses."""
    report = ReportPaths(paths.report)
    scores = {(score.model, score.task): score for score in summary.scores}
    made = _read(report.made_from)
    wanted = _made_from(summary, paths)
    index = digest(
        wanted,
        summary.rows,
        summary.intervals,
        summary.costs,
        summary.trust,
        [figure._asdict() for figure in figures],
    )
    if made.get("index") == index and all(report.page(*key).is_file() for key in scores):
        return report.index
    pages = _Pages(summary, scores, paths, report)
    for task in summary.tasks:
        pages.share(task)
    for (model, name), score in scores.items():
        key = f"{model}/{name}"
        if made.get(key) != wanted[key] or not report.page(model, name).is_file():
            pages.task(score)
    for name in STATIC:
        write_atomic(report.folder / name, _template(name))
    write_atomic(report.index, pages.index(figures))
    write_atomic(report.made_from, json.dumps(wanted | {"index": index}) + "\n")
    return report.index


def _made_from(summary: Summary, paths: RunPaths) -> dict[str, str]:
    """Page, as model/task -> digest of everything that it shows."""
    names = [task.id for task in summary.tasks]
    beside: dict[str, list[tuple[str, float | None]]] = {name: [] for name in names}
    for score in summary.scores:
        beside[score.task].append((score.model, score.final))
    code = [Path(__file__).with_name(name).read_bytes() for name in ("html.py", "views.py")]
    shared = digest(paths.folder.name, *map(_template, TEMPLATES), *code)

    def one(score: TaskScore) -> str:
        own = paths.task(score.model, score.task)
        stamps = [
            _stamp(path) for path in (own.generation, own.page, own.judge(score.judge).rollout)
        ]
        return digest(
            shared,
            score.model_dump(mode="json"),
            stamps,
            beside[score.task],
            neighbours(names, score.task),
        )

    return {f"{score.model}/{score.task}": one(score) for score in summary.scores}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


class _Pages:
    """Renders the pages of one report."""

    def __init__(
        self,
        summary: Summary,
        scores: dict[tuple[str, str], TaskScore],
        paths: RunPaths,
        report: ReportPaths,
    ):
        from jinja2 import DictLoader, Environment, StrictUndefined

        self.summary, self.scores, self.paths, self.report = summary, scores, paths, report
        loader = DictLoader({name: _template(name) for name in TEMPLATES if name.endswith(".html")})
        self.environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters["plain"] = plain
        self.tasks = {task.id: task for task in summary.tasks}
        self.models = [row["model"] for row in summary.rows]

    def share(self, task: Task) -> None:
        """What all models' pages of one task show: recording and references."""
        place(task.video, self.report.video(task.id))
        for step, path in task.checkpoints.items():
            place(path, self.report.reference(task.id, step))

    def task(self, score: TaskScore) -> None:
        files_of, task = self.paths.task(score.model, score.task), self.tasks[score.task]
        judged = files_of.judge(score.judge)
        rollout = readable(judged.rollout, Rollout)
        for step in rollout.steps if rollout else ():
            if step.screenshot and (judged.folder / step.screenshot).is_file():
                place(
                    judged.folder / step.screenshot,
                    self.report.screenshot(score.model, score.task, step.step),
                )
        before, after = neighbours(list(self.tasks), task.id)
        source = _source(files_of.page)
        page = self.environment.get_template("task.html").render(
            root="../../",
            run=self.paths.folder.name,
            task=task,
            score=score,
            outcome=outcome(score),
            before=before,
            after=after,
            others=[self.scores[model, task.id] for model in self.models],
            next_model=(self.models * 2)[self.models.index(score.model) + 1]
            if len(self.models) > 1
            else None,
            classification=[
                (name.replace("_", " ").capitalize(), value)
                for name, value in score.classification
                if value
            ],
            refused=", ".join(f"{count} {kind}" for kind, count in rollout.refused.items())
            if rollout
            else "",
            steps=steps_of(task, score, rollout),
            answer=answer_facts(readable(files_of.generation, Generation)),
            source=source,
            source_length=len(source or ""),
        )
        write_atomic(self.report.page(score.model, score.task), page)

    def index(self, figures: list[Figure]) -> str:
        summary = self.summary
        baselines = {
            name: summary.baselines(kinds)
            for name, kinds in (("Floor", FLOOR), ("Ceiling", CEILING))
        }
        lists = {
            name: ", ".join(f"{row['model']} {shown(row['final'])}" for row in rows)
            for name, rows in baselines.items()
            if rows
        }
        sentences = [
            f"{name}, from baselines that are no models: {found}." for name, found in lists.items()
        ]
        return self.environment.get_template("index.html").render(
            root="",
            run=self.paths.folder.name,
            summary=summary,
            config=summary.config,
            formula=formula.TEXT,
            causes=CAUSES,
            models=self.models,
            baselines={row["model"] for rows in baselines.values() for row in rows},
            sentences=[*sentences, *filter(None, [summary.caution]), summary.trust],
            failures=failures(summary.scores),
            axes=[axis for name in AXES if (axis := self._axis(name))["parts"]],
            matrix=[self._line(task) for task in summary.tasks],
            unscored=[score for score in summary.scores if score.status is ScoreStatus.UNSCORED],
            costs=costs,
            figures=figures,
            published=published(),
            published_note=NOTE,
        )

    def _axis(self, key: str) -> dict[str, Any]:
        """One part of the taxonomy: {key, name, parts: [{value, tasks, finals}]}; no parts when the data do not say."""
        rows = [row for row in self.summary.parts if row["axis"] == key]
        finals = {(row["value"], row["model"]): row["final"] for row in rows}
        tasks = {row["value"]: row["tasks"] for row in rows}
        parts = [
            {"value": v, "tasks": n, "finals": [finals[v, model] for model in self.models]}
            for v, n in tasks.items()
        ]
        return {
            "key": key,
            "name": key.replace("_", " "),
            "parts": parts if set(tasks) != {"(not given)"} else [],
        }

    def _line(self, task: Task) -> dict[str, Any]:
        """One task in the list of all tasks."""
        scores = [self.scores[model, task.id] for model in self.models]
        axes = {key: getattr(task.classification, key) or "(not given)" for key in AXES}
        return axes | {
            "task": task.id,
            "cells": list(map(cell, scores)),
            "outcomes": "|".join(sorted(set(map(cause, scores)))),
        }


VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {127: 0x2421}
# C1 controls, half surrogate pairs, and marks that turn the direction of the text behind them
VISIBLE |= dict.fromkeys(
    [*range(128, 160), *range(0xD800, 0xE000), *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    0xFFFD,
)


def plain(text: object, limit: int) -> str:
    """Text that only shows itself: control characters made visible, cut at `limit` characters and saying so."""
    words = str(text)
    cut = f" … (cut: {len(words):,} characters)" if len(words) > limit else ""
    return words[:limit].translate(VISIBLE) + cut


def place(source: Path, target: Path) -> None:
    """`source` under the name `target`: a hard link, or a copy on another file system. Done before: nothing happens."""
    try:
        if _stamp(source) == _stamp(target):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = part_of(target)
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copy2(source, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise DataError(
            f"cannot put {source} into the report: {error.strerror}",
            hint="free disk space or move run.root",
        ) from error


def _source(page: Path) -> str | None:
    try:
        return page.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


@cache
def _template(name: str) -> str:
    return files("iwr.report").joinpath("templates", name).read_text(encoding="utf-8")


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # none yet, or damaged: all is made again
