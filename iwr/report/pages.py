"""Renders the pages of one report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from iwr.records import Classification, Generation, Rollout, ScoreStatus, Task, TaskScore
from iwr.report import costs
from iwr.report.figure import Figure
from iwr.report.links import link_or_copy
from iwr.report.published import NOTE, published_scores
from iwr.report.summary import (
    CAUSES,
    CEILING,
    FLOOR,
    Summary,
    cause_of,
    failure_counts,
    format_score,
)
from iwr.report.templating import environment
from iwr.report.views import answer_facts, cell, neighbours, outcome, step_views
from iwr.runs.files import readable, write_atomic
from iwr.runs.paths import ReportPaths, RunPaths
from iwr.scores import formula
from iwr.scores.aggregate import AXES, NOT_GIVEN, Row

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
        self.scores = {(score.model, score.task): score for score in summary.scores}
        self.tasks = {task.id: task for task in summary.tasks}
        self.models = summary.models

    def write_task(self, score: TaskScore) -> None:
        """Write the page of one model and task. Raises DataError when the disk refuses."""
        files = self.paths.task(score.model, score.task)
        judged = files.judge(score.judge)
        rollout = readable(judged.rollout, Rollout)
        if rollout is not None:
            self._link_screenshots(score, rollout, judged.folder)
        generation = readable(files.generation, Generation)
        source = _source(files.page)
        page = self.environment.get_template("task.html").render(
            **self._task_places(score),
            **_task_facts(self.tasks[score.task], score, rollout),
            answer=answer_facts(generation),
            source=source,
            source_length=len(source or ""),
        )
        write_atomic(self.report.page(score.model, score.task), page)

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
        following = neighbours(self.models, score.model).after
        if following is None and len(self.models) > 1:
            following = self.models[0]
        return {
            "root": "../../",
            "run": self.paths.folder.name,
            "before": before,
            "after": after,
            "others": self._scores_of(score.task),
            "next_model": following,
        }

    def index(self, figures: list[Figure]) -> str:
        """Return the text of index.html."""
        summary = self.summary
        baselines = summary.baselines((*FLOOR, *CEILING))
        unscored = [each for each in summary.scores if each.status is ScoreStatus.UNSCORED]
        return self.environment.get_template("index.html").render(
            root="",
            run=self.paths.folder.name,
            summary=summary,
            config=summary.config,
            formula=formula.TEXT,
            causes=CAUSES,
            models=self.models,
            baselines=[row["model"] for row in baselines],
            sentences=_sentences(summary),
            failures=failure_counts(summary.scores),
            axes=self._axes(),
            matrix=[self._line(task) for task in summary.tasks],
            unscored=unscored,
            costs=costs,
            figures=figures,
            published=published_scores(),
            published_note=NOTE,
        )

    def _axes(self) -> list[Variables]:
        """Return the parts of the taxonomy that the data give: {key, name, parts}."""
        axes = []
        for key in AXES:
            parts = self.summary.parts_of(key)
            if parts:
                axes.append({"key": key, "name": key.replace("_", " "), "parts": parts})
        return axes

    def _line(self, task: Task) -> Variables:
        """Return one task in the list of all tasks."""
        scores = self._scores_of(task.id)
        causes = {cause_of(score) for score in scores}
        line: Variables = {
            "task": task.id,
            "cells": [cell(score) for score in scores],
            "outcomes": "|".join(sorted(causes)),
        }
        for key in AXES:
            line[key] = getattr(task.classification, key) or NOT_GIVEN
        return line

    def _scores_of(self, task: str) -> list[TaskScore]:
        """Return the scores of one task, in the order of the leaderboard."""
        return [self.scores[model, task] for model in self.models]


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
        "refused": _refused_requests(rollout),
        "steps": step_views(task, score, rollout),
    }


def _classification(classification: Classification) -> dict[str, str]:
    """Return the task's place in the taxonomy, for reading."""
    facts = {}
    for name, value in classification:
        if value:
            facts[name.replace("_", " ").capitalize()] = value
    return facts


def _refused_requests(rollout: Rollout | None) -> str:
    """Return how many requests the sandbox blocked, by kind."""
    if rollout is None:
        return ""
    return ", ".join(f"{count} {kind}" for kind, count in rollout.refused.items())


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
    finals = [f"{row['model']} {format_score(row['final'])}" for row in rows]
    return [f"{name}, from baselines that are no models: {', '.join(finals)}."]


def _source(page: Path) -> str | None:
    """Return the page as text; None when there is none."""
    try:
        return page.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
