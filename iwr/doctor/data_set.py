"""The data set as a requirement."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from iwr.config import DataConfig
from iwr.doctor.hub import DownloadSize, download_size
from iwr.doctor.result import CheckResult
from iwr.errors import ConfigError
from iwr.tasks.load import Loaded, data_root, load

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".zst", ".parquet")
LISTED_ARCHIVES = 3


class DataSet(NamedTuple):
    """The tasks at `data.root`. Those that are bundled with the package are always here."""

    data: DataConfig
    loaded: Loaded

    @property
    def name(self) -> str:
        """The name in lists of requirements."""
        return "data"

    @property
    def source(self) -> str | None:
        """The hub's data set that is to be fetched; None when nothing is missing."""
        if self.data.root and not _is_complete(self.loaded):
            return self.data.hub
        return None

    def check(self) -> CheckResult:
        """Return whether the tasks load."""
        tasks, faults, _ = self.loaded
        text = f"{self.data.name}: {len(tasks)} tasks in {data_root(self.data)}"
        if not tasks:
            return CheckResult(
                "data",
                "fail",
                f"{text}: {faults[0].message}",
                "correct data.root, or fetch the data set: `iwr prefetch` with the same settings",
            )
        if faults:
            return CheckResult(
                "data",
                "warn",
                f"{text}, {len(faults)} faults",
                "`iwr validate` with the same settings lists them",
            )
        return CheckResult("data", "ok", text)

    def size(self) -> DownloadSize | None:
        """Return how much is to be downloaded; None for nothing. Raises ConfigError."""
        if self.source is None:
            return None
        return download_size(self.source, data_folder=data_root(self.data))

    def fetch(self) -> Path | None:
        """Download what is missing; return the folder. Raises ConfigError."""
        if not self.data.root:
            return None
        root = data_root(self.data)
        if _is_complete(self.loaded):
            return root
        _download(self.data)
        if not _is_complete(load(root, self.data.tasks)):
            raise ConfigError(
                f"data {self.data.name}: {self.data.hub} is in {root}, but no task loads",
                hint=_archives_hint(root),
            )
        return root


def _is_complete(loaded: Loaded) -> bool:
    """Return whether there are tasks and none has a fault."""
    return bool(loaded.tasks) and not loaded.faults


def _download(data: DataConfig) -> None:
    """Copy the hub's data set to `data.root`. Raise ConfigError when it cannot be had."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    root = data_root(data)
    if not data.hub:
        raise ConfigError(
            f"data {data.name}: no usable task in {root}, and no data.hub to fetch it from",
            hint="copy the data set there, or name a data set of the hub: data.hub=org/name",
        )
    try:
        snapshot_download(data.hub, repo_type="dataset", local_dir=root)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"data {data.name}: cannot fetch {data.hub}: {reason}",
            hint="check the name and the network; the same command keeps the files that are whole",
        ) from error


def _archives_hint(root: Path) -> str:
    """Return what to do with a data set that was fetched and does not load."""
    archives = []
    for path in root.rglob("*"):
        if path.name.endswith(ARCHIVES):
            archives.append(path.name)
    if not archives:
        return "`iwr validate` with the same settings says what is wrong"
    archives.sort()
    names = ", ".join(archives[:LISTED_ARCHIVES])
    return f"unpack {names} there"
