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


class RoleModel(NamedTuple):
    """A model and its role in a run: "model" or "judge"."""

    role: str
    model: ModelConfig

    @property
    def label(self) -> str:
        """Return how messages call it."""
        return f"{self.role} {self.model.name}"


class DoctorContext(NamedTuple):
    """Holds what the settings ask for. `served` are the models that start on this machine."""

    config: Config
    models: list[ModelConfig]
    served: list[RoleModel]
    loaded: Loaded
    environment: Environment


def output(*command: str) -> str:
    """Return the standard output of a command; "" when it is missing, fails or takes too long."""
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if process.returncode != 0:
        return ""
    return process.stdout
