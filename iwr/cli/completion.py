"""Tab completion: of commands by argcomplete, of settings from the config groups and their schemas. Nothing is composed."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import fields
from importlib.resources import files

from iwr.config import GROUPS, RunConfig
from iwr.errors import ConfigError

SHELLS = ("bash", "zsh")
COMMON = (
    "models",
    "model.path",
    "data.root",
    "data.tasks",
    "server.url",
)  # offered before a dot is typed, beside groups and run.*
OWN = {
    "compare": ("judge", "protocol"),
    "record": ("page", "script", "out", "id", "pace", "seed"),
    "import": ("from", "contestant"),
    "export": ("to",),
}
PATHS = (
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
)
VALUES = {
    "run.on_change": ("stop", "overwrite"),
    "model.over_context": ("error", "degrade"),
    "model.video": ("native", "frames"),
}


def script(shell: str) -> str:
    """What the shell must read, e.g. `source <(iwr completion bash)`. Raises ConfigError for other shells."""
    if shell not in SHELLS:
        raise ConfigError(
            f"no completion for {shell or 'no shell'}",
            hint=f"choose {' or '.join(SHELLS)}: iwr completion bash",
        )
    from argcomplete import shellcode

    return shellcode(["iwr"], shell=shell)


def settings(prefix: str, parsed_args: Namespace, **_: object) -> list[str]:
    """What `prefix`, the word before the cursor, may become. The signature is argcomplete's."""
    command = parsed_args.command
    if command == "completion":
        return list(SHELLS)
    key, equals, value = prefix.partition("=")
    if not equals:
        known = [
            *OWN.get(command, ()),
            *([] if command in ("compare", "record") else _keys(dotted="." in prefix)),
        ]
        return [f"{name}=" for name in known if name.startswith(prefix)]
    return [f"{key}={choice}" for choice in _choices(key, value)]


def _keys(*, dotted: bool) -> list[str]:
    run = [f"run.{key.name}" for key in fields(RunConfig)]
    if not dotted:
        return [*GROUPS, *COMMON, *run]
    groups = [
        f"{group}.{key.name}"
        for group, schema in GROUPS.items()
        for key in fields(schema)
        if key.name != "name"
    ]
    return [*groups, *(f"judge.model.{key.name}" for key in fields(GROUPS["model"])), *run]


def _choices(key: str, value: str) -> Iterator[str]:
    """What may stand after `key=`, whole."""
    if key in GROUPS:
        yield from _names(key)
    elif key == "models" and value.startswith("["):
        before, comma, _ = value.rpartition(",")
        chosen = value.strip("[]").split(",")[:-1]
        yield from (
            f"{before}{comma or '['}{name}" for name in _names("model") if name not in chosen
        )
    elif key in PATHS:
        from argcomplete.completers import FilesCompleter

        yield from FilesCompleter()(value)
    elif key in VALUES:
        yield from VALUES[key]
    elif _is_switch(key):
        yield from ("true", "false")


def _names(group: str) -> list[str]:
    return sorted(
        file.name.removesuffix(".yaml")
        for file in (files("iwr.configs") / group).iterdir()
        if file.name.endswith(".yaml")
    )


def _is_switch(key: str) -> bool:
    group, _, name = key.removeprefix("judge.").partition(".")
    schema = RunConfig if group == "run" else GROUPS.get(group)
    return schema is not None and any(
        field.name == name and field.type == "bool" for field in fields(schema)
    )
