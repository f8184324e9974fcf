"""Weights as requirements: those of a model, and those of a metric."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from iwr.config import ModelConfig
from iwr.doctor.hub import DownloadSize, download_size
from iwr.doctor.result import CheckResult
from iwr.doctor.weight_files import missing_files, size_gb, weights_folder
from iwr.errors import ConfigError, MetricError
from iwr.metrics.base import Settings, build
from iwr.metrics.weights import HubWeights, LibraryWeights, declared_weights

LISTED_FILES = 3
FIX = "`iwr prefetch` with the same settings, where there is a network"


class ModelWeights(NamedTuple):
    """The weights of a model. A start that has to download them may run into its deadline."""

    role: str
    model: ModelConfig

    @property
    def name(self) -> str:
        """The name in lists of requirements."""
        return self.model.name

    @property
    def source(self) -> str | None:
        """The hub's repository; None when the weights are a folder of this machine."""
        from iwr.inference.server.command import model_path

        path = model_path(self.model)
        if Path(path).is_dir():
            return None
        return path

    def check(self) -> CheckResult:
        """Return whether all files of the weights are here."""
        try:
            folder = weights_folder(self.model)
            label = f"{self.role} {self.name}: {self.source or folder}"
        except ConfigError as error:
            return CheckResult("weights", "fail", str(error), error.hint)
        if folder is None:
            return CheckResult(
                "weights",
                "fail",
                f"{label} is not in the hub's cache",
                FIX,
            )
        missing = missing_files(folder)
        if missing:
            names = ", ".join(missing[:LISTED_FILES])
            if len(missing) > LISTED_FILES:
                names = f"{names} …"
            return CheckResult(
                "weights",
                "fail",
                f"{label}: not there: {names}",
                FIX,
            )
        found = f"{label}, {size_gb(folder):.2f} GB"
        if self.model.untested:
            text = f"{found}; untested: {self.model.untested}"
            return CheckResult("weights", "warn", text, "try it on one task: data.tasks=[ID]")
        return CheckResult("weights", "ok", found)

    def size(self) -> DownloadSize | None:
        """Return how much is to be downloaded; None for nothing. Raises ConfigError."""
        if self.source is None:
            return None
        return download_size(self.source, revision=self.model.revision)

    def fetch(self) -> Path:
        """Download what is missing; return the folder. Raises ConfigError."""
        from iwr.inference import weights

        return weights.prefetch(self.model)


class MetricWeights(NamedTuple):
    """A metric of the protocol, with the weights that its module declares, if any."""

    name: str
    settings: Settings

    @property
    def weights(self) -> HubWeights | LibraryWeights | None:
        """Return what the module of the metric declares."""
        return declared_weights(self.name)

    @property
    def source(self) -> str | None:
        """The hub's repository; None when a library downloads by itself, or needs none."""
        if self.weights is None:
            return None
        return self.weights.repository(self.settings)

    def check(self) -> CheckResult:
        """Return whether the metric starts here with its settings."""
        try:
            engine = build(self.name, self.settings).engine
        except (MetricError, ConfigError) as error:
            return CheckResult("metrics", "fail", str(error), error.hint)
        return CheckResult("metrics", "ok", engine)

    def size(self) -> DownloadSize | None:
        """Return how much is to be downloaded, where that can be told. Raises ConfigError."""
        if not isinstance(self.weights, HubWeights) or self.source is None:
            return None
        return download_size(self.source, files=self.weights.files)

    def fetch(self) -> Path | None:
        """Download what is missing; return its place. Raises ConfigError, MetricError."""
        if self.weights is None:
            return None
        return self.weights.fetch(self.settings)
