"""The stages in order, for the contestants and the shard that one command names.

Each stage is imported only when it owes something, so a finished run answers at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from iwr.config import Config, ModelConfig
from iwr.errors import DataError
from iwr.pipeline.shards import cost, cut
from iwr.progress import Progress
from iwr.records import Task
from iwr.runs.files import clear_parts, exclusive
from iwr.runs.manifest import merge_manifests, write_manifest
from iwr.runs.paths import RunPaths
from iwr.runs.resume import RETRIED
from iwr.runs.status import record_status

log = logging.getLogger(__name__)

STAGES = ("generate", "judge", "score", "report")


class Work(NamedTuple):
    """What one command is about."""

    config: Config
    models: list[ModelConfig]
    paths: RunPaths
    all_tasks: tuple[Task, ...]
    shards: list[list[str]]  # task ids of every shard

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of this process's shard, in the order of the data set."""
        mine = set(self.shards[self.config.run.shard or 0])
        return tuple(task for task in self.all_tasks if task.id in mine)


class Outcome(NamedTuple):
    rows: list[dict] | None  # the leaderboard, when the report was written
    unscored: int  # (model, task) pairs that the infrastructure failed, in the last stage that ran
    caption: str = (
        ""  # of the leaderboard: what the protocol leaves out, how far the judge can be trusted
    )


def prepare(config: Config, models: list[ModelConfig]) -> Work:
    """Load the tasks and cut them into shards. Refused tasks are logged, the others go on."""
    from iwr.tasks.load import data_root, load

    loaded = load(data_root(config.data), config.data.tasks)
    for fault in loaded.faults:
        log.warning("task refused: %s", fault)
    if not loaded.tasks:
        raise DataError(
            f"no usable task in {data_root(config.data)}", hint="`iwr validate` lists every fault"
        )
    shards = cut_evenly(loaded.tasks, config.run.shards)
    return Work(config, models, RunPaths.of(config.run.root, config.run.name), loaded.tasks, shards)


def cut_evenly(tasks: tuple[Task, ...], shards: int) -> list[list[str]]:
    """Task ids of every shard, balanced by the length of the recordings and the number of actions."""
    if shards == 1:
        return [[task.id for task in tasks]]
    from iwr.inference.video import stated_seconds

    return cut(
        {task.id: cost(stated_seconds(task.video), len(task.actions)) for task in tasks}, shards
    )


def run(work: Work, stages: Sequence[str], progress: Progress) -> Outcome:
    """Do what the given stages owe. Raises StaleRunError before any work when settings changed."""
    made = [stage for stage in stages if stage != "report"]
    todo = {stage: pending(work, stage) for stage in made}
    if any(todo.values()) or not work.paths.manifests.exists():
        write_manifest(work.config, work.models, work.all_tasks, work.paths)
    else:
        log.info("%s: nothing to do in %s", ", ".join(stages), work.paths.folder)
    worked = False
    for stage in made:
        due = (
            pending(work, stage) if worked else todo[stage]
        )  # what is new is owed the stages after it
        if due:
            with _alone(work, stage):
                {"generate": generate, "judge": judge, "score": score}[stage](work, progress)
            worked = True
    return report(work) if "report" in stages else Outcome(None, failures(work, stages[-1]))


def failures(work: Work, stage: str) -> int:
    """Records of a stage, in this shard, that say "failed" or "unscored"."""
    found = [
        record_status(work.paths, model, task.id, stage, work.config) for model, task in _pairs(work)
    ]
    return sum(status in RETRIED for status in found)


def pending(work: Work, stage: str) -> int:
    """How many (model, task) pairs the stage still has to do."""
    if stage == "generate":
        from iwr.inference import generate as inference

        return sum(
            len(inference.pending_tasks(work.tasks, model, work.config, work.paths))
            for model in work.models
        )
    if stage == "judge":
        from iwr.judge.rollout import pending_rollouts

        return len(pending_rollouts(_pairs(work), work.config, work.paths))
    from iwr.scores.stage import pending_scores

    return pending_scores(
        [model.name for model in work.models], work.tasks, work.config, work.paths
    )


@contextmanager
def _alone(work: Work, stage: str) -> Iterator[None]:
    """Two processes on the same shard take turns; the second then finds the work done."""
    run, paths = work.config.run, work.paths
    with exclusive(
        [paths.lock(stage, model.name, run.shard or 0, run.shards) for model in work.models]
    ):
        for model, task in _pairs(work):
            folder = paths.task(model, task.id)
            clear_parts(
                folder.folder
                if stage == "generate"
                else folder.judge(work.config.judge.name).folder
            )
        yield


def generate(work: Work, progress: Progress) -> None:
    from iwr.inference import generate as inference

    for model in work.models:
        inference.generate(work.tasks, model, work.config, work.paths, progress)


def judge(work: Work, progress: Progress) -> None:
    from iwr.judge.rollout import judge as roll_out_all

    roll_out_all(_pairs(work), work.config, work.paths, progress)


def score(work: Work, progress: Progress) -> None:
    from iwr.scores import stage

    stage.score(
        [model.name for model in work.models], work.tasks, work.config, work.paths, progress
    )


def report(work: Work) -> Outcome:
    """Tables over all shards, from the files alone. What killed processes left unfinished anywhere in the run goes."""
    from iwr.report import write_report

    clear_parts(work.paths.folder)
    merge_manifests(work.paths)
    shown = write_report(
        [model.name for model in work.models], work.all_tasks, work.config, work.paths
    )
    return Outcome(
        shown.rows,
        sum(row["unscored"] for row in shown.rows),
        f"{work.config.protocol.note}\n{shown.trust}",
    )


def _pairs(work: Work) -> list[tuple[str, Task]]:
    return [(model.name, task) for model in work.models for task in work.tasks]
