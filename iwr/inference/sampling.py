"""How answers are sampled: all values are explicit, no default of a checkpoint or server counts.

`protocol.sampling=greedy` samples all models alike, at `protocol.temperature`. `recommended`
follows the advice of a model's authors (`model.sampling`) where its config has any: thinking models
tend to repeat themselves without end when they are decoded greedily.
"""

from __future__ import annotations

from dataclasses import asdict

from iwr.config import Config, ModelConfig
from iwr.repeats import number_of

Sampling = dict[str, int | float]
"""Values by the names that the chat API of vLLM uses."""

NEUTRAL: Sampling = {
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "repetition_penalty": 1.0,
}
"""Values that change nothing. They are sent, because a server may have other defaults."""


def max_tokens(model: ModelConfig, config: Config) -> int:
    """Return the limit of one answer in tokens: the model's own, else the protocol's."""
    if model.max_tokens is not None:
        return model.max_tokens
    return config.protocol.max_tokens


def sampling(model: ModelConfig, config: Config) -> Sampling:
    """Return the temperature and all values that are not neutral; a seed where chance decides.

    Each repeat of a model has a seed of its own.
    """
    protocol = config.protocol
    values: Sampling = {"temperature": protocol.temperature}
    if protocol.sampling == "recommended":
        values |= _advice(model)
    if model.temperature is not None:
        values["temperature"] = model.temperature
    if values["temperature"] > 0:
        values["seed"] = values.get("seed", 0) + number_of(model.name) - 1
    else:
        values.pop("seed", None)
    return values


def _advice(model: ModelConfig) -> Sampling:
    """Return what the authors advise, neutral values left out."""
    advice = {}
    for key, value in asdict(model.sampling).items():
        if value is not None and value != NEUTRAL.get(key):
            advice[key] = value
    return advice
