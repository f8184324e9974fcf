"""The first stage: contestants answer tasks. Each answer is saved as soon as it is there.

A task's files are written reply first, then page, then `generation.json`: a record means that all of it is there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iwr.config import Config, ModelConfig
from iwr.errors import (
    AuditError,
    ConfigError,
    DataError,
    GenerationError,
    IwrError,
    RequestError,
    ServerError,
)
from iwr.inference import reply as html
from iwr.inference import video, weights
from iwr.inference.client import ChatClient
from iwr.inference.engines import baselines
from iwr.inference.engines.vllm import Reply, ServedModel, max_tokens, temperature
from iwr.inference.memory import in_flight
from iwr.inference.prompt import prompt_digest
from iwr.inference.server.replicas import ServerReplicas
from iwr.inference.usage import Engine, UsageRecorder
from iwr.progress import Progress, Step
from iwr.records import Fingerprint, Generation, GenerationStatus, Task
from iwr.runs.files import write_atomic, write_record
from iwr.runs.paths import RunPaths
from iwr.runs.resume import is_pending

log = logging.getLogger(__name__)

SUSPICIOUS = 2  # deaths of the server while it answered a task, after which the task is suspected

# what a contestant's answer does not depend on: its name, and how fast its server is
NOT_RESULTS = (
    "name",
    "kind",
    "gpus",
    "weights_gb",
    "architecture",
    "max_tokens",
    "temperature",
    "video_io",
)


def fingerprint(task: Task, model: ModelConfig, config: Config) -> Fingerprint:
    """What the answer of `model` to `task` is made from. Raises ConfigError when there are no such weights."""
    made_from: dict[str, Any] = {"task": task.digest, "model.kind": model.kind}
    if model.kind in baselines.KINDS:
        return _texts(made_from | {"input.page": baselines.input_digest(task, model)})
    settings = {
        f"model.{key}": value for key, value in vars(model).items() if key not in NOT_RESULTS
    }
    return _texts(
        made_from
        | settings
        | {
            "model.weights": weights.weights_digest(model, config.server),
            "prompt": prompt_digest(),
            "sampling.fps": config.protocol.fps,
            "sampling.max_frames": config.protocol.max_frames,
            "sampling.max_tokens": max_tokens(model, config),
            "sampling.temperature": temperature(model, config),
            "sampling.engine": video.engine_settings(model, config.protocol),
        }
    )


def _texts(settings: dict[str, Any]) -> Fingerprint:
    """As text; what is not set is left out, so that a new setting does not make old results stale."""
    given = {
        key: value
        for key, value in settings.items()
        if value is not None and value is not False and value not in ([], {})
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in given.items()
    }


def pending_tasks(
    tasks: Sequence[Task], model: ModelConfig, config: Config, paths: RunPaths
) -> list[Task]:
    """The tasks that `model` has yet to answer. Raises StaleRunError when settings changed since earlier answers."""
    return [
        task
        for task in tasks
        if is_pending(
            paths.task(model.name, task.id).generation,
            Generation,
            fingerprint(task, model, config),
            config.run.on_change,
        )
    ]


def generate(
    tasks: Sequence[Task], model: ModelConfig, config: Config, paths: RunPaths, progress: Progress
) -> None:
    """Have `model` answer what is owed; a server is started only then.

    A task that fails for itself gets a `failed` record and the others go on. Raises ConfigError for settings that cannot
    work, StaleRunError, and ServerError when the server cannot be kept up; what was answered until then is saved.
    """
    todo = pending_tasks(tasks, model, config, paths)
    if not todo:
        return
    with progress(f"generate {model.name}", len(todo)) as step:
        desk = _Desk(model, config, paths, step)
        if model.kind in baselines.KINDS:
            for task in todo:
                desk.make(task)
        elif model.kind == "vllm":
            _serve(todo, desk)
        elif model.kind == "transformers":
            _load(todo, desk)
        else:
            raise ConfigError(
                f"model.kind={model.kind}: choose vllm, transformers, {', '.join(baselines.KINDS)}"
            )


# ---- models in this process -------------------------------------------------------------------------


def _load(tasks: list[Task], desk: _Desk) -> None:
    from iwr.inference.engines.transformers import LocalModel

    with LocalModel(desk.model, desk.config) as local, desk.session(local):
        for task in tasks:
            try:
                desk.answered(task, local.ask(task))
            except (DataError, ServerError) as error:
                desk.failed(task, error)


# ---- served models ----------------------------------------------------------------------------------


def _serve(tasks: list[Task], desk: _Desk) -> None:
    """Start the servers and ask; start them again when they die, as often as `server.restarts` allows."""
    restarts = desk.config.server.restarts
    deaths: Counter[str] = Counter()
    media = Path(
        os.path.commonpath(
            [path.resolve().parent for task in tasks for path in (task.video, *task.stitched)]
        )
    )
    with (
        ServerReplicas(desk.model, desk.config, media=media, logs=desk.paths.logs) as fleet,
        desk.session(fleet),
    ):
        for restart in range(restarts + 1):
            if restart:
                log.warning(
                    "%s: server died; restart %d of %d, %d tasks left",
                    desk.model.name,
                    restart,
                    restarts,
                    len(tasks),
                )
                fleet.start()
            tasks = asyncio.run(_ask_all(tasks, fleet, desk, deaths))
            if not tasks:
                return
        end = fleet.log_tail()
    raise ServerError(
        f"the server of {desk.model.name} died {restarts + 1} times; {len(tasks)} tasks are left. End of its log:\n{end}",
        hint="the same command resumes; server.in_flight=1 shows which task is to blame",
    )


async def _ask_all(
    tasks: list[Task], fleet: ServerReplicas, desk: _Desk, deaths: Counter[str]
) -> list[Task]:
    """Ask every task, `server.in_flight` at a time and server. Returns those that are still owed because a server died.

    `deaths` counts at how many deaths a task was being answered. From SUSPICIOUS on it is asked alone and last, and fails if
    it is the end of the server again: one poisonous task must not cost the run.
    """
    wanted = desk.config.server.in_flight * len(fleet.endpoints)
    slots = asyncio.Semaphore(in_flight(tasks, wanted, desk.config.protocol))
    dead = asyncio.Event()
    contestant = ServedModel(desk.model, desk.config)

    async def one(task: Task, client: ChatClient) -> Task | None:
        async with slots:
            if dead.is_set():
                return task
            try:
                desk.answered(task, await contestant.ask(task, client))
            except (DataError, RequestError, AuditError) as error:
                desk.failed(task, error)
            except ServerError as error:
                if not await asyncio.to_thread(fleet.healthy):
                    dead.set()
                    deaths[task.id] += 1
                    if deaths[task.id] <= SUSPICIOUS:
                        return task
                desk.failed(task, error)
        return None

    async with ChatClient(fleet.endpoints, seconds=desk.config.server.request_seconds) as client:
        left = await asyncio.gather(
            *(one(task, client) for task in tasks if deaths[task.id] < SUSPICIOUS)
        )
        left += [
            await one(task, client)
            for task in tasks
            if deaths[task.id] >= SUSPICIOUS and task not in left
        ]
    return [task for task in left if task is not None]


# ---- saving -----------------------------------------------------------------------------------------


class _Desk:
    """Where answers arrive and are put on disk."""

    def __init__(self, model: ModelConfig, config: Config, paths: RunPaths, step: Step):
        self.model, self.config, self.paths, self.step = model, config, paths, step
        self.engine: str | None = None
        self.weights: str | None = None
        self.meter: UsageRecorder | None = None

    @contextmanager
    def session(self, engine: Engine) -> Iterator[None]:
        """Record what is done with this engine, however it ends."""
        self.engine = engine.engine
        self.weights = weights.identity(self.model, self.config.server)
        self.meter = UsageRecorder(self.model.name, engine, self.paths)
        try:
            yield
        finally:
            self.meter.write()

    def make(self, task: Task) -> None:
        """The page of a baseline."""
        started = time.monotonic()
        try:
            made = baselines.make(task, self.model)
        except DataError as error:
            self.failed(task, error)
            return
        status = GenerationStatus.MISSING if made.page is None else GenerationStatus.OK
        self._save(
            task,
            status,
            reply=None,
            page=made.page,
            reason=made.reason,
            seconds=time.monotonic() - started,
        )

    def answered(self, task: Task, reply: Reply) -> None:
        """A model's reply, with or without a page in it."""
        if self.meter:
            self.meter.add(reply.usage)
        known: dict[str, Any] = dict(
            finish_reason=reply.finish_reason,
            usage=reply.usage,
            frames=reply.frames,
            seconds=reply.seconds,
        )
        try:
            page = html.page_of(reply.text, reply.finish_reason)
        except GenerationError as error:
            cut = reply.finish_reason == "length"
            reason = f"{error} ({reply.note})" if reply.note else str(error)
            self._save(
                task,
                GenerationStatus.MISSING,
                reply=reply.text,
                page=None,
                reason=reason,
                truncated=cut,
                **known,
            )
            return
        content = page.html.encode("utf-8", "replace")
        known |= dict(extraction=page.found, truncated=page.truncated, reason=reply.note)
        self._save(task, GenerationStatus.OK, reply=reply.text, page=content, **known)

    def failed(self, task: Task, error: IwrError) -> None:
        """Infrastructure failed: nothing is known about the model."""
        reason = f"{error} ({error.hint})" if error.hint else str(error)
        log.warning("%s, task %s: %s", self.model.name, task.id, reason)
        self._save(task, GenerationStatus.FAILED, reply=None, page=None, reason=reason)

    def _save(
        self,
        task: Task,
        status: GenerationStatus,
        *,
        reply: str | None,
        page: bytes | None,
        **known: Any,
    ) -> None:
        files = self.paths.task(self.model.name, task.id)
        files.generation.unlink(missing_ok=True)  # while its files change there is no record
        for path, content in (
            (files.reply, None if reply is None else reply.encode("utf-8", "replace")),
            (files.page, page),
        ):
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_atomic(path, content)
        record = Generation(
            model=self.model.name,
            task=task.id,
            status=status,
            fingerprint=fingerprint(task, self.model, self.config),
            engine=self.engine,
            weights=self.weights,
            page_sha256=None if page is None else hashlib.sha256(page).hexdigest(),
            **known,
        )
        write_record(files.generation, record)
        self.step(f"{task.id} {status}" + (f": {record.reason}" if record.reason else ""))
