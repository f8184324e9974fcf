"""Which judge a config names: how it is opened, and what its answers depend on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from iwr.browser.scripts import script
from iwr.config import Config, JudgeConfig, ModelConfig, ServerConfig
from iwr.errors import ConfigError
from iwr.inference.client import ChatClient
from iwr.inference.server.replicas import ServerReplicas
from iwr.judge.base import Judge
from iwr.judge.model.asking import Asker
from iwr.judge.model.assertions import QUESTION as ASSERTION
from iwr.judge.model.grounding import LIST_PROMPT, MARKS_PROMPT
from iwr.judge.model.judge import ModelJudge
from iwr.judge.model.rubric import QUESTION as RUBRIC
from iwr.judge.replay import ReplayJudge
from iwr.judge.rules.judge import RulesJudge
from iwr.records import Fingerprint, Rollout, digest, file_digest
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths, TaskPaths

KINDS = ("rules", "model", "replay")
ANSWERS = (
    "path",
    "revision",
    "context",
    "reasoning_parser",
    "chat_template",
    "dtype",
    "processor",
    "engine_args",
)
"""Of a judge's model: the settings that its answers depend on."""

NewJudge = Callable[[TaskPaths], Judge]


def judge_settings(config: Config, files: TaskPaths) -> Fingerprint:
    """What a rollout by this judge depends on, besides the task and the page. Raises ConfigError when there are no such weights."""
    judge = config.judge
    settings: dict[str, object] = {"judge.kind": judge.kind}
    if judge.kind == "rules":
        settings["input.rules"] = _digest_of_rules()
    if judge.kind == "replay" and judge.replays:
        recorded = files.judge(judge.replays).rollout
        settings |= {
            "judge.replays": judge.replays,
            "input.recorded": file_digest(recorded) if recorded.is_file() else "none",
        }
    if judge.kind == "model" and judge.model:
        from iwr.inference.weights import weights_digest

        model = {
            f"judge.model.{key}": value for key in ANSWERS if (value := getattr(judge.model, key))
        }
        settings |= {
            **model,
            "judge.swap": judge.swap,
            "judge.max_tokens": judge.max_tokens,
            "judge.attempts": judge.attempts,
            "judge.prompts": digest(LIST_PROMPT, MARKS_PROMPT, ASSERTION, RUBRIC),
        }
        settings["judge.model.weights"] = weights_digest(judge.model, server_of(config)) or "hub"
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in settings.items()
    }


def _digest_of_rules() -> str:
    """Return a digest of all code that decides what the rules answer."""
    folder = Path(__file__).parent
    modules = [
        folder.parent / "browser" / "page_state.py",
        folder / "perform.py",
        *sorted((folder / "rules").glob("*.py")),
    ]
    return digest(script("walker.js"), script("hook.js"), *(path.read_bytes() for path in modules))


class JudgeBackend:
    """Where judges come from: the servers of a judge model, where there is one. Lives longer than one event loop."""

    def __init__(self, config: Config, fleet: ServerReplicas | None):
        self.config = config
        self.fleet = fleet

    def alive(self) -> bool:
        """Whether judging failed for another reason than a dead server."""
        return self.fleet is None or self.fleet.healthy()

    def restart(self) -> None:
        if self.fleet is not None:
            self.fleet.start()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[NewJudge]:
        """A function that gives each rollout a judge of its own."""
        judge = self.config.judge
        if self.fleet is None:
            if judge.kind == "rules":
                yield lambda files: RulesJudge()
            else:
                yield lambda files: ReplayJudge(
                    readable(files.judge(str(judge.replays)).rollout, Rollout)
                )
            return
        async with ChatClient(
            self.fleet.endpoints, seconds=judge.call_seconds, attempts=judge.attempts
        ) as client:
            yield lambda files: ModelJudge(Asker(client, judge, files.judge(judge.name).calls))


@contextmanager
def opened(config: Config, paths: RunPaths) -> Iterator[JudgeBackend]:
    """The court of the configured judge, with its servers running. Raises ConfigError, ServerError."""
    judge = config.judge
    if judge.kind not in KINDS:
        raise ConfigError(f"judge.kind={judge.kind}: choose {', '.join(KINDS)}")
    if judge.kind != "model":
        yield JudgeBackend(config, None)
        return
    with ServerReplicas(
        served(judge), replace(config, server=server_of(config)), media=None, logs=paths.logs
    ) as fleet:
        yield JudgeBackend(config, fleet)


def server_of(config: Config) -> ServerConfig:
    """The server that serves the judge: its own, where it has an address."""
    return (
        replace(config.server, kind="external", url=config.judge.url)
        if config.judge.url
        else config.server
    )


def served(judge: JudgeConfig) -> ModelConfig:
    """The judge's model as it is served. Raises ConfigError when none is given."""
    if judge.model is None:
        raise ConfigError("judge.model must be given", hint="for example judge=qwen3_vl_8b")
    return judge.model
