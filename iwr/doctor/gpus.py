"""The GPUs, else the processor: whether the memory of this machine holds the models."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import NamedTuple

from iwr.config import Environment, ModelConfig, ServerConfig
from iwr.doctor.result import CheckResult, DoctorContext, RoleModel, output
from iwr.doctor.weight_files import weights_gb

ROOM_GB = 10.0
"""On each GPU beside the weights, for activations and the cache: see docs/models.md."""
UTILIZATION = 0.9
"""vLLM's share of a GPU's memory by default."""
PROCESSOR_GB = 2.0
"""With more weights than this an answer from a processor takes hours."""
QUERY = (
    "nvidia-smi",
    "--query-gpu=index,uuid,name,memory.total,memory.free",
    "--format=csv,noheader,nounits",
)


class Gpu(NamedTuple):
    """A GPU of NVIDIA; `total_gb` is 0 where its memory is shared with the processor."""

    name: str
    total_gb: float
    free_gb: float

    def __str__(self) -> str:
        return f"{self.name} {self.total_gb:.0f} GB ({self.free_gb:.0f} free)"


def gpus(environment: Environment) -> list[Gpu]:
    """Return NVIDIA's GPUs that this process may use; [] where `nvidia-smi` fails or is missing."""
    from iwr.inference.server.command import visible_gpus

    visible = visible_gpus(environment)
    if not visible or not shutil.which("nvidia-smi"):
        return []
    gpus = {}
    for line in output(*QUERY).splitlines():
        index, uuid, name, total, free = map(str.strip, line.split(","))
        gpu = _gpu(name, total, free)
        gpus[index] = gpu
        gpus[uuid] = gpu
    return [gpus[name] for name in visible if name in gpus]


def _gpu(name: str, total: str, free: str) -> Gpu:
    """Return a GPU by its fields in the output of `nvidia-smi`, which counts in MiB."""
    try:
        return Gpu(name, int(total) * 2**20 / 1e9, int(free) * 2**20 / 1e9)
    except ValueError:  # "[N/A]": memory that is shared with the processor
        return Gpu(name, 0, 0)


def memory(context: DoctorContext) -> Iterator[CheckResult]:
    """Compare each model that starts here with the memory of the GPUs, else of the processor."""
    from iwr.inference.server.command import visible_gpus

    number = len(visible_gpus(context.environment))
    here = gpus(context.environment)
    text = ", ".join(map(str, here)) or f"{number} of unknown memory"
    if not context.served:
        text = text if number else "none here"
        yield CheckResult("gpu", "ok", f"{text}; these settings need none")
    for served in context.served:
        if number:
            result = _on_gpus(context.config.server, served, here, number)
        else:
            text = "no GPU, so the processor serves it"
            result = _on_processor(served.model)
        yield result._replace(found=f"{served.label}: {text}; {result.found}")


def _on_gpus(
    server: ServerConfig,
    served: RoleModel,
    gpus: list[Gpu],
    number: int,
) -> CheckResult:
    """Compare a model with `number` visible GPUs, of which `gpus` tell their memory."""
    model = served.model
    key = "judge.model" if served.role == "judge" else "model"
    replicas = server.replicas if model.kind == "vllm" else 1
    needed = model.gpus * replicas
    if needed > number:
        fix = f"lower server.replicas, or {_larger(key, model)}"
        return CheckResult(
            "gpu",
            "fail",
            f"{needed} are needed, {number} here",
            fix,
        )
    share = _memory_share(server, model)
    used = [gpu for gpu in gpus[:needed] if gpu.total_gb]
    if model.kind == "vllm" and any(gpu.free_gb < share * gpu.total_gb for gpu in used):
        text = f"others hold its memory: vLLM wants {share:.0%} of it free"
        fix = (
            "end what runs there (`nvidia-smi` lists it), "
            f"or {key}.engine_args.gpu-memory-utilization=… below {share}"
        )
        return CheckResult("gpu", "fail", text, fix)
    return _weights_on_gpus(key, model, used, share)


def _weights_on_gpus(
    key: str,
    model: ModelConfig,
    gpus: list[Gpu],
    share: float,
) -> CheckResult:
    """Compare the weights with the memory of the smallest of `gpus`, of which vLLM has `share`."""
    total_gb = weights_gb(model)
    if total_gb is None or not gpus:
        return CheckResult("gpu", "ok", "whether the model fits is not known")
    each_gb = total_gb / model.gpus
    smallest_gb = min(gpu.total_gb for gpu in gpus)
    text = f"{each_gb:.0f} GB of weights on each of {model.gpus}"
    larger = _larger(key, model)
    if each_gb > share * smallest_gb:
        return CheckResult("gpu", "fail", text, larger)
    if each_gb + ROOM_GB > smallest_gb:
        text = f"{text}, {ROOM_GB:.0f} GB beside them are advised"
        fix = f"{key}.context=… lower if memory runs out, or {larger}"
        return CheckResult("gpu", "warn", text, fix)
    return CheckResult("gpu", "ok", text)


def _larger(key: str, model: ModelConfig) -> str:
    return (
        f"{key}.gpus={2 * model.gpus}, weights of lower precision, or larger GPUs: "
        "see docs/models.md"
    )


def _memory_share(server: ServerConfig, model: ModelConfig) -> float:
    """Return the share of a GPU's memory that vLLM takes under these settings."""
    engine_args = model.engine_args | server.engine_args
    for name in ("gpu-memory-utilization", "gpu_memory_utilization"):
        if name in engine_args:
            return float(engine_args[name])
    return UTILIZATION


def _on_processor(model: ModelConfig) -> CheckResult:
    from iwr.inference.memory import free_bytes

    free_gb = free_bytes() / 1e9
    total_gb = weights_gb(model)
    fix = (
        "run it where a GPU is (under SLURM: `srun --gres=gpu:N iwr doctor …`), "
        "or server=external server.url=…"
    )
    if total_gb is None:
        return CheckResult("gpu", "warn", "its size is not known", fix)
    text = f"{total_gb:.2f} GB of weights, {free_gb:.0f} GB of memory free"
    if total_gb + PROCESSOR_GB > free_gb:
        return CheckResult("gpu", "fail", text, fix)
    if total_gb > PROCESSOR_GB:
        return CheckResult("gpu", "warn", f"{text}; expect hours", fix)
    return CheckResult("gpu", "ok", text)
