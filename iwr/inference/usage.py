"""Record what one process did with the servers of one model: tokens, seconds, GPUs."""

from __future__ import annotations

import os
import time
from typing import Protocol

from iwr.records import Session, Usage
from iwr.runs.files import write_record
from iwr.runs.paths import RunPaths


class Engine(Protocol):
    """Whatever answers: replicas of a server, or a model in this process."""

    @property
    def engine(self) -> str: ...  # "vllm 0.33.0"

    gpus: int  # of all replicas together; 0 on a CPU
    start_seconds: float  # from launch to readiness, restarts included
    restart_seconds: float  # the part of it that fell between questions


class UsageRecorder:
    """Writes its record again after each answer, so a killed process loses no more than one."""

    def __init__(self, model: str, engine: Engine, paths: RunPaths):
        self.model = model
        self.engine = engine
        stamp = time.strftime("%Y%m%d-%H%M%S")
        self._file = paths.session(model, f"{stamp}-{os.getpid()}")
        self._start = time.monotonic()
        self._answers = 0
        self._prompt_tokens = 0
        self._completion_tokens = 0

    def add(self, usage: Usage) -> None:
        """Count one more answer and write the record."""
        self._answers += 1
        self._prompt_tokens += usage.prompt_tokens or 0
        self._completion_tokens += usage.completion_tokens or 0
        self.write()

    def write(self) -> None:
        """Write the record as it is now; `seconds` leaves out restarts."""
        busy = time.monotonic() - self._start
        record = Session(
            model=self.model,
            engine=self.engine.engine,
            gpus=self.engine.gpus,
            start_seconds=self.engine.start_seconds,
            seconds=max(busy - self.engine.restart_seconds, 0),
            answered=self._answers,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
        )
        write_record(self._file, record)
