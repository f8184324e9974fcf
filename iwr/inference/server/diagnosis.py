"""Why a model server did not start: the cause in its log, and the setting that helps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Diagnosis(NamedTuple):
    """What went wrong, and the setting that helps."""

    what: str
    hint: str


class Symptom(NamedTuple):
    """A text of vLLM, PyTorch, transformers or huggingface_hub, as a pattern, and its meaning."""

    pattern: str
    what: str
    hint: str


OUT_OF_GPU = (
    "raise model.gpus, set model.context lower, or set model.engine_args.gpu-memory-utilization "
    "to what is free"
)
OUT_OF_HOST = (
    "set model.context, server.in_flight or server.environment.VLLM_CPU_KVCACHE_SPACE (GiB) lower"
)
PORT_TAKEN = Diagnosis("the port was taken by another process", "start again: a new port is chosen")
SYMPTOMS = (  # the first that matches wins
    Symptom(
        "KV cache is needed, which is larger than",
        "the context does not fit into the KV cache",
        "set model.context lower",
    ),
    Symptom(
        r"max_model_len \(\d+\) is greater than the derived",
        "model.context is above the model's own",
        "set it lower, or null",
    ),
    Symptom(
        r"longer than the maximum model length|at least one .{0,80} exceeds",
        "no room for one recording",
        "set model.context higher",
    ),
    Symptom(
        r"OutOfMemoryError|(?:CUDA|HIP) out of memory"
        r"|No available memory for the cache blocks",
        "out of GPU memory",
        OUT_OF_GPU,
    ),
    Symptom(
        "less than desired GPU memory utilization",
        "the GPU is in use",
        OUT_OF_GPU,
    ),
    Symptom(
        r"\bMemoryError|Cannot allocate memory|can't allocate memory|not enough memory"
        r"|less than requested memory for kv",
        "out of memory on the host",
        OUT_OF_HOST,
    ),
    Symptom(
        "trust_remote_code=True",
        "the model brings code of its own",
        "read that code, then set model.trust_remote_code=true",
    ),
    Symptom(
        r"architectures? .{0,200}(?:not supported|failed to be inspected)"
        r"|does not recognize this architecture",
        "this vLLM does not serve the model's architecture",
        "set model.kind=transformers, or install a newer vllm",
    ),
    Symptom(
        "GatedRepoError|Access to model .{0,120} is restricted",
        "the model is gated",
        "accept its licence on the hub and set HF_TOKEN",
    ),
    Symptom(
        "RepositoryNotFoundError|RevisionNotFoundError",
        "the hub has no such model or revision",
        "check model.path and model.revision",
    ),
    Symptom(
        "LocalEntryNotFound|OfflineModeIsEnabled|couldn't connect to",
        "the weights are not on this machine",
        "run `iwr prefetch` where there is a network",
    ),
    Symptom(
        "unrecognized arguments",
        "vLLM does not know an option",
        "check model.engine_args and server.engine_args",
    ),
    Symptom("Address already in use|Errno 98", *PORT_TAKEN),
)
SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
SHORTEST_SECRET = 6
"""Characters; shorter values would be replaced inside of ordinary words."""
ENGINE_ERROR = re.compile(
    r"^\((?:EngineCore|Worker)[^\n]*\b\w+(?:Error|Exception)\b: [^\n]*", re.MULTILINE
)
TAIL_LINES = 12
LINE_LENGTH = 400


def diagnose(log: str) -> Diagnosis | None:
    """Return the first cause that the server's log names, None if it names none."""
    for symptom in SYMPTOMS:
        if re.search(symptom.pattern, log):
            return Diagnosis(symptom.what, symptom.hint)
    return None


def root_cause(log: str) -> str | None:
    """Return the last exception of an engine process.

    vLLM prints it far above the end of its log, which only says that there is one.
    """
    cause = None
    for match in ENGINE_ERROR.finditer(log):
        cause = match[0]
    return cause


def tail(log: str, environment: Mapping[str, str], number: int = TAIL_LINES) -> str:
    """Return the last lines of a log, without values of secret-looking environment variables.

    The root cause precedes them when it is farther up.
    """
    lines = log.rstrip().splitlines()[-number:]
    cause = root_cause(log)
    if cause and cause not in lines:
        lines = [cause, "…", *lines]
    text = "\n".join(line[:LINE_LENGTH] for line in lines)
    for name, value in environment.items():
        if SECRET.search(name) and len(value) >= SHORTEST_SECRET:
            text = text.replace(value, f"<{name}>")
    return text


PHASES = (  # the last that was reached is reported while the user waits
    (r"Initializing a V\d+ LLM engine", "starting the engine"),
    (r"Starting to load model", "loading the model"),
    (r"Loading \w+ checkpoint shards:\s+(\d+)%", "loading weights"),
    (r"Loading weights took", "weights loaded"),
    (r"Dynamo bytecode transform|Compiling a graph|torch\.compile (?:takes|took)", "compiling"),
    (r"Capturing CUDA graphs?", "capturing CUDA graphs"),
    (r"init engine .* took", "engine ready"),
    (r"Application startup complete", "answering"),
)


def phase(log: str) -> str:
    """Return what the server is doing, by its log, in a few words."""
    latest = -1
    current = "importing"
    for pattern, words in PHASES:
        for match in re.finditer(pattern, log):
            if match.start() <= latest:
                continue
            latest = match.start()
            percent = f" {match[1]} %" if match.re.groups else ""
            current = words + percent
    return current
