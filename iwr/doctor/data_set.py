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
        return "data"

    @property
    def source(self) -> str | None:
        if self.data.root and not _is_complete(self.loaded):
            return self.data.hub
        return None

    def check(self) -> CheckResult:
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
        if self.source is None:
            return None
        return download_size(self.source, data_folder=data_root(self.data))

    def fetch(self) -> Path | None:
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
    archives = sorted(path.name for path in root.rglob("*") if path.name.endswith(ARCHIVES))
    if archives:
        return f"unpack {', '.join(archives[:LISTED_ARCHIVES])} there"
    return "`iwr validate` with the same settings says what is wrong"
