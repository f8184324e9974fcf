"""Read an action script; of a faulty one, name file, line and field of the first fault."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pydantic import ValidationError

from iwr.errors import DataError
from iwr.tasks.recorder.script import Script, ScriptAction

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from yaml import Node, YAMLError

EXAMPLE = "`iwr.tasks.recorder.script` shows a complete script"

Location = tuple[int | str, ...]
"""Keys and indices that lead to a value, as pydantic gives them."""


def read_script(path: Path) -> Script:
    """Return the script in the YAML (or JSON) file at `path`. Raises DataError."""
    import yaml

    text = _read_text(path)
    try:
        value = yaml.safe_load(text)
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        _refuse_yaml(path, error)
    if not isinstance(value, dict):
        message = f"{path}: must be a mapping with the key `actions`"
        raise DataError(message, hint=EXAMPLE)
    try:
        return Script.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        location = first["loc"]
        line = _line(tree, location)
        field = _field_name(location)
        message = f"{path}:{line}: {field}: {_message(first)}"
        raise DataError(message, hint=EXAMPLE) from error


def _read_text(path: Path) -> str:
    """Return the text of a script. Raise DataError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise DataError(message, hint="give the path of the action script") from error
    except UnicodeDecodeError as error:
        message = f"{path}: byte {error.start + 1} is not UTF-8"
        raise DataError(message, hint="save the script as UTF-8") from error


def _refuse_yaml(path: Path, error: YAMLError) -> NoReturn:
    """Raise DataError with the place of the fault."""
    place = str(path)
    mark = getattr(error, "problem_mark", None)
    if mark:
        place = f"{path}:{mark.line + 1}"
    problem = getattr(error, "problem", error)
    message = f"{place}: not valid YAML: {problem}"
    raise DataError(message, hint="correct the line") from error


def _line(node: Node | None, location: Location) -> int:
    """Return the 1-based line of the deepest part of `location` that the file has."""
    line = 1
    for part in location:
        if node is None:
            break
        line = node.start_mark.line + 1
        node = _child(node, part)
    return line if node is None else node.start_mark.line + 1


def _child(node: Node, part: int | str) -> Node | None:
    """Return the value of a key or index, None when the file does not have it."""
    from yaml import MappingNode, SequenceNode

    if isinstance(node, SequenceNode) and isinstance(part, int):
        items: list[Node] = node.value
        return items[part] if part < len(items) else None
    if isinstance(node, MappingNode):
        children: dict[str, Node] = {key.value: value for key, value in node.value}
        return children.get(str(part))
    return None


def _field_name(location: Location) -> str:
    """Return a name such as `action 2 target`; actions count from 1."""
    names = list(map(str, location))
    match location:
        case ("actions", int(index), *_):
            names[:2] = ["action", str(index + 1)]
    return " ".join(names) or "script"


def _message(error: ErrorDetails) -> str:
    """Return what is wrong and what to do."""
    value = error["input"]
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            keys = _known_keys(error["loc"])
            return f"unknown key; known are {', '.join(keys)}"
        case "string_pattern_mismatch":
            return f"{value!r} is not WIDTHxHEIGHT, such as 1280x720"
        case "enum" | "literal_error":
            return f"{value!r} is unknown; use {context['expected']}"
        case "value_error":
            return str(context["error"])
        case _:
            return f"{error['msg']}, found {value!r}"


def _known_keys(location: Location) -> list[str]:
    """Return the keys that are known at a place of the script."""
    from iwr.contract.schema import DialogAnswer

    if "dialog" in location:
        return list(DialogAnswer.model_fields)
    if "actions" in location:
        return list(ScriptAction.model_fields)
    return list(Script.model_fields)
