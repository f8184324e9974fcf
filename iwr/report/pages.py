"""Renders the pages of one report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from iwr.records import Classification, Generation, Rollout, ScoreStatus, Task, TaskScore
from iwr.report import costs, repeats
from iwr.report.evidence import frame_times, prompt_of, questions_by_step
from iwr.report.figure import Figure
from iwr.report.links import link_or_copy
from iwr.report.metric_means import metric_means
from iwr.report.moments import Moments
from iwr.report.published import NOTE, published_scores
from iwr.report.steps import StepArranger
from iwr.report.summary import (
    CAUSES,
    CEILING,
    FLOOR,
    Summary,
    failure_counts,
    format_score,
)
from iwr.report.templating import environment
from iwr.report.trust import HEADERS, KindRow, kind_rows, misses_by_kind
from iwr.report.views import Cell, answer_facts, cell, neighbours, outcome, page_url, tint_of
from iwr.runs.files import readable, write_atomic
from iwr.runs.paths import ReportPaths, RunPaths
from iwr.scores import formula
from iwr.scores.aggregate import AXES, NOT_GIVEN, Row

TEXTS = {
    "reply": "raw reply",
    "source": "source",
    "questions": "all questions to the judge",
}
"""What can be opened as text: file name -> name of the link."""

Variables = dict[str, Any]
"""What a template can use, by name."""


class Pages:
    """Renders the pages of one report."""

    def __init__(
        self,
        summary: Summary,
        paths: RunPaths,
        report: ReportPaths,
    ):
        self.summary = summary
        self.paths = paths
        self.report = report
        self.environment = environment()
        self.cells: dict[tuple[str, str], Cell] = {}
        for score in summary.scores:
            self.cells[score.model, score.task] = self._cell(score)
        self.tasks = {task.id: task for task in summary.tasks}
        self.repeat_names = summary.repeat_names

    def write_task(self, score: TaskScore, moments: Moments) -> None:
        """Write the page of one model and task. Raises DataError when the disk refuses."""
        task = self.tasks[score.task]
        files = self.paths.task(score.model, score.task)
        judged = files.judge(score.judge)
        rollout = readable(judged.rollout, Rollout)
        if rollout is not None:
            self._link_screenshots(score, rollout, judged.folder)
        links = self._link_texts(score)
        generation = readable(files.generation, Generation)
        source = _text_of(files.page)
        lines = 0
        if source:
            lines = len(source.splitlines())
        questions = questions_by_step(judged.calls)
        arranger = StepArranger(task, score, rollout, moments, questions)
        template = self.environment.get_template("task.html")
        page = template.render(
            **self._task_places(score),
            **_task_facts(task, score, rollout),
            steps=arranger.views(),
            failing=arranger.failing,
            moments=moments,
            frames=frame_times(generation, moments),
            answer=answer_facts(generation),
            prompt=prompt_of(task, generation),
            links=links,
            source=source,
            lines=lines,
        )
        write_atomic(self.report.page(score.model, score.task), page)

    def _link_texts(self, score: TaskScore) -> dict[str, str]:
        """Link what can be opened as text; return the addresses from the page, by name."""
        files = self.paths.task(score.model, score.task)
        texts = {
            "reply": files.reply,
            "source": files.page,
            "questions": files.judge(score.judge).calls,
        }
        links = {}
        for name, file in texts.items():
            target = self.report.evidence(score.model, score.task, name)
            if not file.is_file():
                target.unlink(missing_ok=True)
                continue
            link_or_copy(file, target)
            label = TEXTS[name]
            links[label] = f"{score.task}/{target.name}"
        return links

    def write_selftest(self) -> None:
        """Write the page of what the judge was wrong about; remove it where it does not apply."""
        record = self.summary.selftest
        if record is None or not record.misses:
            self.report.selftest.unlink(missing_ok=True)
            return
        folder = self.paths.selftest_pictures(record.judge)
        for miss in record.misses:
            for name in (miss.before, miss.after):
                if not name:
                    continue
                picture = folder / name
                if picture.is_file():
                    link_or_copy(picture, self.report.selftest_picture(name))
        template = self.environment.get_template("selftest.html")
        page = template.render(
            root="",
            run=self.paths.folder.name,
            record=record,
            groups=misses_by_kind(record),
        )
        write_atomic(self.report.selftest, page)

    def _link_screenshots(
        self,
        score: TaskScore,
        rollout: Rollout,
        folder: Path,
    ) -> None:
        """Link the screenshots of one rollout, as far as they are on disk."""
        for step in rollout.steps:
            if step.screenshot is None:
                continue
            file = folder / step.screenshot
            if file.is_file():
                target = self.report.screenshot(
                    score.model,
                    score.task,
                    step.step,
                )
                link_or_copy(file, target)

    def _task_places(self, score: TaskScore) -> Variables:
        """Return where a page is, and what is beside it."""
        before, after = neighbours(list(self.tasks), score.task)
        following = neighbours(self.repeat_names, score.model).after
        if following is None and len(self.repeat_names) > 1:
            following = self.repeat_names[0]
        return {
            "root": "../../",
            "run": self.paths.folder.name,
            "before": before,
            "after": after,
            "others": self._cells(score.task),
            "next_model": following,
        }

    def index(self, figures: list[Figure]) -> str:
        """Return the text of index.html."""
        summary = self.summary
        baselines = []
        for row in summary.baselines((*FLOOR, *CEILING)):
            baselines.append(row["model"])
        unscored = []
        for score in summary.scores:
            if score.status is ScoreStatus.UNSCORED:
                unscored.append(score)
        misses = {}
        judge_rows: list[KindRow] = []
        if summary.selftest:
            misses = misses_by_kind(summary.selftest)
            judge_rows = kind_rows(summary.selftest)
        template = self.environment.get_template("index.html")
        return template.render(
            **self._tables(),
            baselines=baselines,
            sentences=_sentences(summary),
            metrics=metric_means(summary.scores),
            repeats_note=repeats.NOTE,
            repeats_headers=repeats.HEADERS,
            repeats_rows=[repeats.cells(row) for row in summary.repeats],
            judge_headers=HEADERS,
            judge_rows=judge_rows,
            judge_misses=misses,
            failures=failure_counts(summary.scores),
            unscored=unscored,
            costs=costs,
            figures=figures,
            published=published_scores(),
            published_note=NOTE,
        )

    def gallery(self) -> str:
        """Return the text of gallery.html: each reference beside the pages of all models."""
        return self.environment.get_template("gallery.html").render(**self._tables())

    def _tables(self) -> Variables:
        """Return what index and gallery both need."""
        return {
            "root": "",
            "run": self.paths.folder.name,
            "summary": self.summary,
            "config": self.summary.config,
            "formula": formula.TEXT,
            "causes": CAUSES,
            "models": self.summary.models,
            "repeat_names": self.repeat_names,
            "axes": self._axes(),
            "matrix": [self._line(task) for task in self.summary.tasks],
            "tint_of": tint_of,
        }

    def _axes(self) -> list[Variables]:
        """Return the parts of the taxonomy that the data give: {key, name, parts}."""
        axes = []
        for key in AXES:
            parts = self.summary.parts_of(key)
            if not parts:
                continue
            axis = {
                "key": key,
                "name": key.replace("_", " "),
                "parts": parts,
            }
            axes.append(axis)
        return axes

    def _line(self, task: Task) -> Variables:
        """Return one task in the list of all tasks."""
        cells = self._cells(task.id)
        causes = {cell.cause for cell in cells}
        line: Variables = {
            "task": task.id,
            "cells": cells,
            "outcomes": "|".join(sorted(causes)),
        }
        for key in AXES:
            line[key] = getattr(task.classification, key) or NOT_GIVEN
        return line

    def _cells(self, task: str) -> list[Cell]:
        """Return the results on one task, in the order of the leaderboard."""
        return [self.cells[model, task] for model in self.repeat_names]

    def _cell(self, score: TaskScore) -> Cell:
        """Return one result; only the rollout knows at which step an unscored one ended."""
        files = self.paths.task(score.model, score.task)
        judged = files.judge(score.judge)
        rollout = None
        if score.status is ScoreStatus.UNSCORED:
            rollout = readable(judged.rollout, Rollout)
        picture = None
        if judged.screenshot(0).is_file():
            picture = f"pages/{score.model}/{score.task}/step_0.png"
        return cell(score, page_url(score, rollout), picture)


def _task_facts(
    task: Task,
    score: TaskScore,
    rollout: Rollout | None,
) -> Variables:
    """Return what the records say of one model and task."""
    return {
        "task": task,
        "score": score,
        "outcome": outcome(score),
        "classification": _classification(score.classification),
        "formula": formula,
    }


def _classification(classification: Classification) -> dict[str, str]:
    """Return the task's place in the taxonomy, for reading."""
    facts = {}
    for name, value in classification:
        if value:
            label = name.replace("_", " ").capitalize()
            facts[label] = value
    return facts


def _sentences(summary: Summary) -> list[str]:
    """Return what is written below the leaderboard."""
    sentences = [
        *_baseline_sentence("Floor", summary.baselines(FLOOR)),
        *_baseline_sentence("Ceiling", summary.baselines(CEILING)),
    ]
    if summary.caution:
        sentences.append(summary.caution)
    sentences.append(summary.trust)
    return sentences


def _baseline_sentence(name: str, rows: list[Row]) -> list[str]:
    """Return what is reached without a model, as a sentence; none without baselines."""
    if not rows:
        return []
    finals = []
    for row in rows:
        final = format_score(row["final"])
        finals.append(f"{row['model']} {final}")
    return [f"{name}, from baselines that are no models: {', '.join(finals)}."]


def _text_of(file: Path) -> str | None:
    """Return a file as text; None when there is none."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
