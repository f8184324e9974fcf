"""To and from the files of the reference evaluator (its evaluate.py and utils/metrics.py):

    <folder>/<task>/<model>/index.html          the page; assets by a path relative to it
    <folder>/<task>/<model>/evalpoints/<k>.png  screenshot k
    <folder>/<task>/<model>/eval.json           verdicts and scores
    <folder>/reports/<model>_metrics.md         a row a task, in percent, and their mean

`<model>` is in lower case, with "__" for "/". Pages come in and everything goes out: verdicts and scores that were made with
the reference evaluator's faults (docs/protocol.md) are no results of ours, so they stay owed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from iwr.browser.site import PLACEHOLDER
from iwr.config import Config, ModelConfig
from iwr.errors import ConfigError, DataError
from iwr.records import (
    Generation,
    GenerationStatus,
    Pair,
    Rollout,
    ScoreStatus,
    Step,
    Task,
    TaskScore,
    file_digest,
)
from iwr.runs.files import exclusive, readable, write_atomic, write_record
from iwr.runs.manifest import write_manifest
from iwr.runs.paths import RunPaths, safe_name
from iwr.runs.resume import is_pending
from iwr.scores.formula import mean

COMPARED = ("ocr", "dino")  # the metrics that its files have places for, beside the judge's rubric
HEAD = "| task | IFS(%) | OCR(%) | DINO(%) | LFS(%) | HFS(%) | VFS(%) | Final(%) |\n|---|---:|---:|---:|---:|---:|---:|---:|"


# ---- in ---------------------------------------------------------------------------------------------


def contestants(folder: Path, tasks: Sequence[Task]) -> list[str]:
    """Whose pages lie in `folder`. Raises DataError when there are none for these tasks."""
    names = sorted(
        {page.parent.name for task in tasks for page in folder.glob(f"{task.id}/*/index.html")}
    )
    if not names:
        raise DataError(
            f"{folder} holds no <task>/<model>/index.html for the tasks of this data set",
            hint="check from= and data.root",
        )
    return names


class Imported(NamedTuple):
    model: str
    path: str  # as `model.path`, for later commands
    pages: int
    empty: int  # files without content: the model answered, but not with a page
    absent: int


def import_pages(
    folder: Path, tasks: Sequence[Task], model: ModelConfig, config: Config, paths: RunPaths
) -> Imported:
    """Copy one contestant's pages into a run, where they are those of `model=directory`; a second time does nothing.

    Raises StaleRunError when the run holds other pages under this name, DataError when files cannot be read or written.
    """
    from iwr.inference.generate import fingerprint

    write_manifest(config, [model], tuple(tasks), paths)
    counts = {status: 0 for status in GenerationStatus}
    with exclusive([paths.lock("generate", model.name, 0, 1)]):
        for task in tasks:
            source, files = (
                folder / task.id / model.name / "index.html",
                paths.task(model.name, task.id),
            )
            if not source.is_file():
                continue
            page = _with_placeholder(source, task)
            status = GenerationStatus.OK if page.strip() else GenerationStatus.MISSING
            counts[status] += 1
            if files.page.is_file() and files.page.read_bytes() != page:
                files.generation.unlink(missing_ok=True)
            if status is GenerationStatus.OK:
                write_atomic(files.page, page)
            made_from = fingerprint(task, model, config)
            if is_pending(files.generation, Generation, made_from, config.run.on_change):
                known: dict[str, Any] = (
                    {"page_sha256": file_digest(files.page)}
                    if page.strip()
                    else {"reason": "the page is empty"}
                )
                write_record(
                    files.generation,
                    Generation(
                        model=model.name,
                        task=task.id,
                        status=status,
                        fingerprint=made_from,
                        **known,
                    ),
                )
    pages, empty = counts[GenerationStatus.OK], counts[GenerationStatus.MISSING]
    return Imported(model.name, str(model.path), pages, empty, len(tasks) - pages - empty)


def _with_placeholder(page: Path, task: Task) -> bytes:
    """The page as the model wrote it: the way from it to the task's assets becomes the placeholder again."""
    way = rb"(?:\.\./)+(?:[^\s\"'()<>]*/)?" + re.escape(task.id.encode()) + rb"/assets(?=/)"
    try:
        return re.sub(way, PLACEHOLDER, page.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {page}: {error.strerror}") from error


# ---- out --------------------------------------------------------------------------------------------


class Exported(NamedTuple):
    model: str
    pages: int
    scored: int  # tasks with eval.json
    left_out: int  # tasks without a page or without scores


def export(
    folder: Path, models: Sequence[str], tasks: Sequence[Task], config: Config, paths: RunPaths
) -> list[Exported]:
    """Write a run's pages, screenshots and, where the protocol has what its files ask for, scores.

    Raises ConfigError when files of a contestant are there already: old screenshots would be taken for new ones.
    """
    from iwr.scores.stage import recorded

    names = {model: safe_name("model", model).lower() for model in models}
    if len(set(names.values())) < len(models):
        raise ConfigError(
            "two contestants have the same name in lower case", hint="export them to two folders"
        )
    taken = next((there for name in names.values() for there in folder.glob(f"*/{name}")), None)
    if taken:
        raise ConfigError(
            f"{taken} is there already", hint="export to another folder, or remove it"
        )
    has_scores = config.protocol.high and set(COMPARED) <= {
        *config.protocol.low,
        *config.protocol.metrics,
    }
    done = []
    for model, name in names.items():
        pages = sum(
            _export_page(folder / task.id / name, task, model, config, paths) for task in tasks
        )
        rows: list[str] = []
        scores = recorded([model], tasks, config, paths) if has_scores else []
        for task, score in zip(tasks, scores, strict=has_scores):
            if score.status is ScoreStatus.OK:
                rollout = readable(
                    paths.task(model, task.id).judge(config.judge.name).rollout, Rollout
                )
                write_atomic(
                    folder / task.id / name / "eval.json",
                    json.dumps(_eval(folder / task.id / name, score, rollout), indent=2),
                )
            if score.final is not None:
                rows.append(_row(task.id, _percentages(score)))
        if rows:
            shown = [_percentages(score) for score in scores if score.final is not None]
            average = _row("avg", [mean(column) for column in zip(*shown, strict=True)])
            write_atomic(
                folder / "reports" / f"{name}_metrics.md",
                "\n".join([f"# model: {name} result\n", HEAD, *rows, average]) + "\n",
            )
        done.append(Exported(model, pages, len(rows), len(tasks) - len(rows)))
    return done


def _export_page(folder: Path, task: Task, model: str, config: Config, paths: RunPaths) -> bool:
    files = paths.task(model, task.id)
    if not files.page.is_file():
        return False
    way = os.path.relpath(task.folder.resolve() / "assets", folder.absolute())
    write_atomic(folder / "index.html", files.page.read_bytes().replace(PLACEHOLDER, way.encode()))
    rollout = readable(files.judge(config.judge.name).rollout, Rollout)
    for step in rollout.steps if rollout else ():
        shot = files.judge(config.judge.name).screenshot(step.step)
        if step.screenshot and shot.is_file():
            write_atomic(_shot(folder, step.step), shot.read_bytes())
    return True


def _shot(folder: Path, step: int) -> Path:
    return folder / "evalpoints" / f"{step}.png"


def _eval(folder: Path, score: TaskScore, rollout: Rollout | None) -> dict[str, Any]:
    """The keys of its eval.json, with our values; the texts that OCR read are not kept in records."""
    ocr, dino, points = (
        [_value(pair, name) for pair in score.pairs] for name in (*COMPARED, "high")
    )
    each = [mean(three) for three in zip(points, dino, ocr, strict=True)]
    steps = rollout.steps if rollout else ()
    words = {step.step: step.rubric.reason or "" for step in steps if step.rubric}
    return {
        "total_step": score.steps,
        "success_step": score.passed,
        "screenshot_paths_to_eval": [str(_shot(folder, pair.step)) for pair in score.pairs],
        "all_mllm_scores": points,
        "all_dino_scores": dino,
        "all_ocr_scores": ocr,
        "all_avg_scores": each,
        "mllm_score": mean(points),
        "dino_score": mean(dino),
        "ocr_score": mean(ocr),
        "avg_score": mean(each),
        "all_mllm_res": [words.get(pair.step, "") for pair in score.pairs],
        "all_ocr_texts": [
            {"checkpoint_text": None, "screenshot_text": None, "similarity": value} for value in ocr
        ],
        "assertion_results": [_assertion(folder, step) for step in steps[1:]],
    }


def _assertion(folder: Path, step: Step) -> dict[str, Any] | None:
    if step.verdict is None or step.action is None:
        return None
    return {
        "result": {True: "Yes", False: "No", None: "Error"}[step.verdict.passed],
        "prev_img_path": str(_shot(folder, step.step - 1)),
        "curr_img_path": str(_shot(folder, step.step)),
        "response": step.verdict.answer or "",
        "assertion": step.action.logical_assertion,
        "thinking": step.verdict.reason,
    }


def _value(pair: Pair, name: str) -> float | None:
    return pair.high if name == "high" else pair.metrics.get(name)


def _percentages(score: TaskScore) -> list[float | None]:
    compared = [
        mean(_value(pair, name) for pair in score.pairs) if score.pairs else 0.0
        for name in COMPARED
    ]
    return [score.ifs, *compared, score.low, score.high, score.vfs, score.final]


def _row(name: str, values: Sequence[float | None]) -> str:
    return (
        f"| {name} | "
        + " | ".join("-" if value is None else f"{100 * value:.2f}" for value in values)
        + " |"
    )
