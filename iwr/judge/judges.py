"""Which judge a config names: how it is opened, and what its answers depend on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from iwr.config import Config, JudgeConfig
from iwr.errors import ConfigError
from iwr.judge.base import Judge
from iwr.records import Fingerprint, digest
from iwr.runs import RunPaths, TaskPaths

RULES = (
    "actions candidates claims clauses colours effects intents language looks matching order phrases rules states values"
).split()
NewJudge = Callable[[TaskPaths], Judge]


def judge_settings(judge: JudgeConfig, files: TaskPaths) -> Fingerprint:
    """What a rollout by this judge depends on, besides the task and the page."""
    settings = {"judge.kind": judge.kind}
    if judge.kind == "rules":
        folder = Path(__file__).parent
        settings["input.rules"] = digest(*((folder / f"{name}.py").read_bytes() for name in RULES), (folder / "candidates.js").read_bytes())
    return settings


@asynccontextmanager
async def opened_judge(config: Config, paths: RunPaths) -> AsyncIterator[NewJudge]:
    """A function that gives each rollout a judge of its own. Raises ConfigError, ServerError."""
    if config.judge.kind == "rules":
        from iwr.judge.rules import RulesJudge

        yield lambda files: RulesJudge()
    else:
        raise ConfigError(f"judge.kind={config.judge.kind}", hint="choose rules")
