"""The input and the results of the checks of `iwr doctor`, and how they ask another program."""

from __future__ import annotations

import subprocess
from typing import NamedTuple

from iwr.config import Config, Environment, ModelConfig
from iwr.tasks.load import Loaded


class CheckResult(NamedTuple):
    """`status`: ok; warn: it works, but not well; fail: the settings need it, and it is missing."""

    check: str
    status: str
    found: str
    fix: str | None = None


class DoctorContext(NamedTuple):
    """What the settings ask for.

    `served` has the models that start on this machine, each with its role: model or judge.
    """

    config: Config
    models: list[ModelConfig]
    served: list[tuple[str, ModelConfig]]
    loaded: Loaded
    environment: Environment


def output(*command: str) -> str:
    """Return the standard output of a command; "" when it is missing, fails or takes too long."""
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout if process.returncode == 0 else ""
