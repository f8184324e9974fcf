"""Types of all settings: one dataclass for each group of `configs/`.

A key that is not in its dataclass, a value of the wrong type or outside its limits is refused.
`affects` names the results that depend on a setting; fingerprints are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iwr.config.fields import (
    above,
    affects_answers,
    affects_nothing,
    affects_rollouts,
    affects_rollouts_and_scores,
    affects_scores,
    between,
    one_of,
)
from iwr.config.values import Table

DAY = 86_400  # seconds
MAX_SHARDS = 100_000
SECONDS = above(0, DAY)
DAYS = above(0, 7 * DAY)  # in seconds, too
TOKENS = between(1, 10_000_000)
GPUS = between(1, 1024)
SHARDS = between(1, MAX_SHARDS)
SEED = between(0, 2**63 - 1)
TEMPERATURE = between(0, 2)
PENALTY = between(-2, 2)
MODEL_KINDS = one_of("vllm", "transformers", "oracle", "screenshot", "blank", "directory")
JUDGE_KINDS = one_of("contract", "model", "replay")


@dataclass
class DataConfig:
    """The data set, and which of its tasks are used."""

    name: str = affects_nothing()
    # folder that holds data.jsonl; null: the samples in the package
    root: str | None = affects_nothing(None)
    tasks: list[str] | None = affects_nothing(None)  # ids to use; null: all
    # classes that tasks must have, e.g. {domain: Shop, visual_complexity: L2}
    where: dict[str, str] = affects_nothing(dict)
    # so many tasks, drawn with the seed; null: all
    sample: int | None = affects_nothing(None, between(1, 1_000_000))
    sample_seed: int = affects_nothing(0, SEED)
    # the first so many tasks; null: all
    limit: int | None = affects_nothing(None, between(1, 1_000_000))
    # data set of the Hugging Face hub that `iwr prefetch` copies to `root`
    hub: str | None = affects_nothing(None)


@dataclass
class SamplingConfig:
    """How a model's authors advise to sample its answers; null: neutral."""

    temperature: float | None = affects_answers(None, TEMPERATURE)
    top_p: float | None = affects_answers(None, above(0, 1))
    top_k: int | None = affects_answers(None, between(-1, 1_000_000))
    min_p: float | None = affects_answers(None, between(0, 1))
    presence_penalty: float | None = affects_answers(None, PENALTY)
    frequency_penalty: float | None = affects_answers(None, PENALTY)
    repetition_penalty: float | None = affects_answers(None, above(0, 10))
    seed: int | None = affects_answers(None, SEED)


@dataclass
class ModelConfig:
    """One model. `kind` says what produces its pages; only vllm and transformers run weights."""

    name: str = affects_nothing()
    kind: str = affects_answers(limits=MODEL_KINDS)
    # hub id, local folder of weights, or (kind: directory) folder of pages
    path: str | None = affects_answers(None)
    # hub commit, tag or branch; its commit is recorded
    revision: str | None = affects_answers(None)
    # processor | chat, see iwr/inference/engines/transformers.py
    interface: str = affects_answers("processor", one_of("processor", "chat"))
    # what config.json must name; null: anything
    architecture: str | None = affects_nothing(None)
    # native: the engine reads the file | frames: images instead
    video: str = affects_answers("native", one_of("native", "frames"))
    # context length, tokens; null: the model's own
    context: int | None = affects_answers(None, TOKENS)
    # cap on the answer, tokens; null: the protocol's
    max_tokens: int | None = affects_answers(None, TOKENS)
    # error | degrade: fewer frames, then a shorter answer
    over_context: str = affects_answers("error", one_of("error", "degrade"))
    # used instead of any other; null: what the protocol's `sampling` says
    temperature: float | None = affects_answers(None, TEMPERATURE)
    # the authors' advice, used when the protocol's `sampling` is `recommended`
    sampling: SamplingConfig = affects_answers(SamplingConfig)
    stop: list[str] = affects_answers(list)  # extra stop strings
    # opening and closing mark of its thoughts, e.g. ["<think>", "</think>"]
    thinking: list[str] = affects_answers(list)
    # vLLM's, for a judge that thinks; other replies are read as they are written
    reasoning_parser: str | None = affects_answers(None)
    # chat_template_kwargs, e.g. {enable_thinking: true}
    chat_template: Table = affects_answers(dict)
    # of its weights, as the engine names it, e.g. bfloat16
    dtype: str = affects_answers("auto")
    gpus: int = affects_nothing(1, GPUS)  # tensor parallel size
    # for people who choose a machine
    weights_gb: float | None = affects_nothing(None, above(0, 100_000))
    # what nobody could try yet, for people who choose a model
    untested: str = affects_nothing("")
    # options of its processor, in both engines; {videos_kwargs: {…}} leaves images alone
    processor: Table = affects_answers(dict)
    # video: frames: larger frames are shrunk to so many pixels; null: they are not
    frame_pixels: int | None = affects_answers(None, between(1, 100_000_000))
    # replaces the sampling derived from the protocol
    video_io: Table = affects_answers(dict)
    # any other `vllm serve` option: {"max-num-seqs": 4}
    engine_args: Table = affects_answers(dict)
    # run Python files that come with the weights
    trust_remote_code: bool = affects_answers(False)


