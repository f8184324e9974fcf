"""The Hugging Face hub: how much of a repository is still to be downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class DownloadSize(NamedTuple):
    """Bytes in all, and still to download to `folder`.

    None: the hub does not say, or cannot be asked.
    """

    folder: Path
    total: int | None = None
    left: int | None = None

    def __str__(self) -> str:
        if self.total is None or self.left is None:
            return "size not known: the hub does not answer"
        left = f"{self.left / 1e9:.2f} GB to fetch" if self.left else "here"
        return f"{self.total / 1e9:.2f} GB, {left}"


def download_size(
    repository: str,
    *,
    revision: str | None = None,
    files: Sequence[str] | None = None,
    data_folder: Path | None = None,
) -> DownloadSize:
    """Ask the hub for the size of a repository, or of some `files` of it; fetch nothing.

    `data_folder`: the repository is a data set, and is copied there instead of the hub's cache.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    folder = data_folder or Path(HF_HUB_CACHE)
    try:
        plan = snapshot_download(
            repository,
            repo_type="dataset" if data_folder else "model",
            revision=revision,
            allow_patterns=list(files) if files else None,
            local_dir=data_folder,
            dry_run=True,
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError):
        return DownloadSize(folder)  # fetching it will say what is wrong, unless it is there
    if isinstance(plan, str):
        return DownloadSize(folder)
    total = 0
    left = 0
    for file in plan:
        size = file.file_size or 0
        total += size
        left += size if file.will_download else 0
    return DownloadSize(folder, total, left)
