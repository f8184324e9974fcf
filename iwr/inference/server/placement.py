"""Which GPUs generation and judging get where both run at once: pages are judged as they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from iwr.config import Config, ModelConfig


class Placement(NamedTuple):
    """The GPUs of each stage; None: the stage needs none of this machine."""

    generation: list[str] | None
    judge: list[str] | None


def placement(
    served: Sequence[ModelConfig],
    config: Config,
    gpus: Sequence[str] | None,
) -> Placement | None:
    """Return where generation and judging run; None when they cannot run at once.

    They can when `gpus` suffice for the servers of a model and those of the judge. On a processor
    (`gpus` is None) they would only slow each other down.
    """
    if config.server.kind == "external":
        return Placement(None, None)
    if gpus is None:
        return None
    replicas = config.server.replicas
    of_judge = _gpus_of_judge(config)
    of_models = 0
    for model in served:
        needed = model.gpus * replicas
        of_models = max(of_models, needed)
    first_of_judge = len(gpus) - of_judge
    if first_of_judge < of_models:
        return None
    generation = list(gpus[:first_of_judge])
    judge = list(gpus[first_of_judge:])
    return Placement(generation, judge or None)


def _gpus_of_judge(config: Config) -> int:
    """Return how many GPUs the judge's servers take, of those that are started here."""
    judge = config.judge
    if judge.kind != "model" or judge.model is None or judge.url:
        return 0
    return judge.model.gpus * config.server.replicas
