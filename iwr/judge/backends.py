"""Which judge a config names: how it is opened, and what its answers depend on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from iwr import contract
from iwr.browser.scripts import script
from iwr.config import Config, JudgeConfig, ModelConfig, ServerConfig
from iwr.contract.schema import Contract
from iwr.errors import ConfigError
from iwr.inference.client import ChatClient
from iwr.inference.server.replicas import ServerReplicas
from iwr.judge.base import Judge
from iwr.judge.contract.judge import ContractJudge, ContractReplayJudge
from iwr.judge.model.asking import Asker
from iwr.judge.model.assertions import QUESTION as ASSERTION
from iwr.judge.model.grounding import LIST_PROMPT, MARKS_PROMPT
from iwr.judge.model.judge import ModelJudge
from iwr.judge.model.rubric import QUESTION as RUBRIC
from iwr.judge.replay import ReplayJudge
from iwr.judge.rules.judge import RulesJudge
from iwr.records import Fingerprint, Rollout, Task, digest, file_digest
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths, TaskPaths

KINDS = ("contract", "rules", "model", "replay")
MODEL_SETTINGS = (
    "path",
    "revision",
    "context",
    "reasoning_parser",
    "chat_template",
    "dtype",
    "processor",
    "engine_args",
)
"""The settings of a judge's model that its answers depend on."""

NewJudge = Callable[[Task, TaskPaths], Judge]
"""Gives the rollout of one page, made for a task, a judge of its own."""


# ---- what the answers depend on ----------------------------------------------------------------


def judge_settings(
    config: Config,
    files: TaskPaths,
    task: Task | None = None,
) -> Fingerprint:
    """Return what a rollout by this judge depends on, besides the page and the task's own files.

    Raises ConfigError when the weights of its model do not exist.
    """
    settings: dict[str, object] = {"judge.kind": config.judge.kind}
    match config.judge.kind:
        case "contract":
            settings |= _contract_settings(task)
        case "rules":
            settings["input.rules"] = _digest_of_rules()
        case "replay":
            settings |= _replay_settings(config.judge, files)
        case "model":
            settings |= _model_settings(config)
    texts = {}
    for key, value in settings.items():
        texts[key] = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return texts


def _contract_settings(task: Task | None) -> dict[str, object]:
    """Return the digests of the contract and of all code that checks it."""
    settings: dict[str, object] = {"input.contract_code": _digest_of_contract_code()}
    if task is not None:
        settings["input.contract"] = file_digest(task.contract) if task.contract else "none"
    return settings


@cache
def _digest_of_contract_code() -> str:
    """Return a digest of all code that decides what the judge `contract` answers."""
    package = Path(contract.__file__).parent
    return _digest_of([*package.glob("*.py"), *Path(__file__).parent.glob("contract/*.py")])


@cache
def _digest_of_rules() -> str:
    """Return a digest of all code that decides what the rules answer."""
    folder = Path(__file__).parent
    modules = [
        folder.parent / "browser" / "page_state.py",
        folder.parent / "browser" / "snapshot.py",
        folder / "perform.py",
        *sorted((folder / "rules").glob("*.py")),
    ]
    return _digest_of(modules)


def _digest_of(modules: list[Path]) -> str:
    """Return a digest of these files and of the scripts that read a page."""
    sources = [path.read_bytes() for path in sorted(modules)]
    return digest(script("walker.js"), script("hook.js"), *sources)


def _replay_settings(judge: JudgeConfig, files: TaskPaths) -> dict[str, object]:
    if not judge.replays:
        return {}
    recorded = files.judge(judge.replays).rollout
    return {
        "judge.replays": judge.replays,
        "input.recorded": file_digest(recorded) if recorded.is_file() else "none",
    }


