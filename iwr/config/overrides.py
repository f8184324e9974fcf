"""The settings of a command line: choices of config files, and values of single settings.

Hydra reads the choices alone. Values are put into the composed dataclasses as they are written, so
no character has a meaning of its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import is_dataclass
from importlib.resources import files
from typing import Any, NamedTuple

from iwr.config.schema import GROUPS, Config
from iwr.config.values import (
    Kind,
    Table,
    ValueFault,
    any_value,
    kinds_of,
    table_of,
    text_of,
    value_of,
)
from iwr.errors import ConfigError

HINT = "`iwr config` prints every setting and its value"


class Assignment(NamedTuple):
    """One value of one setting; without a text, the entry is removed from its table."""

    key: str
    text: str | None

    def __str__(self) -> str:
        if self.text is None:
            return f"~{self.key}"
        return f"{self.key}={self.text}"

    @property
    def is_choice(self) -> bool:
        """Tell whether it chooses config files, which Hydra finds."""
        if self.text is None:
            return False
        return self.key in GROUPS or "@" in self.key


class Overrides(NamedTuple):
    """A command line, sorted by who applies it."""

    choices: list[str]  # config files, for Hydra: "model=oracle"
    values: list[Assignment]


def parse(arguments: Sequence[str]) -> Overrides:
    """Sort the settings of a command line. Raise ConfigError, naming the nearest valid choice."""
    choices = []
    values = []
    for argument in arguments:
        assignment = assignment_of(argument)
        key, text = assignment
        if text is None:
            values.append(assignment)
        elif assignment.is_choice:
            _check_choice(key, text)
            choices.append(f"{key}={text}")
        else:
            values.append(assignment)
    return Overrides(choices, values)


def assignment_of(argument: str) -> Assignment:
    """Read `key=text`, `+key=text` or `~key`. Raise ConfigError for anything else."""
    if not _is_unicode(argument):
        raise ConfigError(f"{argument!r}: is not valid UTF-8", hint="rename the file or folder")
    if argument.startswith("~"):
        key = argument[1:].removesuffix("=null")
        return Assignment(key, None)
    key, equals, text = argument.lstrip("+").partition("=")
    if not equals:
        raise ConfigError(f"{argument}: a setting is written key=value", hint=HINT)
    return Assignment(key, text)


def _is_unicode(text: str) -> bool:
    """Return whether a text can be written; bytes of another encoding cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def config_names(group: str) -> list[str]:
    """Return the names of a group's config files."""
    folder = files("iwr.configs") / group
    names = []
    for file in folder.iterdir():
        if file.name.endswith(".yaml"):
            names.append(file.name.removesuffix(".yaml"))
    return sorted(names)


def default_choices() -> dict[str, str]:
    """Return the config file of each group that is used unless another one is named."""
    from omegaconf import OmegaConf

    root = files("iwr.configs") / "config.yaml"
    config: Any = OmegaConf.create(root.read_text(encoding="utf-8"))
    choices = {}
    for entry in config.defaults:
        if not isinstance(entry, str):
            choices.update(entry)
    return choices


def _check_choice(group: str, name: str) -> None:
    """Raise ConfigError when a group has no such config file; Hydra checks those with an `@`."""
    if group not in GROUPS:
        return
    names = config_names(group)
    if name not in names:
        choices = ", ".join(names)
        raise ConfigError(f"{group}={name}: choose {choices}", hint=nearest(name, names))


def nearest(name: str, choices: Sequence[str]) -> str | None:
    """Return a hint that names the choice nearest to a name; None when none is near."""
    for match in difflib.get_close_matches(name, choices, n=1):
        return f"did you mean {match}?"
    return None


# ---- values into the dataclasses ----------------------------------------------------------------


class Place(NamedTuple):
    """Where a key leads: to a setting, or to an entry of a setting that is a table."""

    node: Any  # dataclass that holds the setting
    name: str
    kind: Kind
    entry: list[str]  # keys in the table, the outermost first


def apply(config: object, assignments: Sequence[Assignment]) -> None:
    """Set the values in a composed config. Raise ConfigError."""
    for assignment in assignments:
        try:
            _assign(config, assignment)
        except ValueFault as fault:
            raise ConfigError(f"{assignment}: {fault}", hint=HINT) from fault


def _assign(config: object, assignment: Assignment) -> None:
    """Set one value. Raise ConfigError for an unknown key, ValueFault for a wrong value."""
    key, text = assignment
    place = _place(config, key)
    node, name, kind, entry = place
    old = getattr(node, name)
    if text is None:
        _remove(place, key)
    elif entry:
        _assign_entry(old, place, text)
    elif is_dataclass(kind.base):
        _assign_all(config, key, text)
    else:
        new = value_of(text, kind)
        setattr(node, name, _merged(old, new))


def _place(config: object, key: str) -> Place:
    """Return where a key leads. Raise ConfigError, or ValueFault below what is not chosen."""
    node = config
    path = key.split(".")
    for depth, name in enumerate(path):
        kinds = kinds_of(type(node))
        if name not in kinds:
            raise _unknown(key, path[:depth], kinds)
        kind = kinds[name]
        entry = path[depth + 1 :]
        if not entry or kind.base is dict:
            return Place(node, name, kind, entry)
        node = getattr(node, name)
        if node is None:
            raise ValueFault(f"there is no {name} here; choose one first, as in judge=model")
    raise AssertionError("a key has at least one word")


def _assign_all(config: object, group: str, text: str) -> None:
    """Set several settings at once: `model.sampling={top_k: 20}`."""
    for name, value in table_of(text).items():
        assignment = Assignment(f"{group}.{name}", text_of(value))
        _assign(config, assignment)


def _assign_entry(table: Table, place: Place, text: str) -> None:
    """Set an entry of a table whose keys another program knows."""
    *outer, name = place.entry
    for key in outer:
        table = table.setdefault(key, {})
    new = text if place.kind.of_texts else any_value(text)
    table[name] = _merged(table.get(name), new)


def _remove(place: Place, key: str) -> None:
    """Remove an entry of a table. Raise ConfigError where there is none."""
    if not place.entry:
        raise _unknown(key)
    *outer, name = place.entry
    table = getattr(place.node, place.name)
    for word in outer:
        table = table.get(word, {})
    if name not in table:
        *prefix, _ = key.split(".")
        raise _unknown(key, prefix, table)
    del table[name]


def _merged(old: Any, new: Any) -> Any:
    """Return a table with the entries of both, the new ones first; other values are replaced."""
    if not isinstance(old, dict):
        return new
    if not isinstance(new, dict):
        return new
    table = dict(old)
    for key, value in new.items():
        table[key] = _merged(old.get(key), value)
    return table


def _unknown(key: str, prefix: Sequence[str] = (), siblings: Iterable[str] = ()) -> ConfigError:
    """Return the error for a key that no schema has, with the nearest that there is."""
    keys = _all_keys()
    for name in siblings:
        words = [*prefix, name]
        keys.append(".".join(words))
    hint = nearest(key, keys) or HINT
    return ConfigError(f"{key}: there is no such setting", hint=hint)


def _all_keys() -> list[str]:
    """Return the keys of all settings."""
    keys = ["models", *GROUPS]
    for group, kind in kinds_of(Config).items():
        for name in kinds_of(kind.base):
            keys.append(f"{group}.{name}")
    return keys
