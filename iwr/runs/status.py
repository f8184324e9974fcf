"""The state of a run, read from its files alone: nothing is computed, nothing heavy is loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from iwr.config import Config
from iwr.console import plain_table, print_table
from iwr.runs.files import is_locked
from iwr.runs.paths import RunPaths
from iwr.runs.resume import RETRIED

STAGES = ("generate", "judge", "score")
HEADERS = ("model", "shard", "stage", "done", "pending", "failed", "running")


class StageStatus(NamedTuple):
    """One stage of one model on one shard."""

    model: str
    shard: str  # "0 of 4"
    stage: str
    tasks: int
    done: int
    pending: int
    failed: int
    running: bool  # a process holds the shard now


def status(
    config: Config, models: Sequence[str], members: list[list[str]], paths: RunPaths
) -> list[StageStatus]:
    """Return the status of every stage by model and shard; `members` has each shard's task ids."""
    rows = []
    for model in models:
        for shard in range(len(members)):
            for stage in STAGES:
                row = _stage_status(paths, config, model, stage, members, shard)
                rows.append(row)
    return rows


def _stage_status(
    paths: RunPaths,
    config: Config,
    model: str,
    stage: str,
    members: list[list[str]],
    shard: int,
) -> StageStatus:
    """Return how far one shard of a stage is."""
    tasks = members[shard]
    shards = len(members)
    pending = 0
    failed = 0
    for task in tasks:
        status = record_status(paths, model, task, stage, config)
        pending += status is None
        failed += status in RETRIED
    return StageStatus(
        model=model,
        shard=f"{shard} of {shards}",
        stage=stage,
        tasks=len(tasks),
        done=len(tasks) - pending - failed,
        pending=pending,
        failed=failed,
        running=is_locked(paths.lock(stage, model, shard, shards)),
    )


def record_status(paths: RunPaths, model: str, task: str, stage: str, config: Config) -> str | None:
    """Return the status of the record that a stage wrote; None when it is pending.

    Where a model gave no page there is nothing to judge: the rollout counts as done.
    """
    files = paths.task(model, task)
    judge_files = files.judge(config.judge.name)
    if stage == "score":
        return _status_of(judge_files.score(config.protocol.name))
    generation = _status_of(files.generation)
    if stage == "generate" or generation == "missing":
        return generation
    return _status_of(judge_files.rollout)


def _status_of(path: Path) -> str | None:
    """Return the `status` of a record; None when the record is absent or damaged."""
    try:
        return str(json.loads(path.read_bytes())["status"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def print_status(rows: list[StageStatus]) -> None:
    """Print a line for each row, below the names of the columns."""
    table = plain_table(HEADERS, texts=3)
    for row in rows:
        table.add_row(
            row.model,
            row.shard,
            row.stage,
            f"{row.done}/{row.tasks}",
            str(row.pending),
            str(row.failed),
            "yes" if row.running else "",
        )
    print_table(table)
