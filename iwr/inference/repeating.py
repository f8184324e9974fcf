"""The repeats of models: `run.repeats` answers to each task, each sampled with its own seed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from iwr.config import Config, ModelConfig
from iwr.inference.engines import baselines
from iwr.inference.sampling import sampling
from iwr.repeats import name_of_repeat

log = logging.getLogger(__name__)


def with_repeats(models: Sequence[ModelConfig], config: Config) -> list[ModelConfig]:
    """Return each model once for each of its repeats, under the name of the repeat.

    A baseline gives the same page each time: it has one.
    """
    repeats = []
    for model in models:
        count = config.run.repeats
        if model.kind in baselines.KINDS:
            count = 1
        for number in range(1, count + 1):
            name = name_of_repeat(model.name, number)
            repeats.append(replace(model, name=name))
    return repeats


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
