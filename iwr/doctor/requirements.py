"""What a run needs besides the machine: weights and data, and how each is got.

`iwr doctor` checks these requirements, `iwr prefetch` fetches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from iwr.config import Config
from iwr.doctor.data_set import DataSet
from iwr.doctor.hub import DownloadSize
from iwr.doctor.result import CheckResult, RoleModel
from iwr.doctor.weights import MetricWeights, ModelWeights
from iwr.tasks.load import Loaded


class Requirement(Protocol):
    """Something that a run reads, and that may come from a network."""

    @property
    def name(self) -> str:
        """Return the name in the output of `iwr prefetch`."""

    @property
    def source(self) -> str | None:
        """Return the repository of the hub; None for local folders and for other sources.

        Raise ConfigError for a wrong path.
        """

    def check(self) -> CheckResult:
        """Return whether it is here; ask no network."""

    def size(self) -> DownloadSize | None:
        """Ask the hub for the size; None when nothing comes from the hub."""

    def fetch(self) -> Path | None:
        """Fetch what is missing. Return its path, or None when there is nothing to fetch.

        Raise ConfigError or MetricError when it cannot be had.
        """


def requirements(
    config: Config,
    models: Sequence[RoleModel],
    loaded: Loaded,
) -> list[Requirement]:
    """Return what `models`, the metrics and the data set need, in that order.

    `loaded`: the tasks that are at `data.root` now.
    """
    from iwr.scores.draft import metrics_of

    needs: list[Requirement] = []
    for role, model in models:
        needs.append(ModelWeights(role, model))
    for name, settings in metrics_of(config.protocol).items():
        needs.append(MetricWeights(name, settings))
    needs.append(DataSet(config.data, loaded))
    return needs
