"""Why a model server did not start: what its log says, and the setting that helps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Diagnosis(NamedTuple):
    what: str
    hint: str


KNOWN = [  # the first that matches wins; patterns are texts of vLLM, PyTorch, transformers and huggingface_hub
    (
        r"max(?:imum)? seq(?:uence)? len\w* \(?\d+\)?.{0,200}(?:larger than|exceed).{0,80}KV cache|KV cache is needed, which is larger than",
        Diagnosis("the context does not fit into the memory left for the KV cache", "set model.context lower, or raise model.gpus"),
    ),
    (
        r"max_model_len \(\d+\) is greater than the derived",
        Diagnosis("model.context is longer than the model's own", "set model.context lower, or null"),
    ),
    (
        r"at least one item.{0,200}exceeds|multi-?modal.{0,120}(?:max_model_len|max_num_batched_tokens)|prompt \(length \d+\) is longer than the maximum",
        Diagnosis("the context is too small for one recording", "set model.context higher"),
    ),
    (
        r"OutOfMemoryError|CUDA out of memory|No available memory for the cache blocks|less than desired GPU memory utilization"
        r"|HIP out of memory",
        Diagnosis(
            "out of GPU memory",
            "raise model.gpus, set model.context lower, or model.engine_args.gpu-memory-utilization to what is free",
        ),
    ),
    (
        r"MemoryError|Cannot allocate memory|DefaultCPUAllocator: can't allocate|not enough memory|KV cache.{0,80}exceeds.{0,40}available",
        Diagnosis("out of memory on the host", "set model.context, server.in_flight or server.environment.VLLM_CPU_KVCACHE_SPACE (GiB) lower"),
    ),
    (
        r"[Tt]he (?:checkpoint|repository).{0,200}(?:contains|execute).{0,40}c(?:ustom|onfiguration).{0,300}trust_remote_code|trust_remote_code=True",
        Diagnosis("the model brings code of its own", "read that code, then set model.trust_remote_code=true"),
    ),
    (
        r"[Mm]odel architectures? .{0,200}(?:not supported|failed to be inspected)|does not recognize this architecture",
        Diagnosis("this vLLM does not serve the model's architecture", "set model.kind=transformers, or install a newer vllm"),
    ),
    (
        r"GatedRepoError|401 Client Error|Access to model .{0,120} is restricted",
        Diagnosis("the model is gated", "accept its licence on the hub and set HF_TOKEN"),
    ),
    (
        r"LocalEntryNotFound|OfflineModeIsEnabled|couldn't connect to|Cannot find an appropriate cached snapshot|outgoing traffic has been disabled",
        Diagnosis("the weights are not on this machine and cannot be fetched", "run `iwr prefetch` where there is a network"),
    ),
    (
        r"RepositoryNotFoundError|404 Client Error|RevisionNotFoundError",
        Diagnosis("the hub has no such model or revision", "check model.path and model.revision"),
    ),
    (r"unrecognized arguments?: ?(.*)", Diagnosis("vLLM does not know an option", "check model.engine_args and server.engine_args")),
    (
        r"Address already in use|Errno 98",
        Diagnosis("the port was taken by another process", "start again: a new port is chosen"),
    ),
]
PORT_TAKEN = KNOWN[-1][1]
SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)


def diagnose(log: str) -> Diagnosis | None:
    """The first known cause that the server's log names, None if it names none."""
    return next((diagnosis for pattern, diagnosis in KNOWN if re.search(pattern, log, re.DOTALL)), None)


def tail(log: str, environment: Mapping[str, str], lines: int = 12) -> str:
    """The last lines of a log, without the values of secret-looking environment variables."""
    text = "\n".join(line[:400] for line in log.rstrip().splitlines()[-lines:])
    for name, value in environment.items():
        if SECRET.search(name) and len(value) >= 6:
            text = text.replace(value, f"<{name}>")
    return text


PHASES = [  # the last that was reached is shown while the user waits
    (r"Initializing a V\d+ LLM engine", "starting the engine"),
    (r"Starting to load model", "loading the model"),
    (r"Loading \w+ checkpoint shards:\s+(\d+)%", "loading weights"),
    (r"Loading weights took", "weights loaded"),
    (r"torch\.compile|Dynamo bytecode", "compiling"),
    (r"Capturing CUDA graphs?", "capturing CUDA graphs"),
    (r"init engine .* took", "engine ready"),
    (r"Application startup complete", "answering"),
]


def phase(log: str) -> str:
    """What the server is doing, by its log, in a few words."""
    reached = [(match.start(), words, match) for pattern, words in PHASES for match in list(re.finditer(pattern, log))[-1:]]
    if not reached:
        return "importing"
    _, words, match = max(reached, key=lambda item: item[0])
    return f"{words} {match.group(1)} %" if match.re.groups else words
