"""The stages in order, for the models and the shard that one command names.

Where the GPUs suffice for both, generation and judging run at once: see side_by_side.py.

A stage is imported only when something of it is pending, so a finished run answers at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from iwr.config import Config, ModelConfig
from iwr.errors import DataError
from iwr.inference.repeating import with_repeats
from iwr.pipeline import preflight
from iwr.pipeline.shards import cut_evenly
from iwr.progress import Progress
from iwr.records import Task
from iwr.runs.files import clear_parts, exclusive
from iwr.runs.manifest import merge_manifests, write_manifest
from iwr.runs.paths import RunPaths
from iwr.runs.resume import RETRIED
from iwr.runs.settings import RunSettings, load_run, store
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
    settings: RunSettings | None = None  # what the run is to store

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks of this process's shard, in the order of the data set."""
        shard = self.shards[self.config.run.shard or 0]
        members = set(shard)
        return tuple(task for task in self.all_tasks if task.id in members)

    @property
    def repeats(self) -> list[ModelConfig]:
        """Return the models, each once for each of its repeats."""
        return with_repeats(self.models, self.config)

    @property
    def names(self) -> list[str]:
        """Return the names of all repeats, in order; the first has the name of its model."""
        return [model.name for model in self.repeats]

    @property
    def pairs(self) -> list[tuple[str, Task]]:
        """Return all (name of a repeat, task) pairs of this process's shard."""
        pairs = []
        for name in self.names:
            for task in self.tasks:
                pairs.append((name, task))
        return pairs


class StageResult(NamedTuple):
    """What the last stage of a command left behind."""

    rows: list[dict[str, Any]] | None  # the leaderboard, when the report was written
    unscored: int  # (model, task) pairs that the infrastructure failed
    caption: str = ""  # how the scores were made, how far the judge can be trusted


def prepare(config: Config, models: list[ModelConfig], settings: RunSettings | None = None) -> Work:
    """Load the tasks and cut them into shards. Refused tasks are logged, the others go on.

    Raise DataError when no task is usable.
    """
    from iwr.tasks.load import data_root, load
    from iwr.tasks.subset import subset

    root = data_root(config.data)
    data = load(root, config.data.tasks)
    for fault in data.faults:
        log.warning("task refused: %s", fault)
    if not data.tasks:
        raise DataError(f"no usable task in {root}", hint="`iwr validate` lists every fault")
    tasks = subset(data.tasks, config.data)
    shards = cut_evenly(tasks, config.run.shards)
    paths = RunPaths.of(config.run.root, config.run.name)
    return Work(
        config=config,
        models=models,
        paths=paths,
        all_tasks=tasks,
        shards=shards,
        settings=settings,
    )


def run(work: Work, stages: Sequence[str], progress: Progress) -> StageResult:
    """Do what is pending in the named stages.

    Raise StaleRunError before any work when settings changed.
    """
    counts = {}
    for stage in stages:
        if stage != "report":
            counts[stage] = PENDING[stage](work)
    _require_earlier_records(work, stages[0])
    preflight.require(work.config, work.models, work.all_tasks, _due(counts))
    if work.settings:
        store(work.settings, work.paths)
    if any(counts.values()) or not work.paths.manifests.exists():
        write_manifest(work.config, work.models, work.all_tasks, work.paths)
    else:
        log.info("%s: nothing to do in %s", ", ".join(stages), work.paths.folder)
    changed = False
    if counts.get("generate") and "judge" in counts and _at_once(work, progress):
        del counts["generate"], counts["judge"]
        changed = True
    for stage, count in counts.items():
        if changed:  # the stage before made something new
            count = PENDING[stage](work)
        if count:
            with _locked(work, stage):
                RUNNERS[stage](work, progress)
            changed = True
    if stages == ["report"]:
        return report(work)
    if "report" in stages:
        return report(_whole_run(work))
    return StageResult(None, failures(work, stages[-1]))


EARLIER = {
    "judge": ("generate", "no page is written yet"),
    "score": ("judge", "no page is judged yet"),
}
"""The stage that must come first, and what is so without it."""


def _require_earlier_records(work: Work, stage: str) -> None:
    """Raise DataError when the stage before the first one has left nothing at all."""
    if stage not in EARLIER or not work.pairs:
        return
    earlier, problem = EARLIER[stage]
    for model, task in work.pairs:
        if record_status(work.paths, model, task.id, earlier, work.config) is not None:
            return
    raise DataError(
        f"nothing to {stage} in {work.paths.folder}: {problem}",
        hint=f"run `iwr {earlier}` first, or `iwr run` for all stages",
    )


def _due(counts: dict[str, int]) -> list[str]:
    """Return the stages that have work, or get it from the stages before them."""
    due: list[str] = []
    for stage, count in counts.items():
        if count or due:
            due.append(stage)
    return due


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
    for model in work.repeats:
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


def _at_once(work: Work, progress: Progress) -> bool:
    """Generate and judge at once; return whether there are GPUs enough for that.

    Models that need no server come first.
    """
    from iwr.inference.server.placement import placement
    from iwr.inference.server.replicas import available_gpus
    from iwr.pipeline.side_by_side import Pages, generate_and_judge

    pages = Pages(work.models, work.tasks, work.config, work.paths)
    if not pages.served:
        return False
    place = placement(pages.served, work.config, available_gpus(work.config))
    if place is None:
        return False
    others = [model for model in work.models if model.kind != "vllm"]
    with _locked(work, "generate"), _locked(work, "judge"):
        generate(work._replace(models=others), progress)
        generate_and_judge(pages, progress, place)
    return True


def _whole_run(work: Work) -> Work:
    """Return the work of a command with all models and tasks of its run, for the report."""
    if work.settings is None:
        return work
    run = work.config.run
    place = [f"run.root={run.root}", f"run.name={run.name}"]
    command = load_run(place, judged=True, tell=False)
    if command.models == work.models and command.config.data == work.config.data:
        return work
    return prepare(command.config, command.models)


def report(work: Work) -> StageResult:
    """Write tables over all shards from the files alone; delete what killed processes left."""
    from iwr.report import write_report
    from iwr.scores.caption import unscored_lines

    clear_parts(work.paths.folder)
    merge_manifests(work.paths)
    tables = write_report(work.names, work.all_tasks, work.config, work.paths)
    unscored = sum(row["unscored"] for row in tables.rows)
    lines = [tables.caption, tables.trust, *unscored_lines(tables.scores)]
    return StageResult(
        rows=tables.rows,
        unscored=unscored,
        caption="\n".join(lines),
    )
