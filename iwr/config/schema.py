"""Types of all settings: one dataclass for each group of `configs/`.

A key that is not in its dataclass, or has the wrong type, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


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
    revision: str | None = (
        None  # hub commit, tag or branch; what it meant is recorded with each answer
    )
    interface: str = "processor"  # kind: transformers: processor | chat, see iwr/inference/engines/transformers.py
    architecture: str | None = None  # what config.json must name; null: anything
    video: str = "native"  # native: the file goes to the engine | frames: images, for models that take no video
    context: int | None = None  # context length, tokens; null: the model's own
    max_tokens: int | None = None  # cap on the answer, tokens; null: the protocol's
    over_context: str = (
        "error"  # error | degrade: fewer frames, then a shorter answer (iwr/inference/fitting.py)
    )
    temperature: float | None = None  # null: the protocol's
    stop: list[str] = field(default_factory=list)  # extra stop strings
    reasoning_parser: str | None = None  # vLLM's, for models that think
    chat_template: dict[str, Any] = field(
        default_factory=dict
    )  # chat_template_kwargs, e.g. {enable_thinking: true}
    dtype: str = "auto"
    gpus: int = 1  # tensor parallel size
    weights_gb: float | None = None  # for people who choose a machine
    processor: dict[str, Any] = field(default_factory=dict)  # mm_processor_kwargs of the server
    video_io: dict[str, Any] = field(
        default_factory=dict
    )  # replaces the sampling derived from the protocol
    engine_args: dict[str, Any] = field(
        default_factory=dict
    )  # any other `vllm serve` option: {"max-num-seqs": 4}
    trust_remote_code: bool = False


@dataclass
class JudgeConfig:
    name: str
    kind: str  # contract | rules | model | replay
    model: ModelConfig | None = None  # kind: model
    url: str | None = (
        None  # kind: model: base URL ending in /v1 of a server that runs already; null: as the group `server` says
    )
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
    shard: int | None = (
        None  # this process's slice of the tasks, from 0; null: $SLURM_ARRAY_TASK_ID, else 0 …
    )
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
    prelude: list[str] = field(
        default_factory=list
    )  # shell lines first, e.g. ["module load cuda", "source .venv/bin/activate"]
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


OPEN = {
    key.name
    for schema in GROUPS.values()
    for key in fields(schema)
    if str(key.type).startswith("dict[")
}
"""Settings that take keys of somebody else, e.g. vLLM's options: `model.engine_args.gpu-memory-utilization=0.8`."""
