"""Typed settings, composed by Hydra from `configs/`, and the only reader of environment variables.

Each dataclass is the schema of one config group; a key that is not in it, or has the wrong type, is refused.
Imports nothing heavy: `iwr --help` and resume checks go through here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from iwr.errors import ConfigError


@dataclass
class DataConfig:
    name: str
    root: str | None = None  # folder that holds data.jsonl; null: the samples in the package
    tasks: list[str] | None = None  # ids to use; null: all
    hub: str | None = None  # data set of the Hugging Face hub that `iwr prefetch` copies to `root`


@dataclass
class ModelConfig:
    """One contestant. `kind` says what produces its pages; only `vllm` and `transformers` are models."""

    name: str
    kind: str  # vllm | transformers | oracle | screenshot | blank | directory
    path: str | None = None  # hub id, local folder of weights, or (kind: directory) folder of pages
    revision: str | None = None  # hub commit, tag or branch; what it meant is recorded with each answer
    interface: str = "processor"  # kind: transformers: processor | chat, see iwr/inference/hf.py
    architecture: str | None = None  # what config.json must name; null: anything
    video: str = "native"  # native: the file goes to the engine | frames: images, for models that take no video
    context: int | None = None  # context length, tokens; null: the model's own
    max_tokens: int | None = None  # cap on the answer, tokens; null: the protocol's
    over_context: str = "error"  # error | degrade: fewer frames, then a shorter answer (iwr/inference/budget.py)
    temperature: float | None = None  # null: the protocol's
    stop: list[str] = field(default_factory=list)  # extra stop strings
    reasoning_parser: str | None = None  # vLLM's, for models that think
    chat_template: dict[str, Any] = field(default_factory=dict)  # chat_template_kwargs, e.g. {enable_thinking: true}
    dtype: str = "auto"
    gpus: int = 1  # tensor parallel size
    weights_gb: float | None = None  # for people who choose a machine
    processor: dict[str, Any] = field(default_factory=dict)  # mm_processor_kwargs of the server
    video_io: dict[str, Any] = field(default_factory=dict)  # replaces the sampling derived from the protocol
    engine_args: dict[str, Any] = field(default_factory=dict)  # any other `vllm serve` option: {"max-num-seqs": 4}
    trust_remote_code: bool = False


@dataclass
class JudgeConfig:
    name: str
    kind: str  # rules | model | replay
    model: ModelConfig | None = None  # kind: model
    url: str | None = None  # kind: model: base URL ending in /v1 of a server that runs already; null: as the group `server` says
    attempts: int = 3  # calls for one usable answer before the step is unscored
    call_seconds: float = 120.0  # deadline of one call, its retries included
    max_tokens: int = 1024  # cap on one answer, tokens; more for models that think
    swap: bool = False  # rate each pair a second time with the images swapped
    replays: str | None = None  # kind: replay: name of the judge whose rollouts are repeated


@dataclass
class ServerConfig:
    name: str
    kind: str  # launch | external
    url: str | None = None  # external: base URL ending in /v1
    start_seconds: float = 1800.0  # deadline from launch to the first answer on /v1/models
    stop_seconds: float = 20.0  # deadline for the whole process tree to end
    request_seconds: float = 1800.0  # deadline of one generation
    in_flight: int = 16  # requests at a time
    restarts: int = 3  # after a crash in the middle of a run
    replicas: int = 1  # servers, one per GPU group, requests spread over them
    engine_args: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class BrowserConfig:
    name: str
    executable: str | None = None  # null: $IWR_CHROMIUM, a system Chromium, else Playwright's own
    contexts: int = 2  # pages driven at the same time
    page_seconds: float = 60.0  # most that one hostile page may cost in all
    settle_seconds: float = 5.0  # cap on waiting for one state to be still
    page_bytes: int = 5_000_000  # larger pages are refused: they jam the browser's driver
    renderer_mb: int = 1_500  # a page's process above this is killed
    recycle: int = 50  # tasks after which a browser is replaced
    namespace: bool = True  # where the machine allows it, a network namespace and Chromium's sandbox on top of the flags


@dataclass
class ProtocolConfig:
    """Which numbers make the score. The weights themselves stand in iwr/scores/formula.py alone."""

    name: str
    low: list[str]  # metrics whose mean is the low-level score
    high: bool  # the judge model's rubric counts; false: VFS is the low-level score alone
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)  # settings of each metric
    fps: float = 1.0  # video sampling, frames a second
    max_frames: int = 64  # evenly spread when the video is longer
    max_tokens: int = 16_384
    temperature: float = 0.0
    reference_faults: bool = False  # reproduce S1, S2, S3 and S5 of the reference evaluator
    note: str = ""  # shown beside every table


@dataclass
class RunConfig:
    root: str = "runs"
    name: str = "default"
    on_change: str = "stop"  # stop | overwrite: what to do with results made under other settings
    shard: int | None = None  # this process's slice of the tasks, from 0; null: $SLURM_ARRAY_TASK_ID, else 0 …
    shards: int = 1  # … out of so many
    allow_unscored: bool = False  # exit 0 although tasks are unscored
    cache: str | None = None  # folder for embeddings and OCR texts; null: inside the run


@dataclass
class ClusterConfig:
    """What a site's SLURM wants to hear. Texts go into `#SBATCH` lines as they are; null leaves a line out."""

    name: str
    shards: int = 4  # array elements for each contestant
    at_once: int | None = None  # most elements that run at the same time
    partition: str | None = None
    account: str | None = None
    time: str | None = None  # limit of one element, e.g. 04:00:00
    memory: str | None = None
    report_memory: str | None = None
    cpus: int = 2  # for each element
    gres: str | None = "gpu:{gpus}"  # null: the site has no GPUs to ask for
    constraint: str | None = None
    score_gpus: int = 0  # for judging and metrics when the judge itself needs no GPU
    warn_seconds: int = 120  # before the time limit: the element stops cleanly and queues again
    options: list[str] = field(default_factory=list)  # further lines, e.g. ["--qos=long"]
    prelude: list[str] = field(default_factory=list)  # shell lines first, e.g. ["module load cuda", "source .venv/bin/activate"]
    launcher: str = ""  # before `iwr`, e.g. a container: "apptainer exec --nv iwr.sif"


