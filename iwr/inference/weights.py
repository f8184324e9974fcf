"""Which weights a model is: for fingerprints and manifests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from iwr.config import ModelConfig, ServerConfig
from iwr.errors import ConfigError
from iwr.inference.server.command import model_path
from iwr.records import digest
from iwr.runs.manifest import hub_commit

SUFFIXES = (".json", ".safetensors", ".bin", ".jinja", ".model", ".txt", ".py")
SAMPLE = (
    1 << 20
)  # bytes read at each end of a weights file: reading hundreds of gigabytes would take minutes


def weights_digest(model: ModelConfig, server: ServerConfig) -> str | None:
    """Digest of a local folder of weights: names, sizes, and both ends of each file.

    None for a hub id and for a model on somebody else's server. Raises ConfigError when there are no such weights.
    """
    if server.kind == "external" and model.kind == "vllm":
        return None
    folder = Path(model_path(model))
    if not folder.is_dir():
        return None
    files = [
        path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix in SUFFIXES
    ]
    return _digest(tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files))


@cache
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    """Read once a process, unless a file changes: fingerprints of all tasks need it."""
    parts: list[bytes | str] = []
    for path, size, _ in files:
        parts += [path.name, str(size), *_ends(path)]
    return digest(*parts)


def identity(model: ModelConfig, server: ServerConfig) -> str | None:
    """Which weights answered: digest of a local folder, or the commit that `model.revision` means in the hub's local cache.

    None when neither is known.
    """
    known = weights_digest(model, server)
    if known or (server.kind == "external" and model.kind == "vllm"):
        return known
    return hub_commit(model_path(model), model.revision)


def prefetch(model: ModelConfig) -> Path:
    """Where the model's weights lie, after downloading what is missing; an interrupted download goes on.

    Raises ConfigError when they are neither here nor to be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    path = model_path(model)
    if Path(path).is_dir():
        return Path(path)
    try:
        return Path(snapshot_download(path, revision=model.revision))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        first = str(error).strip().splitlines()[0]
        hint = "check the name, the network and, for gated models, `hf auth login`"
        raise ConfigError(f"{model.name}: cannot fetch {path}: {first}", hint=hint) from error


def _ends(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        file.seek(max(path.stat().st_size - SAMPLE, 0))
        return [head, file.read(SAMPLE)]
