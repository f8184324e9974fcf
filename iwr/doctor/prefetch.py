"""`iwr prefetch`: everything that the settings need from the network, with its size.

Downloads are those of huggingface_hub, torch and EasyOCR. The hub's survive broken connections;
after a kill, complete files stay and the others start anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from iwr.config import Config, ModelConfig
from iwr.doctor.hub import DownloadSize
from iwr.doctor.requirements import Requirement, requirements
from iwr.doctor.result import RoleModel
from iwr.errors import ConfigError
from iwr.runs.files import existing


def needs(config: Config, models: Sequence[ModelConfig]) -> list[Requirement]:
    """Return the requirements of the settings, wherever their models are served."""
    from iwr.tasks.load import data_root, load

    loaded = load(data_root(config.data), config.data.tasks)
    return requirements(config, list(_with_weights(config, models)), loaded)


def _with_weights(config: Config, models: Sequence[ModelConfig]) -> Iterator[RoleModel]:
    """Yield the models of these settings that have weights."""
    role_models = [RoleModel("model", model) for model in models]
    if config.judge.model:
        role_models.append(RoleModel("judge", config.judge.model))
    for role_model in role_models:
        if role_model.model.kind in ("vllm", "transformers"):
            yield role_model


def download_line(requirement: Requirement, size: DownloadSize) -> str:
    """Return the line for a requirement that comes from the hub."""
    return f"{requirement.name}  {requirement.source}  {size}"


def check_room(sizes: Iterable[DownloadSize]) -> None:
    """Raise ConfigError when a disk is too small for what will be fetched."""
    downloads: dict[Path, int] = {}
    for size in sizes:
        folder = existing(size.folder)
        left = size.left or 0
        downloads[folder] = left + downloads.get(folder, 0)
    for folder, left in downloads.items():
        free = shutil.disk_usage(folder).free
        if left > free:
            left_gb = left / 1e9
            free_gb = free / 1e9
            raise ConfigError(
                f"{left_gb:.1f} GB to fetch, but {free_gb:.1f} GB are free in {folder}",
                hint="free space, or set HF_HUB_CACHE (weights) or data.root (data) "
                "to a larger disk",
            )


def fetch(needs: Iterable[Requirement]) -> dict[str, str]:
    """Fetch what is missing. Return the paths by name. Raise ConfigError, MetricError."""
    paths = {}
    for requirement in needs:
        path = requirement.fetch()
        if path is not None:
            paths[requirement.name] = str(path)
    return paths
