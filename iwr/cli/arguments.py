"""What a command is, the settings that belong to it alone, and how it prints its result."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from iwr.errors import ConfigError


class Flag(NamedTuple):
    """An option of one command, such as `--by 0.02`."""

    name: str
    metavar: str  # "": it takes no value
    summary: str
    repeated: bool = False


class Command(NamedTuple):
    """One command of `iwr`."""

    function: Callable[[Namespace], int]  # takes the parsed command line, returns the exit code
    summary: str
    example: str
    keys: tuple[str, ...] = ()  # settings of this command alone
    configured: bool = True  # it takes the settings of configs/ as well
    flags: tuple[Flag, ...] = ()


def own_settings(options: Namespace, keys: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the settings with these keys by key, and the rest of the command line."""
    own = {}
    rest = []
    for setting in options.settings:
        key, equals, value = setting.partition("=")
        if equals and key in keys:
            own[key] = value
        else:
            rest.append(setting)
    return own, rest


def require(options: Namespace, own: dict[str, str], *keys: str) -> None:
    """Raise ConfigError, with the command's example, unless all `keys` have a value."""
    missing = [f"{key}=…" for key in keys if not own.get(key)]
    if missing:
        raise ConfigError(f"{options.command} needs {' '.join(missing)}", hint=options.example)


def print_result(options: Namespace, content: object, lines: Iterable[str]) -> None:
    """Print `content` as JSON where `--json` asks for it, else the lines for people."""
    if options.json:
        print(json.dumps(content, indent=1))
        return
    for line in lines:
        print(line)
