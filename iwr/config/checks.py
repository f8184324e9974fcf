"""What must hold for the settings of a command before it does anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass

from iwr.config.environment import Environment
from iwr.config.fields import mark_of
from iwr.config.overrides import nearest
from iwr.config.schema import GROUPS, Config, JudgeConfig, ModelConfig
from iwr.errors import ConfigError
from iwr.repeats import model_of


def check(config: Config, models: Sequence[ModelConfig]) -> None:
    """Raise ConfigError for the first value outside its limits or choices, or not given."""
    for group in (*GROUPS, "run"):
        if group != "model":
            settings = getattr(config, group)
            _check_limits(group, settings)
    for model in models:
        _check_limits("model", model)
    for key in _missing(config, models):
        raise ConfigError(f"{key} must be given", hint=f"add {key}=… to the command")
    _check_names(models)
    _check_forms(models)
    _check_shard(config)


def _check_limits(prefix: str, settings: object) -> None:
    """Check the settings of a group, and those of the groups inside it."""
    if not is_dataclass(settings):
        return
    for declared in fields(settings):
        key = f"{prefix}.{declared.name}"
        value = getattr(settings, declared.name)
        limits = mark_of(declared).limits
        fault = limits.fault(value)
        if fault:
            text = _text(value)
            raise ConfigError(f"{key}={text}: {fault}", hint=nearest(text, limits.choices))
        _check_limits(key, value)


def _text(value: object) -> str:
    """Return a value as people write it: 86400, not 86400.0."""
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _missing(config: Config, models: Sequence[ModelConfig]) -> Iterator[str]:
    """Yield the keys of settings without a sensible default that are not given."""
    data = config.data
    server = config.server
    if data.name != "samples" and not data.root:
        yield "data.root"
    if server.kind == "external" and not server.url:
        yield "server.url"
    yield from _missing_of_judge(config.judge)
    for model in models:
        has_files = model.kind in ("vllm", "transformers", "directory")
        if has_files and not model.path:
            yield "model.path"


def _missing_of_judge(judge: JudgeConfig) -> Iterator[str]:
    """Yield the keys that are needed and not set."""
    has_model = judge.model is not None and bool(judge.model.path)
    if judge.kind == "model" and not has_model:
        yield "judge.model.path"
    if judge.kind == "replay" and not judge.replays:
        yield "judge.replays"


def _check_names(models: Sequence[ModelConfig]) -> None:
    """Raise ConfigError when there is no model, or two with the same name."""
    names = [model.name for model in models]
    distinct = sorted(set(names))
    repeated = [name for name in distinct if names.count(name) > 1]
    if models and not repeated:
        return
    problem = ", ".join(repeated) or "empty list"
    hint = "name each model once, as in models=[oracle,blank]"
    raise ConfigError(f"models: {problem}", hint=hint)


def _check_forms(models: Sequence[ModelConfig]) -> None:
    """Raise ConfigError for a name that belongs to a repeat of a model.

    The scores under it would count as that model's.
    """
    for model in models:
        name = model.name
        if model_of(name) != name:
            raise ConfigError(
                f"model.name={name}: names of this form are those of repeats",
                hint="choose another name",
            )


def _check_shard(config: Config) -> None:
    """Raise ConfigError for a shard that is not the run's."""
    shard = config.run.shard or 0
    shards = config.run.shards
    if 0 <= shard < shards:
        return
    valid = f"0..{shards - 1}"
    if shard != Environment.read().array_task:
        raise ConfigError(f"run.shard={shard} is not in {valid}")
    raise ConfigError(
        f"SLURM_ARRAY_TASK_ID={shard} is not in {valid}, the shards of this run",
        hint=f"submit the job with --array=0-{shards - 1}, or set run.shard",
    )
