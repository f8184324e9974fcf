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
        """Read the variables as they are now."""
        variables = dict(os.environ)
        return cls(
            chromium=variables.get("IWR_CHROMIUM"),
            api_key=variables.get("IWR_API_KEY"),
            temporary=variables.get("IWR_TMP") or _folder_of_job(variables),
            job=variables.get("SLURM_JOB_ID"),
            array_task=_array_task(variables),
            inherited=variables,
        )


def _folder_of_job(variables: dict[str, str]) -> str | None:
    """Return the job's own folder for temporary files, where it exists."""
    folder = variables.get("SLURM_TMPDIR", "")
    if os.path.isdir(folder):
        return folder
    return None


def _array_task(variables: dict[str, str]) -> int | None:
    """Return this job's number in its array; None outside of one."""
    number = variables.get("SLURM_ARRAY_TASK_ID", "")
    if number.isdigit():
        return int(number)
    return None
