"""From the text after `key=` to a value of the setting's type. Text is taken as it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

Table = dict[str, Any]
"""Options of another program, which knows their names and types."""

ELEMENT = re.compile(r"""\s*("[^"]*"|'[^']*'|[^,]*?)\s*,""")
"""One element of a list and the comma after it; quotes around an element keep a comma."""

WORDS = {"true": True, "false": False, "none": None}
NO_TABLE = "must be a table such as {key: value}"


class ValueFault(ValueError):
    """A text is no value of the type: the message says what it must be."""


class Kind(NamedTuple):
    """The type of a setting."""

    base: type  # str, bool, int, float, list, dict, or the schema of a group
    of_texts: bool  # a dict whose values are texts
    optional: bool  # may be null


def kinds_of(schema: type) -> dict[str, Kind]:
    """Return the types of a schema's settings by name."""
    kinds = {}
    for name, hint in get_type_hints(schema).items():
        kinds[name] = _kind(hint)
    return kinds


def _kind(hint: Any) -> Kind:
    """Return the kind of value that a type hint allows."""
    arguments = get_args(hint)
    if NoneType in arguments:
        inner, _ = arguments  # written `type | None`
        return _kind(inner)._replace(optional=True)
    of_texts = arguments == (str, str)
    return Kind(get_origin(hint) or hint, of_texts, optional=False)


def value_of(text: str, kind: Kind) -> Any:
    """Return `text` as a value of a setting that is no group. Raise ValueFault."""
    if kind.optional and text == "null":
        return None
    if kind.of_texts:
        return _texts(table_of(text))
    reader = READERS[kind.base]
    return reader(text)


def _switch(text: str) -> bool:
    """Return a truth value. Raise ValueFault for any other text."""
    word = text.lower()
    if word not in ("true", "false"):
        raise ValueFault("must be true or false")
    return word == "true"


def _whole_number(text: str) -> int:
    """Return a whole number. Raise ValueFault for any other text."""
    try:
        return int(text)
    except ValueError as error:
        raise ValueFault("must be a whole number") from error


def _number(text: str) -> float:
    """Return a number. Raise ValueFault for any other text."""
    try:
        return float(text)
    except ValueError as error:
        raise ValueFault("must be a number") from error


def list_of(text: str) -> list[str]:
    """Return the elements of a list such as `[a,"b, c"]`. One value alone is a list of one."""
    is_list = text.startswith("[") and text.endswith("]")
    if not is_list and "," in text:
        raise ValueFault(f"must be a list: [{text}]")
    if not is_list:
        return [text]
    inside = text[1:-1] + ","
    elements = []
    for element in ELEMENT.findall(inside):
        if element:
            elements.append(_without_quotes(element))
    return elements


def _without_quotes(text: str) -> str:
    """Return a text without its pair of quotes."""
    for quote in ("'", '"'):
        is_quoted = text.startswith(quote) and text.endswith(quote)
        if is_quoted and len(text) > 1:
            return text[1:-1]
    return text


def table_of(text: str) -> Table:
    """Return a table such as `{a: 1, b: {c: x}}`, in JSON, Hydra's grammar or YAML.

    Raise ValueFault.
    """
    value = any_value(text)
    if not isinstance(value, dict):
        raise ValueFault(NO_TABLE)
    return value


def any_value(text: str) -> Any:
    """Return a value of another program's option: JSON, a table or a list, else text.

    Tables and lists may be written as for Hydra, `{a:1}`, or in YAML, `{a: 1}`.
    """
    try:
        return json.loads(text)
    except ValueError:
        pass
    if text.startswith(("{", "[")):
        return _table_or_list(text)
    return WORDS.get(text.lower(), text)


def _table_or_list(text: str) -> Any:
    """Return what a text in Hydra's grammar says."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    try:
        override = parser.parse_override(f"key={text}")
    except HydraException:  # for example a space or a # inside a text
        return _yaml(text)
    return override.value()


def _yaml(text: str) -> Any:
    """Return what a text in YAML says. Raise ValueFault."""
    from omegaconf import OmegaConf
    from yaml import YAMLError

    try:
        node = OmegaConf.create(text)
        return OmegaConf.to_container(node)
    except YAMLError as error:
        raise ValueFault(f"{NO_TABLE}, or a list such as [a,b]") from error


def text_of(value: Any) -> str:
    """Return the text that stands for a value on a command line."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _texts(table: Table) -> dict[str, str]:
    """Return a table for a program that takes texts alone, such as environment variables."""
    texts = {}
    for key, value in table.items():
        texts[key] = text_of(value)
    return texts


READERS: dict[type, Callable[[str], Any]] = {
    str: str,
    bool: _switch,
    int: _whole_number,
    float: _number,
    list: list_of,
    dict: table_of,
}
"""What makes a value of a type from its text."""
