"""The stages in order, for the models and the shard that one command names.

A stage is imported only when something of it is pending, so a finished run answers at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from iwr.config import Config, ModelConfig
from iwr.errors import DataError
from iwr.pipeline.shards import cut_evenly
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
    """The models, tasks and files of one command."""

    config: Config
    models: list[ModelConfig]
    paths: RunPaths
    all_tasks: tuple[Task, ...]
    shards: list[list[str]]  # task ids of every shard

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks of this process's shard, in the order of the data set."""
        shard = self.shards[self.config.run.shard or 0]
        members = set(shard)
        return tuple(task for task in self.all_tasks if task.id in members)

    @property
    def names(self) -> list[str]:
        """Return the names of the models, in order."""
        return [model.name for model in self.models]

    @property
    def pairs(self) -> list[tuple[str, Task]]:
        """Return all (model, task) pairs of this process's shard."""
        pairs = []
        for name in self.names:
            for task in self.tasks:
                pairs.append((name, task))
        return pairs


class StageResult(NamedTuple):
    """What the last stage of a command left behind."""

    rows: list[dict[str, Any]] | None  # the leaderboard, when the report was written
    unscored: int  # (model, task) pairs that the infrastructure failed
    caption: str = ""  # what the protocol leaves out, how far the judge can be trusted


def prepare(config: Config, models: list[ModelConfig]) -> Work:
    """Load the tasks and cut them into shards. Refused tasks are logged, the others go on.

    Raise DataError when no task is usable.
    """
    from iwr.tasks.load import data_root, load

    root = data_root(config.data)
    data = load(root, config.data.tasks)
    for fault in data.faults:
        log.warning("task refused: %s", fault)
    if not data.tasks:
        raise DataError(f"no usable task in {root}", hint="`iwr validate` lists every fault")
    shards = cut_evenly(data.tasks, config.run.shards)
    paths = RunPaths.of(config.run.root, config.run.name)
    return Work(
        config=config,
        models=models,
        paths=paths,
        all_tasks=data.tasks,
        shards=shards,
    )


def run(work: Work, stages: Sequence[str], progress: Progress) -> StageResult:
    """Do what is pending in the named stages.

    Raise StaleRunError before any work when settings changed.
    """
    counts = {}
    for stage in stages:
        if stage != "report":
            counts[stage] = PENDING[stage](work)
    if any(counts.values()) or not work.paths.manifests.exists():
        write_manifest(work.config, work.models, work.all_tasks, work.paths)
    else:
        log.info("%s: nothing to do in %s", ", ".join(stages), work.paths.folder)
    changed = False
    for stage, count in counts.items():
        if changed:  # the stage before made something new
            count = PENDING[stage](work)
        if count:
            with _locked(work, stage):
                RUNNERS[stage](work, progress)
            changed = True
    if "report" in stages:
        return report(work)
    return StageResult(None, failures(work, stages[-1]))


def failures(work: Work, stage: str) -> int:
    """Return how many records of a stage in this shard say "failed" or "unscored"."""
    count = 0
    for model, task in work.pairs:
        status = record_status(work.paths, model, task.id, stage, work.config)
        count += status in RETRIED
    return count


@contextmanager
def _locked(work: Work, stage: str) -> Iterator[None]:
    """Hold a stage of this shard: of two processes the second waits and finds the work done."""
    shard = work.config.run.shard or 0
    shards = work.config.run.shards
    locks = []
    for name in work.names:
        lock = work.paths.lock(stage, name, shard, shards)
        locks.append(lock)
    with exclusive(locks):
        for model, task in work.pairs:
            files = work.paths.task(model, task.id)
            folder = files.folder
            if stage != "generate":
                folder = files.judge(work.config.judge.name).folder
            clear_parts(folder)
        yield


# ---- what is pending: the number of (model, task) pairs ----------------------------------------


def pending_pages(work: Work) -> int:
    """Return how many pages the models still have to write."""
    from iwr.inference.generate import pending_tasks

    count = 0
    for model in work.models:
        tasks = pending_tasks(work.tasks, model, work.config, work.paths)
        count += len(tasks)
    return count


def pending_judgements(work: Work) -> int:
    """Return how many pages the judge still has to drive."""
    from iwr.judge.rollout import pending_rollouts

    rollouts = pending_rollouts(work.pairs, work.config, work.paths)
    return len(rollouts)


def pending_comparisons(work: Work) -> int:
    """Return how many rollouts still have no score."""
    from iwr.scores.stage import pending_scores

    return pending_scores(
        models=work.names,
        tasks=work.tasks,
        config=work.config,
        paths=work.paths,
    )


PENDING = {
    "generate": pending_pages,
    "judge": pending_judgements,
    "score": pending_comparisons,
}


# ---- the stages themselves ---------------------------------------------------------------------


def generate(work: Work, progress: Progress) -> None:
    """Let every model write its pending pages."""
    from iwr.inference import generate as inference

    for model in work.models:
        inference.generate(
            tasks=work.tasks,
            model=model,
            config=work.config,
            paths=work.paths,
            progress=progress,
        )


def judge(work: Work, progress: Progress) -> None:
    """Let the judge drive every pending page."""
    from iwr.judge import rollout

    rollout.judge(work.pairs, work.config, work.paths, progress)


def score(work: Work, progress: Progress) -> None:
    """Compare screenshots and score every pending rollout."""
    from iwr.scores import stage

    stage.score(
        models=work.names,
        tasks=work.tasks,
        config=work.config,
        paths=work.paths,
        progress=progress,
    )


RUNNERS = {
    "generate": generate,
    "judge": judge,
    "score": score,
}


def report(work: Work) -> StageResult:
    """Write tables over all shards from the files alone; delete what killed processes left."""
    from iwr.report import write_report

    clear_parts(work.paths.folder)
    merge_manifests(work.paths)
    tables = write_report(work.names, work.all_tasks, work.config, work.paths)
    unscored = sum(row["unscored"] for row in tables.rows)
    caption = f"{work.config.protocol.note}\n{tables.trust}"
    return StageResult(
        rows=tables.rows,
        unscored=unscored,
        caption=caption,
    )
