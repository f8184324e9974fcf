"""Which weights a model is, for fingerprints and manifests; whether they are on this machine."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from iwr.config import ModelConfig, ServerConfig
from iwr.digests import digest
from iwr.errors import ConfigError
from iwr.inference.server.command import model_path
from iwr.runs.manifest import hub_commit

SUFFIXES = (".json", ".safetensors", ".bin", ".jinja", ".model", ".txt", ".py")
WEIGHTS = ("*.safetensors", "*.bin")
SAMPLE = 1 << 20
"""Bytes read at each end of a weights file: reading hundreds of gigabytes would take minutes."""


def weights_digest(model: ModelConfig, server: ServerConfig) -> str | None:
    """Return a digest of a local folder of weights: names, sizes, and both ends of each file.

    Return None for a hub id and for a model on somebody else's server. Raise ConfigError when
    there are no such weights.
    """
    if _is_elsewhere(model, server):
        return None
    folder = Path(model_path(model))
    if not folder.is_dir():
        return None
    files = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in SUFFIXES:
            status = path.stat()
            files.append((path, status.st_size, status.st_mtime_ns))
    return _digest(tuple(files))


@cache
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    """Read once a process, unless a file changes: fingerprints of all tasks need it."""
    parts: list[bytes | str] = []
    for path, size, _ in files:
        parts += [path.name, str(size), *_ends(path)]
    return digest(*parts)


def _ends(path: Path) -> list[bytes]:
    """Return the first and the last bytes of a file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        last = max(size - SAMPLE, 0)
        file.seek(last)
        tail = file.read(SAMPLE)
    return [head, tail]


def _is_elsewhere(model: ModelConfig, server: ServerConfig) -> bool:
    """Return whether the weights are on the machine of an external server."""
    return server.kind == "external" and model.kind == "vllm"


def identity(model: ModelConfig, server: ServerConfig) -> str | None:
    """Return which weights answered, None when that is not known.

    It is the digest of a local folder, or the commit that `model.revision` means in the hub's
    local cache.
    """
    if _is_elsewhere(model, server):
        return None
    local = weights_digest(model, server)
    return local or hub_commit(model_path(model), model.revision)


def prefetch(model: ModelConfig) -> Path:
    """Return the folder of the model's weights, after downloading what is missing.

    An interrupted download goes on. Raise ConfigError when the weights are neither here nor to be
    had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    path = model_path(model)
    if Path(path).is_dir():
        return Path(path)
    try:
        return Path(snapshot_download(path, revision=model.revision))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"{model.name}: cannot fetch {path}: {reason}",
            hint="check the name, the network and, for gated models, `hf auth login`",
        ) from error


def on_disk(model: ModelConfig) -> bool:
    """Return whether a server can load the model's weights without a network.

    True for a local folder, and for a snapshot in the hub's cache that holds all of its weights.
    """
    return local_folder(model) is not None


def local_folder(model: ModelConfig) -> Path | None:
    """Return the folder of a model's weights on this machine; None unless it holds all of them."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    path = model_path(model)
    if Path(path).is_dir():
        return Path(path)
    try:
        snapshot = Path(snapshot_download(path, revision=model.revision, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None
    return snapshot if _is_complete(snapshot) else None


def _is_complete(snapshot: Path) -> bool:
    """Return whether a snapshot has its configuration and every file of its weights."""
    if not (snapshot / "config.json").is_file():
        return False
    blobs = snapshot.parents[1] / "blobs"
    if any(blobs.glob("*.incomplete")):  # a download that was interrupted, or still goes on
        return False
    indexes = list(snapshot.glob("*.index.json"))
    if indexes:
        return any(map(_has_all, indexes))
    weights: list[Path] = []
    for pattern in WEIGHTS:
        weights += snapshot.glob(pattern)
    return bool(weights)


def _has_all(index: Path) -> bool:
    """Return whether all files that an index of weights names are beside it."""
    content = json.loads(index.read_text())
    names = set(content["weight_map"].values())
    for name in names:
        path = index.parent / name
        if not path.is_file():
            return False
    return True
