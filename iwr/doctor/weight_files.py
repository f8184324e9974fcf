"""The files of a model's weights on this machine: where they are, whether all, their size."""

from __future__ import annotations

import json
from pathlib import Path

from iwr.config import ModelConfig
from iwr.errors import ConfigError

SUFFIXES = (".safetensors", ".bin")


def weights_folder(model: ModelConfig) -> Path | None:
    """Return the local folder, or the snapshot in the hub's cache, complete or not.

    None where there is neither. Raise ConfigError for a wrong `model.path`.
    """
    from huggingface_hub import try_to_load_from_cache

    from iwr.inference.server.command import model_path

    path = model_path(model)
    if Path(path).is_dir():
        return Path(path)
    file = try_to_load_from_cache(path, "config.json", revision=model.revision)
    return Path(file).parent if isinstance(file, str) else None


def missing_files(folder: Path) -> list[str]:
    """Return the weights that are not there: those that the folder's index names, or any at all."""
    index = next(folder.glob("*.index.json"), None)
    if index:
        names = set(json.loads(index.read_text())["weight_map"].values())
        return [name for name in sorted(names) if not (folder / name).exists()]
    for suffix in SUFFIXES:
        if any(folder.glob(f"*{suffix}")):
            return []
    return ["model.safetensors"]


def size_gb(folder: Path) -> float:
    """Return the size of all files below `folder`."""
    total = 0
    for path in folder.rglob("*"):
        if path.is_file():
            total += path.stat().st_size
    return total / 1e9


def weights_gb(model: ModelConfig) -> float | None:
    """Return the size of the weights by the config, else by the files; None without either."""
    if model.weights_gb is not None:
        return model.weights_gb
    try:
        folder = weights_folder(model)
    except ConfigError:
        return None
    return size_gb(folder) if folder else None
