"""What an answer is made from, as text: an answer of the same fingerprint is not asked again."""

from __future__ import annotations

import json
from typing import Any

from iwr.config import Config, ModelConfig
from iwr.config.fields import Result, settings_of
from iwr.inference import video, weights
from iwr.inference.engines import baselines
from iwr.inference.prompt import prompt_digest
from iwr.inference.sampling import max_tokens, sampling
from iwr.records import Fingerprint, Task

RECORDED_APART = (
    "kind",
    "reasoning_parser",
    "max_tokens",
    "temperature",
    "sampling",
    "video_io",
)
"""Settings of a model that no page depends on, or that are recorded by other names."""


def fingerprint(task: Task, model: ModelConfig, config: Config) -> Fingerprint:
    """Return what the answer of `model` to `task` is made from.

    Raise ConfigError when there are no such weights.
    """
    settings: dict[str, Any] = {"task": task.digest, "model.kind": model.kind}
    if model.kind in baselines.KINDS:
        settings["input.page"] = baselines.input_digest(task, model)
        return _texts(settings)
    for key, value in settings_of(model, Result.ANSWERS):
        if key not in RECORDED_APART:
            settings[f"model.{key}"] = value
    if model.kind == "vllm":
        for key, value in settings_of(config.server, Result.ANSWERS):
            settings[f"server.{key}"] = value
    settings |= {
        "model.weights": weights.weights_digest(model, config.server),
        "prompt": prompt_digest(),
        "sampling.fps": config.protocol.fps,
        "sampling.max_frames": config.protocol.max_frames,
        "sampling.max_tokens": max_tokens(model, config),
        "sampling.engine": video.engine_settings(model, config.protocol),
        # earlier releases let a checkpoint's generation_config.json change the sampling
        "sampling.generation_config": "ignored",
    }
    for key, value in sampling(model, config).items():
        settings[f"sampling.{key}"] = value
    return _texts(settings)


def _texts(settings: dict[str, Any]) -> Fingerprint:
    """Return the settings as text.

    Unset ones are left out, so that a new setting does not make old results stale.
    """
    texts: Fingerprint = {}
    for key, value in settings.items():
        if value is None or value is False or value in ([], {}):
            continue
        text = value
        if not isinstance(value, str):
            text = json.dumps(value, sort_keys=True)
        texts[key] = text
    return texts
