"""The only reader of environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    """What `iwr` takes from the environment, read once and nowhere else."""

    chromium: str | None  # IWR_CHROMIUM: browser to use
    api_key: str | None  # IWR_API_KEY: for server=external
    temporary: str | None  # IWR_TMP, else SLURM_TMPDIR where it exists
    # a node-local folder for sockets, profiles and compile caches
    job: str | None  # SLURM_JOB_ID
    array_task: int | None  # SLURM_ARRAY_TASK_ID
    inherited: dict[str, str]  # passed on to child processes

    @classmethod
    def read(cls) -> Environment:
        def number(name: str) -> int | None:
            return int(os.environ[name]) if os.environ.get(name, "").isdigit() else None

        local = os.environ.get("SLURM_TMPDIR", "")
        return cls(
            chromium=os.environ.get("IWR_CHROMIUM"),
            api_key=os.environ.get("IWR_API_KEY"),
            temporary=os.environ.get("IWR_TMP") or (local if os.path.isdir(local) else None),
            job=os.environ.get("SLURM_JOB_ID"),
            array_task=number("SLURM_ARRAY_TASK_ID"),
            inherited=dict(os.environ),
        )
