"""Why a model server did not start: what its log says, and the setting that helps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Diagnosis(NamedTuple):
    what: str
    hint: str


OUT_OF_GPU = "raise model.gpus, set model.context lower, or set model.engine_args.gpu-memory-utilization to what is free"
OUT_OF_HOST = (
    "set model.context, server.in_flight or server.environment.VLLM_CPU_KVCACHE_SPACE (GiB) lower"
)
NO_NETWORK = "run `iwr prefetch` where there is a network"
KNOWN = [  # the first that matches wins; texts of vLLM, PyTorch, transformers and huggingface_hub
    (
        "KV cache is needed, which is larger than",
        "the context does not fit into the KV cache",
        "set model.context lower",
    ),
    (
        r"max_model_len \(\d+\) is greater than the derived",
        "model.context is above the model's own",
        "set it lower, or null",
    ),
    (
        r"longer than the maximum model length|at least one .{0,80} exceeds",
        "no room for one recording",
        "set model.context higher",
    ),
    (
        r"OutOfMemoryError|(?:CUDA|HIP) out of memory|No available memory for the cache blocks",
        "out of GPU memory",
        OUT_OF_GPU,
    ),
    ("less than desired GPU memory utilization", "the GPU is in use", OUT_OF_GPU),
    (
        r"\bMemoryError|Cannot allocate memory|can't allocate memory|not enough memory|less than requested memory for kv",
        "out of memory on the host",
        OUT_OF_HOST,
    ),
    (
        "trust_remote_code=True",
        "the model brings code of its own",
        "read that code, then set model.trust_remote_code=true",
    ),
    (
        r"architectures? .{0,200}(?:not supported|failed to be inspected)|does not recognize this architecture",
        "this vLLM does not serve the model's architecture",
        "set model.kind=transformers, or install a newer vllm",
    ),
    (
        "GatedRepoError|Access to model .{0,120} is restricted",
        "the model is gated",
        "accept its licence on the hub and set HF_TOKEN",
    ),
    (
        "RepositoryNotFoundError|RevisionNotFoundError",
        "the hub has no such model or revision",
        "check model.path and model.revision",
    ),
    (
        "LocalEntryNotFound|OfflineModeIsEnabled|couldn't connect to",
        "the weights are not on this machine",
        NO_NETWORK,
    ),
    (
        "unrecognized arguments",
        "vLLM does not know an option",
        "check model.engine_args and server.engine_args",
    ),
    (
        r"Address already in use|Errno 98",
        "the port was taken by another process",
        "start again: a new port is chosen",
    ),
]
PORT_TAKEN = Diagnosis(*KNOWN[-1][1:])
SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)


def diagnose(log: str) -> Diagnosis | None:
    """The first known cause that the server's log names, None if it names none."""
    return next(
        (Diagnosis(what, hint) for pattern, what, hint in KNOWN if re.search(pattern, log)), None
    )


def root_cause(log: str) -> str | None:
    """The last exception of an engine process. vLLM prints it far above the end of its log, which only says that there is one."""
    found = [
        match[0]
        for match in re.finditer(
            r"^\((?:EngineCore|Worker)[^\n]*\b\w+(?:Error|Exception)\b: [^\n]*", log, re.MULTILINE
        )
    ]
    return found[-1] if found else None


def tail(log: str, environment: Mapping[str, str], lines: int = 12) -> str:
    """The last lines of a log, without the values of secret-looking environment variables."""
    shown = log.rstrip().splitlines()[-lines:]
    cause = root_cause(log)
    if cause and cause not in shown:
        shown = [cause, "…", *shown]
    text = "\n".join(line[:400] for line in shown)
    for name, value in environment.items():
        if SECRET.search(name) and len(value) >= 6:
            text = text.replace(value, f"<{name}>")
    return text


PHASES = [  # the last that was reached is shown while the user waits
    (r"Initializing a V\d+ LLM engine", "starting the engine"),
    (r"Starting to load model", "loading the model"),
    (r"Loading \w+ checkpoint shards:\s+(\d+)%", "loading weights"),
    (r"Loading weights took", "weights loaded"),
    (r"Dynamo bytecode transform|Compiling a graph|torch\.compile (?:takes|took)", "compiling"),
    (r"Capturing CUDA graphs?", "capturing CUDA graphs"),
    (r"init engine .* took", "engine ready"),
    (r"Application startup complete", "answering"),
]


def phase(log: str) -> str:
    """What the server is doing, by its log, in a few words."""
    reached = [
        (match.start(), words, match)
        for pattern, words in PHASES
        for match in list(re.finditer(pattern, log))[-1:]
    ]
    if not reached:
        return "importing"
    _, words, match = max(reached, key=lambda item: item[0])
    return f"{words} {match.group(1)} %" if match.re.groups else words