@dataclass
class JudgeConfig:
    """Who judges pages: contracts, a model, or the record of an earlier judge."""

    name: str = affects_nothing()
    kind: str = affects_rollouts(limits=JUDGE_KINDS)
    model: ModelConfig | None = affects_rollouts(None)  # kind: model
    # kind: model: base URL ending in /v1; null: as in the group `server`
    url: str | None = affects_nothing(None)
    # calls for one usable answer before the step is unscored
    attempts: int = affects_rollouts(3, between(1, 100))
    # deadline of one call, its retries included
    call_seconds: float = affects_nothing(120.0, SECONDS)
    # cap on one answer, tokens; more for models that think
    max_tokens: int = affects_rollouts(1024, TOKENS)
    # rate each pair a second time with the images swapped
    swap: bool = affects_rollouts(False)
    # kind: replay: name of the judge whose rollouts are repeated
    replays: str | None = affects_rollouts(None)


@dataclass
class ServerConfig:
    """How model servers are started, asked and ended."""

    name: str = affects_nothing()
    kind: str = affects_nothing(limits=one_of("launch", "external"))
    url: str | None = affects_nothing(None)  # external: base URL ending in /v1
    # deadline from launch to the first answer on /v1/models
    start_seconds: float = affects_nothing(1800.0, DAYS)
    # deadline for the whole process tree to end
    stop_seconds: float = affects_nothing(20.0, SECONDS)
    # deadline of one generation
    request_seconds: float = affects_nothing(1800.0, DAYS)
    in_flight: int = affects_nothing(16, between(1, 10_000))  # requests at a time
    # after a crash in the middle of a run
    restarts: int = affects_nothing(3, between(0, 1000))
    # servers, one per GPU group, requests spread over them
    replicas: int = affects_nothing(1, GPUS)
    # `vllm serve` options for all models; they win over a model's own
    engine_args: Table = affects_answers(dict)
    # variables for the server's process, e.g. {VLLM_LOGGING_LEVEL: DEBUG}
    environment: dict[str, str] = affects_answers(dict)


@dataclass
class BrowserConfig:
    """The sandboxed browser, its screen and its limits."""

    name: str = affects_nothing()
    # null: $IWR_CHROMIUM, a system Chromium, else Playwright's own
    executable: str | None = affects_nothing(None)
    contexts: int = affects_nothing(2, between(1, 256))  # pages driven at the same time
    # most that one hostile page may cost in all
    page_seconds: float = affects_rollouts(60.0, between(1, DAY))
    # cap on waiting for one state to be still
    settle_seconds: float = affects_rollouts(5.0, above(0, 3600))
    # larger pages are refused: they jam the browser's driver
    page_bytes: int = affects_rollouts(5_000_000, between(1, 1_000_000_000))
    # a page's process above this is killed
    renderer_mb: int = affects_rollouts(1_500, between(64, 1_000_000))
    # tasks after which a browser is replaced
    recycle: int = affects_nothing(50, between(1, 1_000_000))
    # where the machine allows it, a network namespace and Chromium's sandbox on top of the flags
    namespace: bool = affects_nothing(True)


