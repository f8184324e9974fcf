"""Types of all settings: one dataclass for each group of `configs/`.

A key that is not in its dataclass, or has the wrong type, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class DataConfig:
    name: str
    # folder that holds data.jsonl; null: the samples in the package
    root: str | None = None
    tasks: list[str] | None = None  # ids to use; null: all
    # data set of the Hugging Face hub that `iwr prefetch` copies to `root`
    hub: str | None = None


@dataclass
class ModelConfig:
    """One model. `kind` says what produces its pages; only vllm and transformers run weights."""

    name: str
    kind: str  # vllm | transformers | oracle | screenshot | blank | directory
    # hub id, local folder of weights, or (kind: directory) folder of pages
    path: str | None = None
    # hub commit, tag or branch; its commit is recorded
    revision: str | None = None
    # processor | chat, see iwr/inference/engines/transformers.py
    interface: str = "processor"
    # what config.json must name; null: anything
    architecture: str | None = None
    # native: the engine reads the file | frames: images instead
    video: str = "native"
    context: int | None = None  # context length, tokens; null: the model's own
    # cap on the answer, tokens; null: the protocol's
    max_tokens: int | None = None
    # error | degrade: fewer frames, then a shorter answer
    over_context: str = "error"
    temperature: float | None = None  # null: the protocol's
    stop: list[str] = field(default_factory=list)  # extra stop strings
    reasoning_parser: str | None = None  # vLLM's, for models that think
    # chat_template_kwargs, e.g. {enable_thinking: true}
    chat_template: dict[str, Any] = field(default_factory=dict)
    dtype: str = "auto"
    gpus: int = 1  # tensor parallel size
    weights_gb: float | None = None  # for people who choose a machine
    # mm_processor_kwargs of the server
    processor: dict[str, Any] = field(default_factory=dict)
    # replaces the sampling derived from the protocol
    video_io: dict[str, Any] = field(default_factory=dict)
    # any other `vllm serve` option: {"max-num-seqs": 4}
    engine_args: dict[str, Any] = field(default_factory=dict)
    trust_remote_code: bool = False


@dataclass
class JudgeConfig:
    name: str
    kind: str  # contract | rules | model | replay
    model: ModelConfig | None = None  # kind: model
    # kind: model: base URL ending in /v1; null: as in the group `server`
    url: str | None = None
    attempts: int = 3  # calls for one usable answer before the step is unscored
    call_seconds: float = 120.0  # deadline of one call, its retries included
    # cap on one answer, tokens; more for models that think
    max_tokens: int = 1024
    swap: bool = False  # rate each pair a second time with the images swapped
    # kind: replay: name of the judge whose rollouts are repeated
    replays: str | None = None


@dataclass
class ServerConfig:
    name: str
    kind: str  # launch | external
    url: str | None = None  # external: base URL ending in /v1
    # deadline from launch to the first answer on /v1/models
    start_seconds: float = 1800.0
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
    # null: $IWR_CHROMIUM, a system Chromium, else Playwright's own
    executable: str | None = None
    contexts: int = 2  # pages driven at the same time
    page_seconds: float = 60.0  # most that one hostile page may cost in all
    settle_seconds: float = 5.0  # cap on waiting for one state to be still
    # larger pages are refused: they jam the browser's driver
    page_bytes: int = 5_000_000
    renderer_mb: int = 1_500  # a page's process above this is killed
    recycle: int = 50  # tasks after which a browser is replaced
    # where the machine allows it, a network namespace and Chromium's sandbox on top of the flags
    namespace: bool = True


@dataclass
class ProtocolConfig:
    """Which numbers make the score. The weights are in iwr/scores/formula.py alone."""

    name: str
    low: list[str]  # metrics whose mean is the low-level score
    # the judge model's rubric counts; false: VFS is the low-level score alone
    high: bool
    # settings of each metric
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    fps: float = 1.0  # video sampling, frames a second
    max_frames: int = 64  # evenly spread when the video is longer
    max_tokens: int = 16_384
    temperature: float = 0.0
    # reproduce S1, S2, S3 and S5 of the reference evaluator
    reference_faults: bool = False
    note: str = ""  # shown beside every table


@dataclass
class RunConfig:
    root: str = "runs"
    name: str = "default"
    # stop | overwrite: what to do with results made under other settings
    on_change: str = "stop"
    # this process's slice of the tasks, from 0; null: $SLURM_ARRAY_TASK_ID, else 0
    shard: int | None = None
    shards: int = 1  # number of slices
    allow_unscored: bool = False  # exit 0 although tasks are unscored
    # folder for embeddings and OCR texts; null: inside the run
    cache: str | None = None


@dataclass
class ClusterConfig:
    """Options of a site's SLURM, as in its `#SBATCH` lines; null leaves a line out."""

    name: str
    shards: int = 4  # array elements for each model
    at_once: int | None = None  # most elements that run at the same time
    partition: str | None = None
    account: str | None = None
    time: str | None = None  # limit of one element, e.g. 04:00:00
    memory: str | None = None
    report_memory: str | None = None
    cpus: int = 2  # for each element
    gres: str | None = "gpu:{gpus}"  # null: the site has no GPUs to ask for
    constraint: str | None = None
    # for judging and metrics when the judge itself needs no GPU
    score_gpus: int = 0
    # before the time limit: the element stops cleanly and queues again
    warn_seconds: int = 120
    # further lines, e.g. ["--qos=long"]
    options: list[str] = field(default_factory=list)
    # shell lines first, e.g. ["module load cuda", "source .venv/bin/activate"]
    prelude: list[str] = field(default_factory=list)
    # before `iwr`, e.g. a container: "apptainer exec --nv iwr.sif"
    launcher: str = ""


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
    # several models by name; null: `model` alone
    models: list[str] | None = None


GROUPS = {
    "data": DataConfig,
    "model": ModelConfig,
    "judge": JudgeConfig,
    "server": ServerConfig,
    "browser": BrowserConfig,
    "protocol": ProtocolConfig,
    "cluster": ClusterConfig,
}


def _open_tables() -> set[str]:
    names = set()
    for schema in GROUPS.values():
        for key in fields(schema):
            if str(key.type).startswith("dict["):
                names.add(key.name)
    return names


OPEN = _open_tables()
"""Settings that take keys of another program: `model.engine_args.gpu-memory-utilization=0.8`."""
