"""The first stage: models answer tasks. Each answer is saved as soon as it is there."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from iwr.config import Config, ModelConfig
from iwr.errors import AuditError, DataError, RequestError, ServerError
from iwr.inference.client import ChatClient
from iwr.inference.engines import baselines
from iwr.inference.engines.vllm import ServedModel
from iwr.inference.fingerprint import fingerprint
from iwr.inference.largest import largest_video
from iwr.inference.memory import in_flight
from iwr.inference.repeating import warn_of_equal_answers, with_repeats
from iwr.inference.server.replicas import ServerReplicas
from iwr.inference.usage import Engine, UsageRecorder
from iwr.inference.writer import GenerationWriter
from iwr.progress import Progress
from iwr.records import Generation, Task
from iwr.repeats import model_of
from iwr.runs.paths import RunPaths
from iwr.runs.resume import is_pending

log = logging.getLogger(__name__)

SUSPICIOUS = 2  # deaths of the server while it answered a task, after which the task is suspected


def pending_tasks(
    tasks: Sequence[Task],
    model: ModelConfig,
    config: Config,
    paths: RunPaths,
) -> list[Task]:
    """Return the tasks that `model` has yet to answer.

    Raise StaleRunError when settings changed since earlier answers.
    """
    pending = []
    for task in tasks:
        record = paths.task(model.name, task.id).generation
        current = fingerprint(task, model, config)
        if is_pending(record, Generation, current, config.run.on_change):
            pending.append(task)
    return pending


def generate(
    tasks: Sequence[Task],
    model: ModelConfig,
    config: Config,
    paths: RunPaths,
    progress: Progress,
) -> None:
    """Have `model` answer the pending tasks; a server is started only if there are any.

    All repeats (`run.repeats`) ask the same server. A task that fails for itself gets
    a `failed` record and the others go on. Raise ConfigError for settings that cannot work,
    StaleRunError, and ServerError when the server cannot be kept up; earlier answers are saved.
    """
    pending = _pending_by_repeat(tasks, model, config, paths)
    if not pending:
        return
    with _writers(pending, model, config, paths, progress) as work:
        if model.kind in baselines.KINDS:
            for writer, unanswered in work:
                for task in unanswered:
                    writer.baseline(task)
        elif model.kind == "vllm":
            asyncio.run(_serve(work, None))
        else:
            _load(work)


async def generate_served(
    tasks: Sequence[Task],
    model: ModelConfig,
    config: Config,
    paths: RunPaths,
    progress: Progress,
    gpus: Sequence[str] | None,
) -> None:
    """Do as `generate` for a model that vLLM serves, on these GPUs; None: on all."""
    pending = _pending_by_repeat(tasks, model, config, paths)
    if not pending:
        return
    with _writers(pending, model, config, paths, progress) as work:
        await _serve(work, gpus)


class PendingRepeat(NamedTuple):
    """What one repeat of a model has still to answer."""

    model: ModelConfig
    tasks: list[Task]


def _pending_by_repeat(
    tasks: Sequence[Task], model: ModelConfig, config: Config, paths: RunPaths
) -> list[PendingRepeat]:
    """Return the repeats that have something to answer. Raise StaleRunError."""
    pending = []
    for each in with_repeats([model], config):
        unanswered = pending_tasks(tasks, each, config, paths)
        if unanswered:
            pending.append(PendingRepeat(each, unanswered))
    return pending


class Repeat(NamedTuple):
    """A repeat of a model, with what writes its answers."""

    writer: GenerationWriter
    tasks: list[Task]


@contextmanager
def _writers(
    pending: Sequence[PendingRepeat],
    model: ModelConfig,
    config: Config,
    paths: RunPaths,
    progress: Progress,
) -> Iterator[list[Repeat]]:
    """Give each repeat a writer; all of them report to one line of progress."""
    warn_of_equal_answers(model, config)
    total = sum(len(each.tasks) for each in pending)
    with progress(f"generate {model.name}", total) as step:
        work = []
        for each in pending:
            writer = GenerationWriter(each.model, config, paths, step)
            work.append(Repeat(writer, each.tasks))
        yield work


@contextmanager
def _session(work: Sequence[Repeat], engine: Engine) -> Iterator[None]:
    """Record what is done with this engine in all repeats, however it ends."""
    first = work[0].writer
    usage = UsageRecorder(model_of(first.model.name), engine, first.paths)
    for writer, _ in work:
        writer.use(engine.engine, usage)
    try:
        yield
    finally:
        usage.write()


def _load(work: Sequence[Repeat]) -> None:
    """Answer tasks with a model in this process, one after another."""
    from iwr.inference.engines.transformers import LocalModel

    first = work[0].writer
    with LocalModel(first.model, first.config) as local, _session(work, local):
        for writer, tasks in work:
            local.sample_as(writer.model)
            for task in tasks:
                try:
                    writer.reply(task, local.ask(task))
                except (DataError, ServerError) as error:
                    writer.failed(task, error)


async def _serve(work: Sequence[Repeat], gpus: Sequence[str] | None) -> None:
    """Start the servers and ask; start them again when they die, `server.restarts` times at most.

    Raise ServerError when they die once more. Cancelled, it ends the servers, also in their start.
    """
    tasks = list({task.id: task for each in work for task in each.tasks}.values())
    first = work[0].writer
    model = first.model
    config = first.config
    largest = await asyncio.to_thread(largest_video, tasks, model, config.protocol)
    replicas = ServerReplicas(
        model,
        config,
        media=_common_folder(tasks),
        logs=first.paths.logs,
        gpus=gpus,
        video_tokens=largest,
    )
    try:
        await asyncio.to_thread(replicas.start)
        with _session(work, replicas):
            for each in work:
                await _ask_until_answered(each.tasks, replicas, each.writer)
    finally:
        replicas.stop()


async def _ask_until_answered(
    tasks: list[Task],
    replicas: ServerReplicas,
    writer: GenerationWriter,
) -> None:
    """Ask all tasks. Raise ServerError when the servers die once more than they may."""
    name = writer.model.name
    restarts = writer.config.server.restarts
    asking = _Asking(replicas, writer)
    pending = await asking.ask_all(tasks)
    for restart in range(1, restarts + 1):
        if not pending:
            return
        left = len(pending)
        log.warning(
            "%s: server died; restart %d of %d, %d tasks left", name, restart, restarts, left
        )
        await asyncio.to_thread(replicas.start)
        pending = await asking.ask_all(pending)
    if not pending:
        return
    raise ServerError(
        f"the server of {name} died {restarts + 1} times; {len(pending)} tasks are left. "
        f"End of its log:\n{replicas.log_tail()}",
        hint="the same command resumes; server.in_flight=1 shows which task is to blame",
    )


def _common_folder(tasks: list[Task]) -> Path:
    """Return the folder that holds all recordings and overview images."""
    folders = []
    for task in tasks:
        for path in (task.video, *task.stitched):
            folders.append(path.resolve().parent)
    return Path(os.path.commonpath(folders))


class _Asking:
    """Asks tasks of the replicas of a server, and counts at how many deaths each was in flight.

    From SUSPICIOUS on a task is asked alone and last, and fails if it is the end of the server
    again: one poisonous task must not cost the run.
    """

    def __init__(self, replicas: ServerReplicas, writer: GenerationWriter):
        self.replicas = replicas
        self.writer = writer
        self.served_model = ServedModel(writer.model, writer.config)
        self._deaths: Counter[str] = Counter()
        self._server_died = False

    async def ask_all(self, tasks: list[Task]) -> list[Task]:
        """Ask every task, `server.in_flight` at a time and server.

        Return those that are still pending because a server died.
        """
        self._server_died = False
        config = self.writer.config
        limit = config.server.in_flight * len(self.replicas.endpoints)
        slots = asyncio.Semaphore(in_flight(tasks, limit, config.protocol))
        suspects: list[Task] = []
        others: list[Task] = []
        for task in tasks:
            group = others
            if self._deaths[task.id] >= SUSPICIOUS:
                group = suspects
            group.append(task)
        seconds = config.server.request_seconds
        async with ChatClient(self.replicas.endpoints, seconds=seconds) as client:
            questions = (self._ask_within(slots, task, client) for task in others)
            answered = await asyncio.gather(*questions)
            for task in suspects:
                answered.append(await self._ask(task, client))
        pending = []
        for task, is_answered in zip(others + suspects, answered, strict=True):
            if not is_answered:
                pending.append(task)
        return pending

    async def _ask_within(self, slots: asyncio.Semaphore, task: Task, client: ChatClient) -> bool:
        """Ask one task as soon as a slot is free."""
        async with slots:
            return await self._ask(task, client)

    async def _ask(self, task: Task, client: ChatClient) -> bool:
        """Ask one task and save the outcome.

        Return False, with nothing saved, when it is to be asked again of a server that lives.
        """
        if self._server_died:
            return False
        try:
            self.writer.reply(task, await self.served_model.ask(task, client))
        except (DataError, RequestError, AuditError) as error:
            self.writer.failed(task, error)
        except ServerError as error:
            if not await asyncio.to_thread(self.replicas.healthy):
                self._server_died = True
                self._deaths[task.id] += 1
                if self._deaths[task.id] <= SUSPICIOUS:
                    return False
            self.writer.failed(task, error)
        return True
