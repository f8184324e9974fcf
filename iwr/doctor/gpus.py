"""The GPUs, else the processor: whether the memory of this machine holds the models."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from iwr.config import Config, Environment, ModelConfig
from iwr.doctor.fit import Served, memory_share
from iwr.doctor.result import CheckResult, DoctorContext, RoleModel, output
from iwr.doctor.shapes import shape_of
from iwr.doctor.weight_files import weights_folder, weights_gb
from iwr.errors import ConfigError

ROOM_GB = 10.0
"""On each GPU beside the weights, for a model whose sizes are not known."""
PROCESSOR_GB = 2.0
"""With more weights than this an answer from a processor takes hours."""
MIB_GB = 2**20 / 1e9
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
    by_name = {}
    for line in output(*QUERY).splitlines():
        fields = [field.strip() for field in line.split(",")]
        index, uuid, *rest = fields
        gpu = _gpu(*rest)
        by_name[index] = gpu
        by_name[uuid] = gpu
    return [by_name[name] for name in visible if name in by_name]


def _gpu(name: str, total: str, free: str) -> Gpu:
    """Return a GPU by its fields in the output of `nvidia-smi`, which counts in MiB."""
    try:
        total_gb = int(total) * MIB_GB
        free_gb = int(free) * MIB_GB
    except ValueError:  # "[N/A]": memory that is shared with the processor
        return Gpu(name, 0, 0)
    return Gpu(name, total_gb, free_gb)


def memory(context: DoctorContext) -> Iterator[CheckResult]:
    """Compare each model that starts here with the memory of the GPUs, else of the processor."""
    from iwr.inference.server.command import visible_gpus

    number = len(visible_gpus(context.environment))
    here = gpus(context.environment)
    text = ", ".join(map(str, here))
    if not text:
        text = f"{number} of unknown memory"
    if not context.served:
        if not number:
            text = "none here"
        yield CheckResult("gpu", "ok", f"{text}; these settings need none")
    for served in context.served:
        if number:
            result = _on_gpus(context.config, served, here, number)
        else:
            text = "no GPU, so the processor serves it"
            result = _on_processor(served.model)
        whole_text = f"{served.label}: {text}; {result.found}"
        yield result._replace(found=whole_text)
    if number and len(context.served) > 1:
        yield _placement(context)


def _placement(context: DoctorContext) -> CheckResult:
    """Tell whether pages are judged as they come, or after all of them are generated."""
    from iwr.inference.server.command import visible_gpus
    from iwr.inference.server.placement import placement

    models = []
    for role, model in context.served:
        if role == "model" and model.kind == "vllm":
            models.append(model)
    text = "generation first, then judging: the GPUs do not suffice for both"
    if models:
        here = visible_gpus(context.environment)
        place = placement(models, context.config, here)
        if place is not None and place.generation is not None:
            generating = len(place.generation)
            judging = len(place.judge or [])
            text = f"pages are judged as they come: {generating} GPUs generate, {judging} judge"
    return CheckResult("placement", "ok", text)


def _on_gpus(
    config: Config,
    served: RoleModel,
    gpus: list[Gpu],
    number: int,
) -> CheckResult:
    """Compare a model with `number` visible GPUs, of which `gpus` tell their memory."""
    model = served.model
    is_vllm = model.kind == "vllm"
    key = _key_of(served)
    needed = model.gpus
    if is_vllm:
        needed *= config.server.replicas
    if needed > number:
        text = f"{needed} are needed, {number} here"
        fix = f"lower server.replicas, or {_larger(key, model)}"
        return CheckResult("gpu", "fail", text, fix)
    share = memory_share(config, model)
    used = [gpu for gpu in gpus[:needed] if gpu.total_gb]
    if is_vllm and _is_taken(used, share):
        return _taken(key, share)
    total_gb = weights_gb(model)
    if total_gb is None or not used:
        return CheckResult("gpu", "ok", "whether the model fits is not known")
    smallest_gb = min(gpu.total_gb for gpu in used)
    folder = _folder(model)
    shape = shape_of(folder, model.path)
    if is_vllm and shape is not None and model.context:
        whole = Served(served, config, shape, total_gb)
        return _served_on(whole, key, smallest_gb)
    each_gb = total_gb / model.gpus
    return _weights_on(key, model, each_gb, smallest_gb, share)


def _key_of(served: RoleModel) -> str:
    """Return the setting that chooses a model."""
    if served.role == "judge":
        return "judge.model"
    return "model"


def _is_taken(gpus: list[Gpu], share: float) -> bool:
    """Return whether one of the GPUs has less memory free than the share that vLLM takes."""
    return any(gpu.free_gb < share * gpu.total_gb for gpu in gpus)


def _taken(key: str, share: float) -> CheckResult:
    """Return the result for GPUs on which something else runs."""
    text = f"others hold its memory: vLLM wants {share:.0%} of it free"
    fix = (
        "end what runs there (`nvidia-smi` lists it), "
        f"or {key}.engine_args.gpu-memory-utilization=… below {share}"
    )
    return CheckResult("gpu", "fail", text, fix)


def _folder(model: ModelConfig) -> Path | None:
    """Return the folder of the weights, None where it is not here."""
    try:
        return weights_folder(model)
    except ConfigError:  # the check of the weights tells it
        return None


def _served_on(served: Served, key: str, gpu_gb: float) -> CheckResult:
    """Compare all that a served model takes with what vLLM may have of each GPU."""
    model = served.model
    gpus = model.gpus
    obstacle = served.obstacle(gpus)
    fewest = served.fewest_gpus(gpu_gb)
    larger = "larger GPUs, or weights of lower precision"
    if fewest:
        larger = f"{key}.gpus={fewest}"
    if obstacle is not None:
        return CheckResult("gpu", "fail", obstacle, larger)
    demand = served.demand(gpu_gb, gpus)
    share_gb = served.share_gb(gpu_gb)
    needed = f"about {demand.total:.1f} of {share_gb:.1f} GB on each of {gpus}"
    text = f"{needed}: {demand} (context {model.context:,})"
    if served.fits(gpu_gb, gpus):
        return CheckResult("gpu", "ok", text)
    context = served.longest_context(gpu_gb, gpus)
    fix = f"{larger}; see docs/models.md"
    if context:
        fix = f"{key}.context={context}, or {fix}"
    return CheckResult("gpu", "fail", text, fix)


def _weights_on(
    key: str,
    model: ModelConfig,
    each_gb: float,
    smallest_gb: float,
    share: float,
) -> CheckResult:
    """Compare the weights with the memory of the smallest GPU, of which vLLM has `share`."""
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
    """Return how a model gets more memory."""
    return (
        f"{key}.gpus={2 * model.gpus}, weights of lower precision, or larger GPUs: "
        "see docs/models.md"
    )


def _on_processor(model: ModelConfig) -> CheckResult:
    """Compare a model with the main memory. It is slow in any case, so its size is a warning."""
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
