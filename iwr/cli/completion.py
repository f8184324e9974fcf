"""Tab completion: commands by argcomplete, settings from the config groups and their schemas.

Nothing is composed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, fields
from typing import Any

from iwr.cli.arguments import Command
from iwr.config import GROUPS, RunConfig
from iwr.config.fields import mark_of
from iwr.config.overrides import config_names
from iwr.errors import ConfigError

SHELLS = ("bash", "zsh")
COMMON = ("models", "model.path", "data.root", "data.tasks", "server.url")
"""Keys that are offered before a dot is typed, beside the groups and `run.*`."""

PATHS = {
    "data.root",
    "model.path",
    "judge.model.path",
    "run.root",
    "run.cache",
    "browser.executable",
    "page",
    "script",
    "out",
    "from",
    "to",
}


def script(shell: str) -> str:
    """Return what the shell must read, e.g. `source <(iwr completion bash)`.

    Raise ConfigError for other shells.
    """
    if shell not in SHELLS:
        raise ConfigError(
            f"no completion for {shell or 'no shell'}",
            hint=f"choose {' or '.join(SHELLS)}: iwr completion bash",
        )
    from argcomplete.shell_integration import shellcode

    return shellcode(["iwr"], shell=shell)


def completions(prefix: str, name: str, command: Command) -> list[str]:
    """Return what `prefix`, the word before the cursor, may become after a command's name."""
    if name == "completion":
        return list(SHELLS)
    key, equals, value = prefix.partition("=")
    if equals:
        return [f"{key}={choice}" for choice in _choices(key, value)]
    keys = list(command.keys)
    if command.configured:
        keys += _keys(dotted="." in prefix)
    return [f"{key}=" for key in keys if key.startswith(prefix)]


def _keys(*, dotted: bool) -> list[str]:
    """Return the settings that are offered, all of them only after a dot."""
    run = _keys_of("run", RunConfig)
    if not dotted:
        return [*GROUPS, *COMMON, *run]
    keys = [*run, *_keys_of("judge.model", GROUPS["model"])]
    for group, schema in GROUPS.items():
        keys += _keys_of(group, schema)
    return keys


def _keys_of(group: str, schema: type) -> list[str]:
    """Return the keys of the settings below a group."""
    return [f"{group}.{field.name}" for field in fields(schema)]


def _choices(key: str, value: str) -> Iterable[str]:
    """Return the complete values that may follow `key=`, given its beginning."""
    if key in GROUPS:
        return config_names(key)
    if key == "models" and value.startswith("["):
        return _model_lists(value)
    if key in PATHS:
        from argcomplete.completers import FilesCompleter

        return FilesCompleter()(value)
    declared = _declared(key)
    if declared is None:
        return ()
    return ("true", "false") if declared.type == "bool" else mark_of(declared).limits.choices


def _model_lists(value: str) -> list[str]:
    """Return the lists of models that a list such as `[oracle,de` may become."""
    before, _, _ = value[1:].rpartition(",")
    models = before.split(",") if before else []
    lists = []
    for name in config_names("model"):
        if name not in models:
            lists.append("[" + ",".join([*models, name]))
    return lists


def _declared(key: str) -> Field[Any] | None:
    """Return the field of the schema that a key means; None when there is none."""
    group, _, name = key.removeprefix("judge.").partition(".")
    if key.startswith("judge.") and not name:
        group, name = "judge", group
    schema = RunConfig if group == "run" else GROUPS.get(group)
    if schema is None:
        return None
    return next((declared for declared in fields(schema) if declared.name == name), None)
