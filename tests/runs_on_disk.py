"""Runs as earlier stages leave them, written to disk, for tests of scores and reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import data_sets as ds

from iwr.config import Config, load_config
from iwr.digests import file_digest
from iwr.records import (
    FailedBy,
    Generation,
    GenerationStatus,
    Rollout,
    RolloutStatus,
    Rubric,
    Step,
    Task,
    Verdict,
)
from iwr.runs.files import write_record
from iwr.runs.paths import RunPaths
from iwr.tasks.load import load


def tasks_of(root: Path, *names: str, website: str = "https://example.test") -> tuple[Task, ...]:
    """Valid tasks of two clicks, both with an assertion; steps 0 and 2 are checkpoints."""
    for name in names:
        ds.folder(root, name)
    actions = [
        ds.click(logical_assertion="'A' appears"),
        ds.click(logical_assertion="'B' appears", visual_evaluation_flag=True),
    ]
    loaded = load(
        ds.write(root, *[ds.line(name, actions, source_website=website) for name in names])
    )
    assert not loaded.faults
    return loaded.tasks


def settings(root: Path) -> list[str]:
    """The offline protocol with SSIM alone: quick, and exact on identical images."""
    return [
        "data=iwr_bench",
        f"data.root={root}",
        f"run.root={root}",
        "run.name=r",
        "protocol.low=[ssim]",
        "~protocol.metrics.ocr",
    ]


def config(root: Path, *overrides: str) -> Config:
    return load_config([*settings(root), *overrides])[0]


def paths_of(settings: Config) -> RunPaths:
    return RunPaths.of(settings.run.root, settings.run.name)


def generation(
    paths: RunPaths,
    model: str,
    task: Task,
    status: str = "ok",
    reason: str | None = None,
    kind: str = "vllm",
    **known: Any,
) -> None:
    record = Generation(
        model=model,
        task=task.id,
        status=GenerationStatus(status),
        reason=reason,
        fingerprint={"model.kind": kind, "prompt": "p"},
        **known,
    )
    write_record(paths.task(model, task.id).generation, record)


def steps(
    paths: RunPaths,
    model: str,
    task: Task,
    credited: int,
    failed_by: str | None = None,
    *,
    photographed: bool = True,
    colour: str = "white",
    rubric: int | None = None,
) -> tuple[Step, ...]:
    """Return step 0 and one step an action.

    The first `credited` actions pass, the next one fails by `failed_by`.
    """
    folder = paths.task(model, task.id).judge("contract")
    done = []
    for number in range(min(len(task.actions), credited + bool(failed_by)) + 1):
        shot = ds.image(folder.screenshot(number), colour) if photographed else None
        failed = number == credited + 1
        points = (
            None
            if rubric is None
            else Rubric(layout=0, elements=0, content=0, style=0, overall=0, total=rubric)
        )
        done.append(
            Step(
                step=number,
                action=task.action(number) if number else None,
                performed=not failed or failed_by == "assertion",
                verdict=Verdict(passed=not failed, reason="seen") if number else None,
                credited=not failed,
                failed_by=FailedBy(failed_by) if failed and failed_by else None,
                reason="it did not" if failed else None,
                screenshot=shot.name if shot else None,
                screenshot_sha256=file_digest(shot) if shot else None,
                rubric=points,
            )
        )
    return tuple(done)


def rollout(
    paths: RunPaths,
    model: str,
    task: Task,
    made: tuple[Step, ...],
    status: str = "ok",
    **fields: Any,
) -> None:
    names = {"model": model, "task": task.id, "judge": "contract"}
    record = Rollout(
        **names,
        status=RolloutStatus(status),
        fingerprint={"judge": "contract"},
        steps=made,
        **fields,
    )
    write_record(paths.task(model, task.id).judge("contract").rollout, record)


def judged(
    paths: RunPaths,
    model: str,
    task: Task,
    credited: int,
    failed_by: str | None = None,
    kind: str = "vllm",
    **fields: Any,
) -> None:
    """A page that was generated and judged."""
    generation(paths, model, task, kind=kind)
    rollout(paths, model, task, steps(paths, model, task, credited, failed_by, **fields))