def _model_settings(config: Config) -> dict[str, object]:
    from iwr.inference.weights import weights_digest

    judge = config.judge
    if judge.model is None:
        return {}
    settings: dict[str, object] = {
        "judge.swap": judge.swap,
        "judge.max_tokens": judge.max_tokens,
        "judge.attempts": judge.attempts,
        "judge.prompts": digest(LIST_PROMPT, MARKS_PROMPT, ASSERTION, RUBRIC),
        "judge.model.weights": weights_digest(judge.model, server_of(config)) or "hub",
    }
    for name in MODEL_SETTINGS:
        value = getattr(judge.model, name)
        if value:
            settings[f"judge.model.{name}"] = value
    return settings


# ---- where judges come from --------------------------------------------------------------------


class JudgeBackend:
    """Gives judges out, and keeps the servers of a judge model. Lives longer than an event loop."""

    def __init__(self, config: Config, servers: ServerReplicas | None):
        self.config = config
        self.servers = servers

    def alive(self) -> bool:
        """Return whether all servers are healthy, as far as there are any."""
        return self.servers is None or self.servers.healthy()

    def restart(self) -> None:
        """Start the servers again. Raises ServerError."""
        if self.servers is not None:
            self.servers.start()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[NewJudge]:
        """Yield a function that gives each rollout a judge of its own."""
        judge = self.config.judge
        if self.servers is None:
            yield lambda task, files: local_judge(judge, task, files)
            return
        client = ChatClient(
            self.servers.endpoints, seconds=judge.call_seconds, attempts=judge.attempts
        )
        async with client:
            yield lambda task, files: ModelJudge(
                Asker(client, judge, files.judge(judge.name).calls)
            )


def local_judge(
    judge: JudgeConfig,
    task: Task,
    files: TaskPaths,
) -> Judge:
    """Return the judge of one rollout, of a kind that needs no server."""
    match judge.kind:
        case "replay":
            return _replay_judge(judge, task, files)
        case "contract":
            return ContractJudge(contract_of(task), task.assets)
        case _:
            return RulesJudge()


def _replay_judge(
    judge: JudgeConfig,
    task: Task,
    files: TaskPaths,
) -> Judge:
    recorded = readable(files.judge(str(judge.replays)).rollout, Rollout)
    replay = ReplayJudge(recorded)
    if recorded is None or recorded.fingerprint.get("judge.kind") != "contract":
        return replay
    return ContractReplayJudge(contract_of(task), task.assets, replay)


def contract_of(task: Task) -> Contract:
    """Return the task's contract; an empty one where it has none."""
    if task.contract is None:
        return Contract(steps=())
    return Contract.model_validate_json(task.contract.read_bytes())


def require_contracts(tasks: Iterable[Task], config: Config) -> None:
    """Raise ConfigError when the judge needs contracts and none of the tasks has one."""
    tasks = list(tasks)
    if config.judge.kind != "contract" or not tasks or any(task.contract for task in tasks):
        return
    raise ConfigError(
        "judge=contract needs contract.json beside each task; this data has none",
        hint="choose a judge model, for example judge=qwen3_vl_8b",
    )


@contextmanager
def opened(config: Config, paths: RunPaths) -> Iterator[JudgeBackend]:
    """Yield the judge's backend with its servers running. Raises ConfigError, ServerError."""
    judge = config.judge
    if judge.kind not in KINDS:
        raise ConfigError(f"judge.kind={judge.kind}: choose {', '.join(KINDS)}")
    if judge.kind != "model":
        yield JudgeBackend(config, None)
        return
    config_of_server = replace(config, server=server_of(config))
    replicas = ServerReplicas(served(judge), config_of_server, media=None, logs=paths.logs)
    with replicas as servers:
        yield JudgeBackend(config, servers)


def server_of(config: Config) -> ServerConfig:
    """Return the server that serves the judge: its own, where it has an address."""
    if config.judge.url:
        return replace(config.server, kind="external", url=config.judge.url)
    return config.server


def served(judge: JudgeConfig) -> ModelConfig:
    """Return the judge's model as it is served. Raises ConfigError when none is given."""
    if judge.model is None:
        raise ConfigError("judge.model must be given", hint="for example judge=qwen3_vl_8b")
    return judge.model
