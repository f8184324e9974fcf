"""Where weights lie: a local path, else the caches of the Hugging Face hub and of torch. Nothing is downloaded here
except by `prefetch`, so a metric behaves the same with and without a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from iwr.config import Environment
from iwr.errors import ConfigError, MetricError
from iwr.records import file_digest


def hub_folder(metric: str, path: str, files: Sequence[str], *, download: bool = False) -> Path:
    """Local folder `path`, or the cached snapshot of the hub repository `path`, that holds all `files`.

    Raises MetricError naming metric and file when one is missing.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        folder = _snapshot(metric, path, files, download)
    for name in files:
        if not (folder / name).is_file():
            raise missing(metric, f"{path}: no {name} in {folder}")
    return folder


def _snapshot(metric: str, path: str, files: Sequence[str], download: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(path, allow_patterns=list(files), local_files_only=not download)
        )
    except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise missing(metric, f"{path} ({', '.join(files)})") from error


def torch_hub_file(
    metric: str, path: str | None, name: str, url: str, *, download: bool = False
) -> Path:
    """The file `path`, or `name` in torch's hub cache, fetched from `url` on demand. Raises MetricError when it is missing."""
    file = Path(path).expanduser() if path else _torch_home() / "hub" / "checkpoints" / name
    if not file.is_file() and download and not path:
        from torch.hub import download_url_to_file

        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            download_url_to_file(url, str(file), hash_prefix=file.stem.rsplit("-", 1)[-1])
        except (OSError, RuntimeError) as error:
            raise MetricError(f"metric {metric}: cannot download {url}: {error}") from error
    if not file.is_file():
        raise missing(metric, str(file))
    return file


def _torch_home() -> Path:
    inherited = Environment.read().inherited
    cache = inherited.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(inherited.get("TORCH_HOME") or f"{cache}/torch").expanduser()


def weights_digest(file: Path) -> str:
    """sha256 of a file of weights; the hub's cache names large files by it, so they need not be read."""
    stored = file.resolve()
    return (
        stored.name
        if stored.parent.name == "blobs" and len(stored.name) == 64
        else file_digest(stored)
    )


def missing(metric: str, what: str) -> MetricError:
    return MetricError(
        f"metric {metric}: weights are missing: {what}",
        hint=f"run `iwr prefetch` with the same protocol where there is a network, or set protocol.metrics.{metric}.path",
    )


def prefetch(metrics: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Download what the metrics need and return where it lies, by metric. Raises MetricError, ConfigError."""
    from importlib import import_module

    from iwr.metrics.base import NAMES

    unknown = sorted(set(metrics) - set(NAMES))
    if unknown:
        raise ConfigError(
            f"protocol: no metric {unknown[0]!r}", hint=f"choose from {', '.join(NAMES)}"
        )
    modules = {name: import_module(f"iwr.metrics.{name}") for name in metrics}
    return {
        name: str(module.prefetch(**metrics[name]))
        for name, module in modules.items()
        if hasattr(module, "prefetch")
    }
