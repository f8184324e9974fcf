"""What the checks of `iwr doctor` are given, what they say, and how they ask another program."""

from __future__ import annotations

import subprocess
from typing import NamedTuple

from iwr.config import Config, Environment, ModelConfig
from iwr.tasks.load import Loaded


class CheckResult(NamedTuple):
    """`status`: ok; warn: it works, but not well; fail: the settings need it and it is not there."""

    check: str
    status: str
    found: str
    fix: str | None = None


class DoctorContext(NamedTuple):
    """What the settings ask for. `served`: the models that start on this machine, with the part they play: model or judge."""

    config: Config
    models: list[ModelConfig]
    served: list[tuple[str, ModelConfig]]
    loaded: Loaded
    environment: Environment


def output(*command: str) -> str:
    """Standard output of a command that is there; "" when it fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
