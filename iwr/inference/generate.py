"""The first stage: models answer tasks. Each answer is saved as soon as it is there."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from iwr.config import Config, ModelConfig
from iwr.errors import AuditError, ConfigError, DataError, RequestError, ServerError
from iwr.inference.client import ChatClient
from iwr.inference.engines import baselines
from iwr.inference.engines.vllm import ServedModel
from iwr.inference.fingerprint import fingerprint
from iwr.inference.memory import in_flight
from iwr.inference.server.replicas import ServerReplicas
from iwr.inference.writer import GenerationWriter
from iwr.progress import Progress
from iwr.records import Generation, Task
from iwr.runs.paths import RunPaths
from iwr.runs.resume import is_pending

log = logging.getLogger(__name__)

SUSPICIOUS = 2  # deaths of the server while it answered a task, after which the task is suspected


def pending_tasks(
    tasks: Sequence[Task], model: ModelConfig, config: Config, paths: RunPaths
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
    tasks: Sequence[Task], model: ModelConfig, config: Config, paths: RunPaths, progress: Progress
) -> None:
    """Have `model` answer the pending tasks; a server is started only if there are any.

    A task that fails for itself gets a `failed` record and the others go on. Raise ConfigError for
    settings that cannot work, StaleRunError, and ServerError when the server cannot be kept up;
    earlier answers are saved.
    """
    pending = pending_tasks(tasks, model, config, paths)
    if not pending:
        return
    with progress(f"generate {model.name}", len(pending)) as step:
        writer = GenerationWriter(model, config, paths, step)
        if model.kind in baselines.KINDS:
            for task in pending:
                writer.baseline(task)
        elif model.kind == "vllm":
            _serve(pending, writer)
        elif model.kind == "transformers":
            _load(pending, writer)
        else:
            kinds = ", ".join(baselines.KINDS)
            raise ConfigError(f"model.kind={model.kind}: choose vllm, transformers, {kinds}")


def _load(tasks: list[Task], writer: GenerationWriter) -> None:
    """Answer tasks with a model in this process, one after another."""
    from iwr.inference.engines.transformers import LocalModel

    with LocalModel(writer.model, writer.config) as local, writer.session(local):
        for task in tasks:
            try:
                writer.reply(task, local.ask(task))
            except (DataError, ServerError) as error:
                writer.failed(task, error)


def _serve(tasks: list[Task], writer: GenerationWriter) -> None:
    """Start the servers and ask; start them again when they die, `server.restarts` times at most.

    Raise ServerError when they die once more.
    """
    model = writer.model
    restarts = writer.config.server.restarts
    replicas = ServerReplicas(
        model, writer.config, media=_common_folder(tasks), logs=writer.paths.logs
    )
    with replicas, writer.session(replicas):
        asking = _Asking(replicas, writer)
        pending = asyncio.run(asking.ask_all(tasks))
        for restart in range(1, restarts + 1):
            if not pending:
                return
            log.warning(
                "%s: server died; restart %d of %d, %d tasks left",
                model.name,
                restart,
                restarts,
                len(pending),
            )
            replicas.start()
            pending = asyncio.run(asking.ask_all(pending))
        if not pending:
            return
        log_tail = replicas.log_tail()
    raise ServerError(
        f"the server of {model.name} died {restarts + 1} times; {len(pending)} tasks are left. "
        f"End of its log:\n{log_tail}",
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
        suspects = [task for task in tasks if self._deaths[task.id] >= SUSPICIOUS]
        others = [task for task in tasks if task not in suspects]
        seconds = config.server.request_seconds
        async with ChatClient(self.replicas.endpoints, seconds=seconds) as client:
            questions = (self._ask_within(slots, task, client) for task in others)
            answered = await asyncio.gather(*questions)
            for task in suspects:
                answered.append(await self._ask(task, client))
        outcomes = zip([*others, *suspects], answered, strict=True)
        return [task for task, is_answered in outcomes if not is_answered]

    async def _ask_within(self, slots: asyncio.Semaphore, task: Task, client: ChatClient) -> bool:
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