@dataclass
class Config:
    data: DataConfig
    model: ModelConfig
    judge: JudgeConfig
    server: ServerConfig
    browser: BrowserConfig
    protocol: ProtocolConfig
    cluster: ClusterConfig
    run: RunConfig = field(default_factory=RunConfig)
    models: list[str] | None = None  # several contestants by name; null: `model` alone


GROUPS = {
    "data": DataConfig,
    "model": ModelConfig,
    "judge": JudgeConfig,
    "server": ServerConfig,
    "browser": BrowserConfig,
    "protocol": ProtocolConfig,
    "cluster": ClusterConfig,
}


OPEN = {key.name for schema in GROUPS.values() for key in fields(schema) if str(key.type).startswith("dict[")}
"""Settings that take keys of somebody else, e.g. vLLM's options: `model.engine_args.gpu-memory-utilization=0.8`."""


def register() -> None:
    """Tell Hydra the types of all settings."""
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    store.store(name="_schema_", node=Config)
    for group, schema in GROUPS.items():
        store.store(group=group, name="_schema_", node=schema)


def load_config(overrides: list[str]) -> tuple[Config, list[ModelConfig]]:
    """Compose `configs/config.yaml` with Hydra overrides. Returns the config and the contestants in order.

    Raises ConfigError for anything that Hydra or a schema refuses, naming the key and the valid choices.
    """
    from hydra import compose, initialize_config_module
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    register()

    def composed(root: str, arguments: list[str]) -> Any:
        return OmegaConf.to_object(compose(root, overrides=arguments))

    of_others = re.compile(rf"(\w+\.)+({'|'.join(OPEN)})[.=]")
    overrides = [f"++{override}" if of_others.match(override) else override for override in overrides]  # ++: whether known or new
    try:
        with initialize_config_module("iwr.configs", version_base="1.3"):
            config: Config = composed("config", overrides)
            common = [override for override in overrides if override.lstrip("+~").startswith("model.")]
            names = config.models
            models = [config.model] if names is None else [composed("contestant", [*common, f"model={name}"])["model"] for name in names]
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_one_line(error), hint="`iwr config` prints every setting and its value") from error
    environment = Environment.read()
    if environment.temporary and not os.path.isdir(environment.temporary):
        raise ConfigError(f"IWR_TMP={environment.temporary} is no folder", hint="make it, or name one that is there")
    if config.run.shard is None:
        config.run.shard = environment.array_task or 0
    _check(config, models)
    return config, models


def _required(config: Config, models: list[ModelConfig]) -> Iterator[tuple[str, bool]]:
    """Settings that have no sensible default: (key, whether it is missing)."""
    yield "data.root", config.data.root is None and config.data.name != "samples"
    yield "server.url", config.server.kind == "external" and config.server.url is None
    yield "judge.model.path", config.judge.kind == "model" and (config.judge.model is None or config.judge.model.path is None)
    yield "judge.replays", config.judge.kind == "replay" and config.judge.replays is None
    for model in models:
        yield "model.path", model.kind in ("vllm", "transformers", "directory") and model.path is None


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines) or type(error).__name__


def _check(config: Config, models: list[ModelConfig]) -> None:
    for key, missing in _required(config, models):
        if missing:
            raise ConfigError(f"{key} must be given", hint=f"add {key}=… to the command")
    names = [model.name for model in models]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated or not names:
        what = ", ".join(sorted(repeated)) or "empty list"
        raise ConfigError(f"models: {what}", hint="name each contestant once, as in models=[oracle,blank]")
    if not 0 <= (config.run.shard or 0) < config.run.shards:
        raise ConfigError(f"run.shard={config.run.shard} is not in 0..{config.run.shards - 1}")
    if config.run.on_change not in ("stop", "overwrite"):
        raise ConfigError(f"run.on_change={config.run.on_change}: choose stop or overwrite")


@dataclass(frozen=True)
class Environment:
    """What `iwr` takes from the environment, read once and nowhere else."""

    chromium: str | None  # IWR_CHROMIUM: browser to use
    api_key: str | None  # IWR_API_KEY: for server=external
    temporary: str | None  # IWR_TMP, else SLURM_TMPDIR where it is there: node-local folder for sockets, profiles, compile caches
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
