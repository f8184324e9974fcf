"""Where weights are: a local path, else the caches of the Hugging Face hub and of torch.

Nothing is downloaded here except by `prefetch`, so a metric behaves the same with and without a
network.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from iwr.config import Environment
from iwr.errors import MetricError
from iwr.records import file_digest

if TYPE_CHECKING:
    from iwr.metrics.base import Settings


def hub_folder(
    metric: str,
    path: str,
    files: Sequence[str],
    *,
    download: bool = False,
) -> Path:
    """Return local folder `path`, or the cached snapshot of the hub repository `path`.

    It holds all `files`. Raises MetricError naming metric and file when one is missing.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        folder = _snapshot(metric, path, files, download)
    for name in files:
        if not (folder / name).is_file():
            raise missing_weights(metric, f"{path}: no {name} in {folder}")
    return folder


def _snapshot(
    metric: str,
    path: str,
    files: Sequence[str],
    download: bool,
) -> Path:
    """Return the hub's folder for a repository. Raises MetricError when it is not there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            path,
            allow_patterns=list(files),
            local_files_only=not download,
        )
    except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise missing_weights(metric, f"{path} ({', '.join(files)})") from error
    return Path(folder)


def torch_hub_file(
    metric: str,
    path: str | None,
    name: str,
    url: str,
    *,
    download: bool = False,
) -> Path:
    """Return the file `path`, or `name` in torch's hub cache, fetched from `url` on demand.

    Raises MetricError when it is missing.
    """
    if path:
        file = Path(path).expanduser()
    else:
        file = _torch_home() / "hub" / "checkpoints" / name
        if download and not file.is_file():
            _download(metric, url, file)
    if not file.is_file():
        raise missing_weights(metric, str(file))
    return file


def _download(
    metric: str,
    url: str,
    file: Path,
) -> None:
    from torch.hub import download_url_to_file

    file.parent.mkdir(parents=True, exist_ok=True)
    checksum = file.stem.rsplit("-", 1)[-1]
    try:
        download_url_to_file(url, str(file), hash_prefix=checksum)
    except (OSError, RuntimeError) as error:
        raise MetricError(f"metric {metric}: cannot download {url}: {error}") from error


def _torch_home() -> Path:
    inherited = Environment.read().inherited
    cache = inherited.get("XDG_CACHE_HOME") or "~/.cache"
    home = inherited.get("TORCH_HOME") or f"{cache}/torch"
    return Path(home).expanduser()


def weight_file_digest(file: Path) -> str:
    """Return the sha256 of a file of weights.

    The hub's cache names large files by it, so they need not be read.
    """
    target = file.resolve()
    if target.parent.name == "blobs" and len(target.name) == 64:
        return target.name
    return file_digest(target)


def missing_weights(metric: str, files: str) -> MetricError:
    """Return the error for weights that are not on this machine."""
    return MetricError(
        f"metric {metric}: weights are missing: {files}",
        hint="run `iwr prefetch` with the same protocol where there is a network, "
        f"or set protocol.metrics.{metric}.path",
    )


def prefetch(metrics: dict[str, Settings]) -> dict[str, str]:
    """Download what the metrics need and return its path, by metric.

    Raises MetricError, ConfigError.
    """
    from iwr.metrics.base import metric_module

    modules = {name: metric_module(name) for name in metrics}
    folders = {}
    for name, module in modules.items():
        if hasattr(module, "prefetch"):
            folders[name] = str(module.prefetch(**metrics[name]))
    return folders
