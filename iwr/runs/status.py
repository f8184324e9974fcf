"""Where a run stands, from its files alone: nothing is computed, nothing heavy is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from iwr.config import Config, ModelConfig
from iwr.runs.files import is_locked
from iwr.runs.paths import RunPaths

STAGES = ("generate", "judge", "score")
FAILED = ("failed", "unscored")  # what a record says when the infrastructure, not the model, failed


class StageStatus(NamedTuple):
    """One stage of one model on one shard. `running`: a process holds the shard now."""

    model: str
    shard: str  # "0 of 4"
    stage: str
    tasks: int
    done: int
    pending: int
    failed: int
    running: bool


def status(config: Config, models: list[ModelConfig], members: list[list[str]], paths: RunPaths) -> list[StageStatus]:
    """By model, shard and stage; `members` are the task ids of each shard."""
    return [
        _standing(paths, model.name, shard, len(members), stage, tasks, config)
        for model in models
        for shard, tasks in enumerate(members)
        for stage in STAGES
    ]


def _standing(paths: RunPaths, model: str, shard: int, shards: int, stage: str, tasks: list[str], config: Config) -> StageStatus:
    found = [found_status(paths, model, task, stage, config) for task in tasks]
    failed = sum(status in FAILED for status in found)
    pending = found.count(None)
    running = is_locked(paths.lock(stage, model, shard, shards))
    return StageStatus(model, f"{shard} of {shards}", stage, len(tasks), len(tasks) - pending - failed, pending, failed, running)


def found_status(paths: RunPaths, model: str, task: str, stage: str, config: Config) -> str | None:
    """The status of what a stage wrote; None when it is pending. There is nothing to judge where there is no page."""
    generated = _status_of(paths.task(model, task).generation)
    if stage == "generate" or (stage == "judge" and generated == "missing"):
        return generated
    return _status_of(_record(paths, model, task, stage, config))


def _record(paths: RunPaths, model: str, task: str, stage: str, config: Config) -> Path:
    judged = paths.task(model, task).judge(config.judge.name)
    return judged.rollout if stage == "judge" else judged.score(config.protocol.name)


def _status_of(path: Path) -> str | None:
    """The `status` of a record; None when it is not there or damaged, which means pending."""
    try:
        return json.loads(path.read_bytes())["status"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def table(rows: list[StageStatus]) -> str:
    """The standing as aligned text, one line each."""
    lines = [("model", "shard", "stage", "done", "pending", "failed", "running")]
    for row in rows:
        done, running = f"{row.done}/{row.tasks}", "yes" if row.running else ""
        lines.append((row.model, row.shard, row.stage, done, str(row.pending), str(row.failed), running))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
