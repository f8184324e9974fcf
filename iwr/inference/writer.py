"""Put answers on disk.

A task's files are written reply first, then page, then `generation.json`: a record means that all
of it is there.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iwr.config import Config, ModelConfig
from iwr.errors import DataError, GenerationError, IwrError
from iwr.inference import weights
from iwr.inference.engines import baselines
from iwr.inference.engines.vllm import GeneratedReply
from iwr.inference.fingerprint import fingerprint
from iwr.inference.reply import page_of
from iwr.inference.thinking import marks_of
from iwr.inference.usage import UsageRecorder
from iwr.progress import Step
from iwr.records import Generation, GenerationStatus, Task
from iwr.runs.files import write_atomic, write_record
from iwr.runs.paths import RunPaths

log = logging.getLogger(__name__)

NOTHING: Mapping[str, Path] = {}


class GenerationWriter:
    """Writes the answers of one model, each as soon as it is there, and reports the step."""

    def __init__(self, model: ModelConfig, config: Config, paths: RunPaths, step: Step):
        self.model = model
        self.config = config
        self.paths = paths
        self.step = step
        self._engine: str | None = None
        self._weights: str | None = None
        self._marks = marks_of(model.thinking)
        self._usage: UsageRecorder | None = None

    def use(self, engine: str, usage: UsageRecorder) -> None:
        """Take answers from an engine, and record what they cost."""
        self._engine = engine
        self._weights = weights.identity(self.model, self.config.server)
        self._usage = usage

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
        self._save(
            task,
            status,
            page=page.content,
            beside=page.beside,
            reason=page.reason,
            seconds=seconds,
        )

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
            "sampling": reply.sampling,
        }
        try:
            page = page_of(reply.text, reply.finish_reason, self._marks)
        except GenerationError as error:
            reason = str(error)
            if reply.note:
                reason = f"{error} ({reply.note})"
            self._save(
                task,
                GenerationStatus.MISSING,
                reason=reason,
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
        reason = str(error)
        if error.hint:
            reason = f"{error} ({error.hint})"
        log.warning("%s, task %s: %s", self.model.name, task.id, reason)
        self._save(task, GenerationStatus.FAILED, reason=reason)

    def _save(
        self,
        task: Task,
        status: GenerationStatus,
        *,
        reply: str | None = None,
        page: bytes | None = None,
        beside: Mapping[str, Path] = NOTHING,
        **details: Any,
    ) -> None:
        """Write the files of a task; `details` are fields of its record."""
        files = self.paths.task(self.model.name, task.id)
        files.generation.unlink(missing_ok=True)  # while its files change there is no record
        _write(files.reply, None if reply is None else reply.encode("utf-8", "replace"))
        _write(files.page, page)
        _copy(beside, files.beside)
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
        note = f"{task.id} {status}"
        if record.reason:
            note = f"{note}: {record.reason}"
        self.step(note)


def _copy(sources: Mapping[str, Path], folder: Path) -> None:
    """Make `folder` hold these files by name, and nothing else."""
    if any(source.is_relative_to(folder) for source in sources.values()):
        return  # pages that are judged where they are
    shutil.rmtree(folder, ignore_errors=True)
    for name, source in sources.items():
        write_atomic(folder / name, source.read_bytes())


def _write(path: Path, content: bytes | None) -> None:
    """Write a file whole; without content, remove it."""
    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_atomic(path, content)
