"""Put answers on disk.

A task's files are written reply first, then page, then `generation.json`: a record means that all
of it is there.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iwr.config import Config, ModelConfig
from iwr.errors import DataError, GenerationError, IwrError
from iwr.inference import weights
from iwr.inference.engines import baselines
from iwr.inference.engines.vllm import GeneratedReply
from iwr.inference.fingerprint import fingerprint
from iwr.inference.reply import page_of
from iwr.inference.usage import Engine, UsageRecorder
from iwr.progress import Step
from iwr.records import Generation, GenerationStatus, Task
from iwr.runs.files import write_atomic, write_record
from iwr.runs.paths import RunPaths

log = logging.getLogger(__name__)


class GenerationWriter:
    """Writes the answers of one model, each as soon as it is there, and reports the step."""

    def __init__(self, model: ModelConfig, config: Config, paths: RunPaths, step: Step):
        self.model = model
        self.config = config
        self.paths = paths
        self.step = step
        self._engine: str | None = None
        self._weights: str | None = None
        self._usage: UsageRecorder | None = None

    @contextmanager
    def session(self, engine: Engine) -> Iterator[None]:
        """Record what is done with this engine, however it ends."""
        self._engine = engine.engine
        self._weights = weights.identity(self.model, self.config.server)
        self._usage = UsageRecorder(self.model.name, engine, self.paths)
        try:
            yield
        finally:
            self._usage.write()

    def baseline(self, task: Task) -> None:
        """Make and save the page of a baseline."""
        start = time.monotonic()
        try:
            page = baselines.make(task, self.model)
        except DataError as error:
            self.failed(task, error)
            return
        status = GenerationStatus.OK
        if page.content is None:
            status = GenerationStatus.MISSING
        seconds = time.monotonic() - start
        self._save(task, status, page=page.content, reason=page.reason, seconds=seconds)

    def reply(self, task: Task, reply: GeneratedReply) -> None:
        """Save a model's reply and the page in it, if there is one."""
        if self._usage is not None:
            self._usage.add(reply.usage)
        details: dict[str, Any] = {
            "reply": reply.text,
            "finish_reason": reply.finish_reason,
            "usage": reply.usage,
            "frames": reply.frames,
            "seconds": reply.seconds,
        }
        try:
            page = page_of(reply.text, reply.finish_reason)
        except GenerationError as error:
            self._save(
                task,
                GenerationStatus.MISSING,
                reason=f"{error} ({reply.note})" if reply.note else str(error),
                truncated=reply.finish_reason == "length",
                **details,
            )
            return
        self._save(
            task,
            GenerationStatus.OK,
            page=page.html.encode("utf-8", "replace"),
            extraction=page.source,
            truncated=page.truncated,
            reason=reply.note,
            **details,
        )

    def failed(self, task: Task, error: IwrError) -> None:
        """Save that infrastructure failed: nothing is known about the model."""
        reason = f"{error} ({error.hint})" if error.hint else str(error)
        log.warning("%s, task %s: %s", self.model.name, task.id, reason)
        self._save(task, GenerationStatus.FAILED, reason=reason)

    def _save(
        self,
        task: Task,
        status: GenerationStatus,
        *,
        reply: str | None = None,
        page: bytes | None = None,
        **details: Any,
    ) -> None:
        """Write the files of a task; `details` are fields of its record."""
        files = self.paths.task(self.model.name, task.id)
        files.generation.unlink(missing_ok=True)  # while its files change there is no record
        _write(files.reply, None if reply is None else reply.encode("utf-8", "replace"))
        _write(files.page, page)
        record = Generation(
            model=self.model.name,
            task=task.id,
            status=status,
            fingerprint=fingerprint(task, self.model, self.config),
            engine=self._engine,
            weights=self._weights,
            page_sha256=None if page is None else hashlib.sha256(page).hexdigest(),
            **details,
        )
        write_record(files.generation, record)
        reason = f": {record.reason}" if record.reason else ""
        self.step(f"{task.id} {status}{reason}")


def _write(path: Path, content: bytes | None) -> None:
    """Write a file whole; without content, remove it."""
    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_atomic(path, content)
