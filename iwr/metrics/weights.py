"""Where weights are: a local path, else the caches of the Hugging Face hub and of torch.

Nothing is downloaded except by `fetch` of the weights that a metric declares, so a metric behaves
the same with and without a network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from iwr.config import Environment
from iwr.digests import file_digest
from iwr.errors import MetricError

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
    """Fetch a file of weights, and check its digest. Raise MetricError."""
    from torch.hub import download_url_to_file

    file.parent.mkdir(parents=True, exist_ok=True)
    checksum = file.stem.rsplit("-", 1)[-1]
    try:
        download_url_to_file(url, str(file), hash_prefix=checksum)
    except (OSError, RuntimeError) as error:
        raise MetricError(f"metric {metric}: cannot download {url}: {error}") from error


def _torch_home() -> Path:
    """Return the folder in which torch keeps weights."""
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


class HubWeights(NamedTuple):
    """Declares the files of a hub repository that a metric loads."""

    metric: str
    default: str
    files: tuple[str, ...]

    def repository(self, settings: Settings) -> str | None:
        """Return the repository on the hub; None when the settings name a local folder."""
        path = self._path(settings)
        return None if Path(path).expanduser().is_dir() else path

    def fetch(self, settings: Settings) -> Path:
        """Download what is missing; return the folder. Raises MetricError."""
        return hub_folder(self.metric, self._path(settings), self.files, download=True)

    def _path(self, settings: Settings) -> str:
        """Return the repository or the folder of the weights."""
        return str(settings.get("path", self.default))


class LibraryWeights(NamedTuple):
    """Declares weights that the library of a metric downloads from an address of its own.

    `download` takes the settings of the metric and returns the path of the weights.
    """

    download: Callable[..., Path]

    def repository(self, settings: Settings) -> None:
        """Return None: the hub has no part in it."""

    def fetch(self, settings: Settings) -> Path:
        """Download what is missing; return the path. Raises MetricError."""
        return self.download(**settings)


def declared_weights(name: str) -> HubWeights | LibraryWeights | None:
    """Return what the module of a metric declares as `WEIGHTS`; None when it needs no weights.

    Raises ConfigError for unknown names, MetricError when a package is missing.
    """
    from iwr.metrics.base import metric_module

    return getattr(metric_module(name), "WEIGHTS", None)
