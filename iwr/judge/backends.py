"""Which judge a config names: how it is opened, and what its answers depend on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from iwr import contract
from iwr.browser.scripts import script
from iwr.config import Config, JudgeConfig, ModelConfig, ServerConfig
from iwr.config.fields import Result, settings_of
from iwr.contract.schema import Contract
from iwr.digests import digest, file_digest
from iwr.errors import ConfigError
from iwr.inference.client import ChatClient
from iwr.inference.server.replicas import ServerReplicas
from iwr.judge.base import Judge
from iwr.judge.contract.judge import ContractJudge, ContractReplayJudge
from iwr.judge.model.asking import Asker
from iwr.judge.model.assertions import QUESTIONS
from iwr.judge.model.judge import PROMPTS, ModelJudge
from iwr.judge.replay import ReplayJudge
from iwr.records import Fingerprint, Rollout, Task
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths, TaskPaths

NOT_OF_JUDGES = ("kind", "video", "interface", "over_context", "max_tokens", "sampling")
"""Settings of a model that a judge does not take: it sees no recording, and has its own limit."""

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
        case "replay":
            settings |= _replay_settings(config.judge, files)
        case "model":
            settings |= _model_settings(config)
    texts = {}
    for key, value in settings.items():
        texts[key] = _text_of(value)
    return texts


def _text_of(value: object) -> str:
    """Return a value for a record: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def _contract_settings(task: Task | None) -> dict[str, object]:
    """Return the digests of the contract and of all code that checks it."""
    settings: dict[str, object] = {"input.contract_code": _digest_of_contract_code()}
    if task is not None:
        settings["input.contract"] = "none"
        if task.contract:
            settings["input.contract"] = file_digest(task.contract)
    return settings


@cache
def _digest_of_contract_code() -> str:
    """Return a digest of all code that decides what the judge `contract` answers."""
    package = Path(contract.__file__).parent
    room = Path(__file__).parent
    return _digest_of([*package.glob("*.py"), *room.glob("contract/*.py"), room / "perform.py"])


def _digest_of(modules: list[Path]) -> str:
    """Return a digest of these files and of the scripts that read a page."""
    sources = [path.read_bytes() for path in sorted(modules)]
    return digest(script("walker.js"), script("hook.js"), *sources)


def _replay_settings(judge: JudgeConfig, files: TaskPaths) -> dict[str, object]:
    """Return whose rollout is repeated, and the digest of its record."""
    if not judge.replays:
        return {}
    recorded = files.judge(judge.replays).rollout
    content = "none"
    if recorded.is_file():
        content = file_digest(recorded)
    return {"judge.replays": judge.replays, "input.recorded": content}


def _model_settings(config: Config) -> dict[str, object]:
    """Return the weights, the questions and what decides how they are answered.

    Settings that are empty are left out: a new one makes no record stale.
    """
    from iwr.inference.weights import weights_digest

    judge = config.judge
    if judge.model is None:
        return {}
    settings: dict[str, object] = {
        "judge.swap": judge.swap,
        "judge.max_tokens": judge.max_tokens,
        "judge.attempts": judge.attempts,
        "judge.prompts": digest(*PROMPTS, QUESTIONS[config.protocol.assertion]),
        "judge.model.weights": weights_digest(judge.model, server_of(config)) or "hub",
    }
    for name, value in settings_of(judge.model, Result.ANSWERS):
        if value and name not in NOT_OF_JUDGES:
            settings[f"judge.model.{name}"] = value
    for name, value in settings_of(config.server, Result.ANSWERS):
        if value:
            settings[f"judge.server.{name}"] = value
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
        wording = self.config.protocol.assertion
        client = ChatClient(
            self.servers.endpoints, seconds=judge.call_seconds, attempts=judge.attempts
        )
        async with client:
            yield lambda task, files: ModelJudge(
                Asker(client, judge, files.judge(judge.name).calls), wording
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
        case _:
            return ContractJudge(contract_of(task))


def _replay_judge(
    judge: JudgeConfig,
    task: Task,
    files: TaskPaths,
) -> Judge:
    """Return a judge that repeats a record; one of contracts also acts as the contract says."""
    record = files.judge(str(judge.replays)).rollout
    recorded = readable(record, Rollout)
    replay = ReplayJudge(recorded)
    if recorded is None or recorded.fingerprint.get("judge.kind") != "contract":
        return replay
    return ContractReplayJudge(contract_of(task), replay)


def contract_of(task: Task) -> Contract:
    """Return the task's contract; an empty one where it has none."""
    if task.contract is None:
        return Contract(steps=())
    return Contract.model_validate_json(task.contract.read_bytes())


def require_contracts(tasks: Iterable[Task], config: Config) -> None:
    """Raise ConfigError when the judge needs contracts and none of the tasks has one."""
    if config.judge.kind != "contract":
        return
    tasks = list(tasks)
    if not tasks or any(task.contract for task in tasks):
        return
    raise ConfigError(
        "judge=contract needs contract.json beside each task; this data has none",
        hint="choose a judge model, for example judge=qwen3_vl_8b",
    )


@contextmanager
def opened(
    config: Config,
    paths: RunPaths,
    gpus: Sequence[str] | None = None,
) -> Iterator[JudgeBackend]:
    """Yield the judge's backend with its servers running. Raises ConfigError, ServerError.

    `gpus`: those that the servers may use; None: all.
    """
    judge = config.judge
    if judge.kind != "model":
        yield JudgeBackend(config, None)
        return
    config_of_server = replace(config, server=server_of(config))
    model = served(judge)
    replicas = ServerReplicas(model, config_of_server, media=None, logs=paths.logs, gpus=gpus)
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
