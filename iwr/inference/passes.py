"""The passes of a model over the tasks: `run.repeats` of them, each sampled with its own seed."""

from __future__ import annotations

from dataclasses import replace

from iwr.config import Config, ModelConfig
from iwr.inference.engines import baselines
from iwr.repeats import name_of_pass


def passes_of(model: ModelConfig, config: Config) -> list[ModelConfig]:
    """Return the model once for each pass, under the name of the pass.

    A baseline gives the same page each time: it has one pass.
    """
    if model.kind in baselines.KINDS:
        return [model]
    numbers = range(1, config.run.repeats + 1)
    return [replace(model, name=name_of_pass(model.name, number)) for number in numbers]
