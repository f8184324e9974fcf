"""Compose the settings of a command from `configs/` and Hydra overrides."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from iwr.config.environment import Environment
from iwr.config.schema import GROUPS, OPEN, Config, ModelConfig
from iwr.errors import ConfigError


def register() -> None:
    """Tell Hydra the types of all settings."""
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    store.store(name="_schema_", node=Config)
    for group, schema in GROUPS.items():
        store.store(group=group, name="_schema_", node=schema)


def load_config(overrides: list[str]) -> tuple[Config, list[ModelConfig]]:
    """Compose `configs/config.yaml` with Hydra overrides. Return the config and the models.

    The models are in the order of `models=`; without it there is one, `model`. Raise ConfigError
    for anything that Hydra or a schema refuses, naming the key and the valid choices.
    """
    from hydra import initialize_config_module
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    register()
    overrides = [_with_plus(override) for override in overrides]
    try:
        with initialize_config_module("iwr.configs", version_base="1.3"):
            config: Config = _compose("config", overrides)
            models = _models(config, overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(
            _one_line(error), hint="`iwr config` prints every setting and its value"
        ) from error
    environment = Environment.read()
    if environment.temporary and not os.path.isdir(environment.temporary):
        raise ConfigError(
            f"IWR_TMP={environment.temporary} is not a folder",
            hint="create it, or name an existing folder",
        )
    if config.run.shard is None:
        config.run.shard = environment.array_task or 0
    _check(config, models)
    return config, models


def _compose(root: str, overrides: list[str]) -> Any:
    from hydra import compose
    from omegaconf import OmegaConf

    return OmegaConf.to_object(compose(root, overrides=overrides))


def _models(config: Config, overrides: list[str]) -> list[ModelConfig]:
    """Return `model`, or each entry of `models` composed on its own."""
    if config.models is None:
        return [config.model]
    common = []
    for override in overrides:
        if override.lstrip("+~").startswith("model."):
            common.append(override)
    models = []
    for name in config.models:
        root = _compose("one_model", [*common, f"model={name}"])
        models.append(root["model"])
    return models


def _with_plus(override: str) -> str:
    """Return an override that Hydra takes whether its key exists or not, for open tables."""
    if re.match(rf"(\w+\.)+({'|'.join(OPEN)})[.=]", override):
        return f"++{override}"
    return override


def _required(config: Config, models: list[ModelConfig]) -> Iterator[tuple[str, bool]]:
    """Yield settings without a sensible default: (key, whether it is missing)."""
    yield "data.root", config.data.root is None and config.data.name != "samples"
    yield "server.url", config.server.kind == "external" and config.server.url is None
    yield (
        "judge.model.path",
        config.judge.kind == "model"
        and (config.judge.model is None or config.judge.model.path is None),
    )
    yield "judge.replays", config.judge.kind == "replay" and config.judge.replays is None
    for model in models:
        yield (
            "model.path",
            model.kind in ("vllm", "transformers", "directory") and model.path is None,
        )


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines) or type(error).__name__


def _check(config: Config, models: list[ModelConfig]) -> None:
    for key, missing in _required(config, models):
        if missing:
            raise ConfigError(f"{key} must be given", hint=f"add {key}=… to the command")
    names = [model.name for model in models]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated or not names:
        what = ", ".join(sorted(repeated)) or "empty list"
        raise ConfigError(
            f"models: {what}", hint="name each model once, as in models=[oracle,blank]"
        )
    if not 0 <= (config.run.shard or 0) < config.run.shards:
        raise ConfigError(f"run.shard={config.run.shard} is not in 0..{config.run.shards - 1}")
    if config.run.on_change not in ("stop", "overwrite"):
        raise ConfigError(f"run.on_change={config.run.on_change}: choose stop or overwrite")
