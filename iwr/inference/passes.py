"""The passes of a model over the tasks: `run.repeats` of them, each sampled with its own seed."""

from __future__ import annotations

import logging
from dataclasses import replace

from iwr.config import Config, ModelConfig
from iwr.inference.engines import baselines
from iwr.inference.sampling import sampling
from iwr.repeats import name_of_pass

log = logging.getLogger(__name__)


def passes_of(model: ModelConfig, config: Config) -> list[ModelConfig]:
    """Return the model once for each pass, under the name of the pass.

    A baseline gives the same page each time: it has one pass.
    """
    if model.kind in baselines.KINDS:
        return [model]
    numbers = range(1, config.run.repeats + 1)
    return [replace(model, name=name_of_pass(model.name, number)) for number in numbers]


def warn_of_equal_answers(model: ModelConfig, config: Config) -> None:
    """Warn that repeats tell nothing about a model that is decoded greedily."""
    repeats = config.run.repeats
    if model.kind in baselines.KINDS or repeats == 1:
        return
    if sampling(model, config)["temperature"] == 0:
        log.warning(
            "run.repeats=%d: answers of %s will hardly differ, its temperature is 0; "
            "set model.temperature, or protocol.sampling=recommended",
            repeats,
            model.name,
        )
