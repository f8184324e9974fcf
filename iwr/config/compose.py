"""Compose the settings of a command from `configs/` and its command line."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from iwr.config.checks import check
from iwr.config.command_line import split, texts
from iwr.config.environment import Environment
from iwr.config.overrides import HINT, apply, parse
from iwr.config.schema import GROUPS, Config, ModelConfig
from iwr.errors import ConfigError

RETIRED_JUDGES = {"rules": "contract"}
"""Judges of earlier versions, and what replaces them."""

LONGEST_MODELS = 40
"""Characters of models in the name of a run; more models are counted."""


def register() -> None:
    """Tell Hydra the types of all settings."""
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    store.store(name="_schema_", node=Config)
    for group, schema in GROUPS.items():
        store.store(group=group, name="_schema_", node=schema)


def load_config(arguments: list[str], *, judged: bool = False) -> tuple[Config, list[ModelConfig]]:
    """Compose `configs/config.yaml` with the settings of a command line.

    Return the config and the models in the order of `models=`; without it there is one, `model`.
    `judged`: nothing is judged any more, so results of a judge that no longer exists can be read.
    Raise ConfigError for what a schema refuses, naming the setting and the valid choices.
    """
    line = split(arguments)
    return compose_run(texts(line.common), line.model_settings(), judged=judged)


def compose_run(
    common: Sequence[str], models: Sequence[Sequence[str]], *, judged: bool = False
) -> tuple[Config, list[ModelConfig]]:
    """Compose the settings that models share, and those of each model. Raise as `load_config`."""
    overrides = parse(_of_today(common, judged))
    config: Config = _composed("config", overrides.choices)
    apply(config, overrides.values)
    configs = [_model(config, settings) for settings in models]
    environment = Environment.read()
    _check_folder(environment.temporary)
    if config.run.shard is None:
        config.run.shard = _shard(environment, config.run.shards)
    check(config, configs)
    config.model = configs[0]
    if not config.run.name:
        config.run.name = _run_name(config, configs)
    return config, configs


def _model(config: Config, settings: Sequence[str]) -> ModelConfig:
    """Return one model; values that name another group are refused."""
    overrides = parse(settings)
    root = _composed("one_model", overrides.choices)
    model: ModelConfig = root["model"]
    apply(replace(config, model=model), overrides.values)
    return model


def _run_name(config: Config, models: Sequence[ModelConfig]) -> str:
    """Return the name of a run that was given none: its models and its data."""
    first, *others = [model.name for model in models]
    named = "-".join([first, *others])
    if len(named) > LONGEST_MODELS:
        named = f"{first}-and-{len(others)}-more"
    return f"{named}-{config.data.name}"


def _check_folder(temporary: str | None) -> None:
    """Raise ConfigError when the folder for temporary files is not there."""
    if temporary and not os.path.isdir(temporary):
        hint = "create it, or name an existing folder"
        raise ConfigError(f"IWR_TMP={temporary} is not a folder", hint=hint)


def _shard(environment: Environment, shards: int) -> int:
    """Return this process's slice of the tasks. An array of one shard is the user's own."""
    if shards == 1:
        return 0
    return environment.array_task or 0


def _composed(root: str, choices: list[str]) -> Any:
    """Return the dataclasses of a root config, for the caller alone. Raise ConfigError."""
    template = _template(root, tuple(choices))
    return copy.deepcopy(template)


@cache
def _template(root: str, choices: tuple[str, ...]) -> Any:
    """Return the settings of these choices. Raise ConfigError."""
    from hydra import compose, initialize_config_module
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    register()
    try:
        with initialize_config_module("iwr.configs", version_base="1.3"):
            composed = compose(root, overrides=list(choices))
            return OmegaConf.to_object(composed)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_one_line(error), hint=HINT) from error


def _of_today(arguments: Sequence[str], judged: bool) -> list[str]:
    """Return the settings; a retired judge is only the name of its results.

    Raise ConfigError where it would have to judge.
    """
    current = []
    for argument in arguments:
        key, _, name = argument.lstrip("+").partition("=")
        successor = RETIRED_JUDGES.get(name) if key == "judge" else None
        if successor and not judged:
            raise ConfigError(
                f"{argument}: the judge `{name}` was replaced by judge={successor}",
                hint=f"score, report, status and export still read its results with {argument}",
            )
        if successor:
            current += [f"judge={successor}", f"judge.name={name}"]
        else:
            current.append(argument)
    return current


def _one_line(error: Exception) -> str:
    words = str(error).split()
    return " ".join(words) or type(error).__name__
