"""Write a run in the files of the reference evaluator (its evaluate.py and utils/metrics.py).

    <folder>/<task>/<model>/index.html          the page; assets by a path relative to it
    <folder>/<task>/<model>/evalpoints/<k>.png  screenshot k
    <folder>/<task>/<model>/eval.json           verdicts and scores
    <folder>/reports/<model>_metrics.md         a row a task, in percent, and their mean

`<model>` is in lower case, with "__" for "/".
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from iwr.browser.site import PLACEHOLDER
from iwr.config import Config
from iwr.errors import ConfigError
from iwr.records import Rollout, ScoreStatus, Step, Task, TaskScore
from iwr.runs.files import readable, write_atomic
from iwr.runs.paths import JudgePaths, RunPaths, TaskPaths, safe_name
from iwr.scores.formula import Score, mean

JsonObject = dict[str, Any]

COMPARED = ("ocr", "dino")
"""The metrics that its files have places for, beside the judge's rubric."""

COLUMNS = ("task", "IFS(%)", "OCR(%)", "DINO(%)", "LFS(%)", "HFS(%)", "VFS(%)", "Final(%)")
RESULTS = {
    True: "Yes",
    False: "No",
    None: "Error",
}


class ExportedModel(NamedTuple):
    """The files of one model."""

    model: str
    pages: int
    scored: int  # tasks with eval.json
    left_out: int  # tasks without a page or without scores


class Source(NamedTuple):
    """One model of a run, and its name in the files of the reference."""

    model: str
    name: str
    config: Config
    paths: RunPaths

    def files(self, task: Task) -> TaskPaths:
        return self.paths.task(self.model, task.id)

    def judge_files(self, task: Task) -> JudgePaths:
        return self.files(task).judge(self.config.judge.name)

    def steps(self, task: Task) -> tuple[Step, ...]:
        """Return the steps of the rollout; none where there is no rollout."""
        rollout = readable(self.judge_files(task).rollout, Rollout)
        return rollout.steps if rollout else ()


def export(
    folder: Path,
    models: Sequence[str],
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
) -> list[ExportedModel]:
    """Write a run's pages, screenshots and, where the protocol has what it takes, scores.

    Raise ConfigError when files of a model exist already: old screenshots would be taken for
    new ones.
    """
    exports = []
    for model, name in _folder_names(folder, models).items():
        source = Source(model, name, config, paths)
        pages = 0
        for task in tasks:
            pages += _export_page(folder / task.id / name, task, source)
        scored = 0
        if _has_scores(config):
            scored = _export_scores(folder, tasks, source)
        summary = ExportedModel(
            model=model,
            pages=pages,
            scored=scored,
            left_out=len(tasks) - scored,
        )
        exports.append(summary)
    return exports


def _folder_names(folder: Path, models: Sequence[str]) -> dict[str, str]:
    """Return the models' names in the reference's files, none of which may exist yet."""
    names: dict[str, str] = {}
    for model in models:
        name = safe_name("model", model).lower()
        if name in names.values():
            raise ConfigError(
                "two models have the same name in lower case",
                hint="export them to two folders",
            )
        for existing in folder.glob(f"*/{name}"):
            raise ConfigError(
                f"{existing} exists already",
                hint="export to another folder, or remove it",
            )
        names[model] = name
    return names


def _has_scores(config: Config) -> bool:
    """Return whether the protocol has all scores that the reference's files have places for."""
    protocol = config.protocol
    metrics = {*protocol.low, *protocol.metrics}
    return protocol.high and metrics.issuperset(COMPARED)


# ---- pages -------------------------------------------------------------------------------------


def _export_page(folder: Path, task: Task, source: Source) -> bool:
    """Write a page and its screenshots to `folder`. Return whether there is a page."""
    files = source.files(task)
    if not files.page.is_file():
        return False
    task_assets = task.folder.resolve() / "assets"
    assets = os.path.relpath(task_assets, folder.absolute())
    page = files.page.read_bytes()
    page = page.replace(PLACEHOLDER, assets.encode())
    write_atomic(folder / "index.html", page)
    judge_files = source.judge_files(task)
    for step in source.steps(task):
        screenshot = judge_files.screenshot(step.step)
        if step.screenshot and screenshot.is_file():
            target = _screenshot(folder, step.step)
            write_atomic(target, screenshot.read_bytes())
    return True


def _screenshot(folder: Path, step: int) -> Path:
    """Return the name of a screenshot in the reference evaluator's folder."""
    return folder / "evalpoints" / f"{step}.png"


# ---- scores ------------------------------------------------------------------------------------


