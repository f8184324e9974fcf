"""What one process did with the servers of one model: tokens, seconds, GPUs."""

from __future__ import annotations

import os
import time
from typing import Protocol

from iwr.records import Session, Usage
from iwr.runs.files import write_record
from iwr.runs.paths import RunPaths


class Engine(Protocol):
    """What answers: a fleet of servers, or a model in this process."""

    @property
    def engine(self) -> str: ...  # "vllm 0.33.0"

    gpus: int  # of all replicas together; 0 on a CPU
    start_seconds: float  # from launch to readiness, restarts included
    restart_seconds: float  # the part of it that fell between questions


class UsageRecorder:
    """Its record is written again after each answer, so that whatever ends the process loses no more than the last one."""

    def __init__(self, model: str, engine: Engine, paths: RunPaths):
        self.model, self.engine = model, engine
        self._file = paths.session(model, f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        self._started, self._answers = time.monotonic(), list[Usage]()

    def add(self, usage: Usage) -> None:
        """Count one more answer."""
        self._answers.append(usage)
        self.write()

    def write(self) -> None:
        busy = time.monotonic() - self._started
        record = Session(
            model=self.model,
            engine=self.engine.engine,
            gpus=self.engine.gpus,
            start_seconds=self.engine.start_seconds,
            seconds=max(busy - self.engine.restart_seconds, 0),
            answered=len(self._answers),
            prompt_tokens=sum(usage.prompt_tokens or 0 for usage in self._answers),
            completion_tokens=sum(usage.completion_tokens or 0 for usage in self._answers),
        )
        write_record(self._file, record)