@dataclass
class ProtocolConfig:
    """Which numbers make the score. The weights are in iwr/scores/formula.py alone."""

    name: str = affects_nothing()
    low: list[str] = affects_scores()  # metrics whose mean is the low-level score
    # the judge model's rubric counts; false: VFS is the low-level score alone
    high: bool = affects_rollouts_and_scores()
    # question about an assertion: local | paper, see iwr/judge/model/assertions.py
    assertion: str = affects_rollouts("local", one_of("local", "paper"))
    # settings of each metric
    metrics: dict[str, Table] = affects_scores(dict)
    fps: float = affects_answers(1.0, above(0, 240))  # video sampling, frames a second
    # evenly spread when the video is longer
    max_frames: int = affects_answers(64, between(1, 100_000))
    max_tokens: int = affects_answers(16_384, TOKENS)
    # greedy: `temperature` for all models | recommended: the authors' advice, where a config has it
    sampling: str = affects_answers("greedy", one_of("greedy", "recommended"))
    temperature: float = affects_answers(0.0, TEMPERATURE)
    # reproduce S1, S2, S3 and S5 of the reference evaluator
    reference_faults: bool = affects_rollouts_and_scores(False)
    note: str = affects_nothing("")  # shown beside every table


@dataclass
class RunConfig:
    """Where results are, and which part of them this process makes."""

    root: str = affects_nothing("runs")
    name: str = affects_nothing("")  # "": made from the models and the data
    # stop | overwrite: what to do with results made under other settings
    on_change: str = affects_nothing("stop", one_of("stop", "overwrite"))
    # this process's slice of the tasks, from 0; null: $SLURM_ARRAY_TASK_ID, else 0
    shard: int | None = affects_nothing(None, between(0, MAX_SHARDS))
    shards: int = affects_nothing(1, SHARDS)  # number of slices
    # answers of each model to each task, each with its own seed
    repeats: int = affects_nothing(1, between(1, 100))
    allow_unscored: bool = affects_nothing(False)  # exit 0 although tasks are unscored
    # folder for embeddings and OCR texts; null: inside the run
    cache: str | None = affects_nothing(None)


@dataclass
class ClusterConfig:
    """Options of a site's SLURM, as in its `#SBATCH` lines; null leaves a line out."""

    name: str = affects_nothing()
    # array elements for each model
    shards: int = affects_nothing(4, SHARDS)
    # most elements that run at the same time
    at_once: int | None = affects_nothing(None, SHARDS)
    partition: str | None = affects_nothing(None)
    account: str | None = affects_nothing(None)
    time: str | None = affects_nothing(None)  # limit of one element, e.g. 04:00:00
    memory: str | None = affects_nothing(None)  # of one element, e.g. 64G
    # of the job that makes the report, after all elements
    report_memory: str | None = affects_nothing(None)
    cpus: int = affects_nothing(2, between(1, 4096))  # for each element
    # null: the site has no GPUs to ask for
    gres: str | None = affects_nothing("gpu:{gpus}")
    constraint: str | None = affects_nothing(None)
    # for judging and metrics when the judge itself needs no GPU
    score_gpus: int = affects_nothing(0, between(0, 1024))
    # before the time limit: the element stops cleanly and queues again
    warn_seconds: int = affects_nothing(120, between(0, 86_400))
    # further lines, e.g. ["--qos=long"]
    options: list[str] = affects_nothing(list)
    # shell lines first, e.g. ["module load cuda", "source .venv/bin/activate"]
    prelude: list[str] = affects_nothing(list)
    # before `iwr`, e.g. a container: "apptainer exec --nv iwr.sif"
    launcher: str = affects_nothing("")


@dataclass
class Config:
    """All settings except the models."""

    data: DataConfig
    model: ModelConfig
    judge: JudgeConfig
    server: ServerConfig
    browser: BrowserConfig
    protocol: ProtocolConfig
    cluster: ClusterConfig
    run: RunConfig = field(default_factory=RunConfig)


GROUPS = {
    "data": DataConfig,
    "model": ModelConfig,
    "judge": JudgeConfig,
    "server": ServerConfig,
    "browser": BrowserConfig,
    "protocol": ProtocolConfig,
    "cluster": ClusterConfig,
}