def _export_scores(folder: Path, tasks: Sequence[Task], source: Source) -> int:
    """Write eval.json of each task and the model's table. Return how many tasks have a score."""
    from iwr.scores.stage import read_scores

    rows = []
    scores = read_scores(
        models=[source.model],
        tasks=tasks,
        config=source.config,
        paths=source.paths,
    )
    for task, score in zip(tasks, scores, strict=True):
        if score.status is ScoreStatus.OK:
            task_folder = folder / task.id / source.name
            steps = source.steps(task)
            content = json.dumps(_evaluation(task_folder, score, steps), indent=2)
            write_atomic(task_folder / "eval.json", content)
        if score.final is not None:
            rows.append(_percentages(score))
    if rows:
        path = folder / "reports" / f"{source.name}_metrics.md"
        write_atomic(path, _table(source.name, rows))
    return len(rows)


def _evaluation(folder: Path, score: TaskScore, steps: Sequence[Step]) -> JsonObject:
    """Return the keys of its eval.json with our values.

    The texts that OCR read are None: records do not keep them.
    """
    ocr = _values(score, "ocr")
    dino = _values(score, "dino")
    points = [pair.high for pair in score.pairs]
    averages = [mean(values) for values in zip(points, dino, ocr, strict=True)]
    screenshots = []
    for pair in score.pairs:
        screenshot = _screenshot(folder, pair.step)
        screenshots.append(str(screenshot))
    return {
        "total_step": score.steps,
        "success_step": score.passed,
        "screenshot_paths_to_eval": screenshots,
        "all_mllm_scores": points,
        "all_dino_scores": dino,
        "all_ocr_scores": ocr,
        "all_avg_scores": averages,
        "mllm_score": mean(points),
        "dino_score": mean(dino),
        "ocr_score": mean(ocr),
        "avg_score": mean(averages),
        "all_mllm_res": _rubric_reasons(score, steps),
        "all_ocr_texts": list(map(_ocr_text, ocr)),
        "assertion_results": [_assertion(folder, step) for step in steps[1:]],
    }


def _values(score: TaskScore, metric: str) -> list[Score]:
    """Return a metric of all compared screenshots, in order."""
    return [pair.metrics.get(metric) for pair in score.pairs]


def _rubric_reasons(score: TaskScore, steps: Sequence[Step]) -> list[str]:
    """Return the judge's words on each compared screenshot; "" where there are none."""
    reasons = {}
    for step in steps:
        if step.rubric:
            reasons[step.step] = step.rubric.reason or ""
    return [reasons.get(pair.step, "") for pair in score.pairs]


def _ocr_text(similarity: Score) -> JsonObject:
    """Return the part of the reference evaluator's file on texts; the texts are not kept."""
    return {
        "checkpoint_text": None,
        "screenshot_text": None,
        "similarity": similarity,
    }


def _assertion(folder: Path, step: Step) -> JsonObject | None:
    """Return the verdict on one step; None when the step has none."""
    if step.verdict is None or step.action is None:
        return None
    before = _screenshot(folder, step.step - 1)
    after = _screenshot(folder, step.step)
    return {
        "result": RESULTS[step.verdict.passed],
        "prev_img_path": str(before),
        "curr_img_path": str(after),
        "response": step.verdict.answer or "",
        "assertion": step.action.logical_assertion,
        "thinking": step.verdict.reason,
    }


class Row(NamedTuple):
    """The scores of a task, in [0, 1], in the order of COLUMNS."""

    task: str
    ifs: Score
    ocr: Score
    dino: Score
    low: Score
    high: Score
    vfs: Score
    final: Score


def _percentages(score: TaskScore) -> Row:
    """Return the scores of one task, in the columns of the reference evaluator."""
    return Row(
        task=score.task,
        ifs=score.ifs,
        ocr=_metric_mean(score, "ocr"),
        dino=_metric_mean(score, "dino"),
        low=score.low,
        high=score.high,
        vfs=score.vfs,
        final=score.final,
    )


def _metric_mean(score: TaskScore, name: str) -> Score:
    """Return the mean of a metric; 0 where no checkpoint was reached."""
    if not score.pairs:
        return 0.0
    return mean(_values(score, name))


def _table(name: str, rows: Sequence[Row]) -> str:
    """Return the report of one model: a row a task and their mean."""
    lines = [f"# model: {name} result\n"]
    lines.append(f"| {' | '.join(COLUMNS)} |")
    lines.append("|---|" + "---:|" * (len(COLUMNS) - 1))
    for row in rows:
        lines.append(_line(*row))
    _, *columns = zip(*rows, strict=True)
    means = map(mean, columns)
    lines.append(_line("avg", *means))
    return "\n".join(lines) + "\n"


def _line(name: str, *values: Score) -> str:
    """Return a line of a Markdown table, scores in percent."""
    cells = [name]
    for value in values:
        cell = "-" if value is None else f"{100 * value:.2f}"
        cells.append(cell)
    return f"| {' | '.join(cells)} |"
