"""One line of `data.jsonl`: what it may hold, and what is said about a line that holds something else.

The only reader that tolerates unknown fields (it reports them); every type is checked strictly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from iwr.errors import DataError
from iwr.records import Action, ActionType, Classification, Parameters

SAYS_WHAT = {  # parameters of which one must be given; a Scroll may say nothing
    ActionType.CLICK: ("description",),
    ActionType.TYPE: ("description", "text"),
    ActionType.PRESS: ("description", "key"),
}
SIDES = range(64, 8193)  # CSS pixels a recording's viewport may have


class LineError(DataError):
    """A line cannot be read at all."""


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


def _text(value: Any) -> Any:
    """Numbers are welcome where text is asked for: `"element_index": 3`."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str | None, BeforeValidator(_text)]


class ParametersLine(_Tolerant):
    description: Text = None
    key: Text = None
    direction: Text = None
    scroll_page: Text = None
    text: Text = None
    element_index: Text = None


class ActionLine(_Tolerant):
    type: Annotated[ActionType, Field(strict=False)]
    parameters: ParametersLine
    visual_evaluation_flag: bool | None = None
    logical_assertion: str | None = None
    checkpoint_screenshot: str | None = None

    def action(self) -> Action:
        given = {
            key: value
            for key in Parameters.model_fields
            if (value := getattr(self.parameters, key)) is not None
        }
        return Action(
            type=self.type,
            parameters=Parameters(**given),
            visual_evaluation_flag=bool(self.visual_evaluation_flag),
            logical_assertion=(self.logical_assertion or "").strip() or None,
        )


class ClassificationLine(_Tolerant):
    interaction_complexity: str | None = None
    visual_complexity: str | None = None
    domain: str | None = None
    sub_domain: str | None = None

    def record(self) -> Classification:
        return Classification(**{key: getattr(self, key) for key in Classification.model_fields})


class RecordingLine(_Tolerant):
    resolution: Annotated[str, Field(pattern=r"^[0-9]{1,5}x[0-9]{1,5}$")]
    environment: str | None = None


class Line(_Tolerant):
    id: int | str
    classification: ClassificationLine | None = None
    recording_details: RecordingLine
    source_website: str | None = None
    action_sequence: Annotated[list[ActionLine], Field(min_length=1)]

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.recording_details.resolution.split("x")
        return int(width), int(height)


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object on one line. Raises LineError saying what is wrong and what to do."""
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
        if rb"\ud" in raw.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is not text
    except UnicodeEncodeError as error:
        raise LineError(
            "holds half of a surrogate pair (\\ud800 … \\udfff), which is not a character; remove it"
        ) from error
    except UnicodeDecodeError as error:
        raise LineError(
            f"byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        raise LineError(
            f"broken JSON at column {error.colno}: {error.msg}; write one complete JSON object on each line"
        ) from error
    except RecursionError as error:
        raise LineError(
            "broken JSON: nested too deeply; write one plain task object on each line"
        ) from error
    if not isinstance(value, dict):
        raise LineError(
            f"found {_shown(value)} where a task is expected; write one JSON object on each line"
        )
    return value


def problems(value: dict[str, Any]) -> Iterator[tuple[int | None, str, str]]:
    """What is wrong in a parsed line: (step or None, field, message). Nothing when it is a valid `Line`."""
    try:
        line = Line.model_validate(value)
    except ValidationError as error:
        seen = set()
        for found in error.errors():
            step, field = _place(found["loc"])
            if (step, field) not in seen:  # `int | str` gives one error for each type
                seen.add((step, field))
                yield step, field, _message(field, dict(found))
        return
    if not all(side in SIDES for side in line.size):
        yield (
            None,
            "recording_details.resolution",
            f"{line.size[0]}x{line.size[1]} is outside {SIDES[0]}..{SIDES[-1]} pixels a side",
        )
    for step, action in enumerate(line.action_sequence, 1):
        given = [getattr(action.parameters, name) for name in SAYS_WHAT.get(action.type, ())]
        if given and not any((text or "").strip() for text in given):
            yield (
                step,
                "parameters.description",
                f"{action.type} without a description: say in a sentence what to act on",
            )


def unknown_fields(model: BaseModel, prefix: str = "") -> Iterator[str]:
    """Dotted names of the fields that this reader does not know, e.g. `action_sequence.parameters.speed`."""
    for key in model.model_extra or {}:
        yield prefix + key
    for key in type(model).model_fields:
        value = getattr(model, key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, BaseModel):
                yield from unknown_fields(item, f"{prefix}{key}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise LineError(f"the field {repeated!r} appears twice in one object; keep one")
    return value


def _no_constant(name: str) -> None:
    raise LineError(f"{name} is not JSON; use a number or null")


def _place(loc: tuple[int | str, ...]) -> tuple[int | None, str]:
    """Pydantic's location as (1-based step, field below the action)."""
    names = [part for part in loc if part not in ("int", "str")]
    if len(names) > 1 and names[0] == "action_sequence":
        return int(names[1]) + 1, ".".join(map(str, names[2:])) or "action_sequence"
    return None, ".".join(map(str, names))


EXPECTED = {
    "string_type": "text",
    "int_type": "a number or text",
    "bool_type": "true or false",
    "list_type": "a list of actions",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
}


def _message(field: str, error: dict[str, Any]) -> str:
    kind, value = error["type"], error.get("input")
    if kind == "missing":
        return "is missing; add it"
    if kind == "enum":
        return f"unknown action type {_shown(value)}; use {', '.join(ActionType)}"
    if kind == "too_short":
        return "is empty; a task needs at least one action"
    if kind == "string_pattern_mismatch":
        return f"{_shown(value)} is not a resolution; write WIDTHxHEIGHT with the letter x, such as 1920x1080"
    expected = "a number or text" if field == "id" else EXPECTED.get(kind)
    return (
        f"must be {expected}, found {_shown(value)}"
        if expected
        else f"{error['msg']}, found {_shown(value)}"
    )


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
