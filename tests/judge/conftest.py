"""A task and a page made on the spot, and a judge that drives it in real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iwr.config import Config, load_config
from iwr.contract.schema import Contract, StepContract
from iwr.digests import digest
from iwr.judge.rollout import judge
from iwr.progress import silent
from iwr.records import (
    Action,
    ActionType,
    Classification,
    Generation,
    GenerationStatus,
    Parameters,
    Rollout,
    Task,
)
from iwr.runs.files import read_record, write_atomic, write_record
from iwr.runs.paths import RunPaths


def action(
    kind: str,
    description: str = "",
    assertion: str | None = None,
    flag: bool = False,
    **parameters: str,
) -> Action:
    return Action(
        type=ActionType(kind),
        parameters=Parameters(description=description, **parameters),
        logical_assertion=assertion,
        visual_evaluation_flag=flag,
    )


def task(
    actions: Sequence[Action],
    name: str = "made",
    folder: Path = Path("/nonexistent"),
    assets: Path | None = None,
    contract: Path | None = None,
) -> Task:
    return Task(
        id=name,
        folder=folder,
        classification=Classification(),
        width=800,
        height=600,
        actions=tuple(actions),
        checkpoints={},
        video=folder / "video.mp4",
        assets=assets,
        stitched=(),
        true_page=None,
        contract=contract,
        digest=digest([a.model_dump() for a in actions]),
    )


def put_contract(file: Path, *steps: StepContract) -> Path:
    numbered = [step.model_copy(update={"step": number}) for number, step in enumerate(steps, 1)]
    write_record(file, Contract(steps=tuple(numbered)))
    return file


def put_page(paths: RunPaths, model: str, name: str, html: str | bytes) -> None:
    files = paths.task(model, name)
    write_atomic(files.page, html)
    write_record(
        files.generation,
        Generation(model=model, task=name, status=GenerationStatus.OK, fingerprint={}),
    )


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    return RunPaths.of(tmp_path, "run")


@pytest.fixture(scope="session")
def config() -> Config:
    loaded, _ = load_config([])
    return loaded


def with_judge(config: Config, **changes: Any) -> Config:
    return replace(config, judge=replace(config.judge, **changes))


@pytest.fixture
def drive(paths: RunPaths, config: Config) -> Callable[..., Rollout]:
    """Judge one page of a task; returns the record as it stands on disk."""

    def run(html: str | bytes, made: Task) -> Rollout:
        put_page(paths, "page", made.id, html)
        judge([("page", made)], config, paths, silent)
        record = read_record(paths.task("page", made.id).judge("contract").rollout, Rollout)
        assert record is not None
        return record

    return run
