"""One line of `data.jsonl`: what it may hold, and the message for a line that holds anything else.

This is the only reader that tolerates unknown fields, and it reports them. Types are checked
strictly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from iwr.errors import DataError
from iwr.records import Action, ActionType, Classification, Parameters

DESCRIBING_PARAMETERS = {
    ActionType.CLICK: ("description",),
    ActionType.TYPE: ("description", "text"),
    ActionType.PRESS: ("description", "key"),
}
"""Parameters of which one must be given; a Scroll needs none."""
SIDES = range(64, 8193)
"""CSS pixels that each side of a recording's viewport may have."""
QUOTED_CHARACTERS = 60
"""Of a faulty value, in a message."""
EXPECTED_TYPES = {
    "string_type": "text",
    "int_type": "a number or text",
    "bool_type": "true or false",
    "list_type": "a list of actions",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
}
"""Kind of pydantic error -> what belongs there."""


class LineError(DataError):
    """A line cannot be read at all."""


class Problem(NamedTuple):
    """One fault of a line. `step` counts from 1; None: the fault is not in an action."""

    step: int | None
    field: str
    message: str


# ---- the fields of a line --------------------------------------------------------------


class _Tolerant(BaseModel):
    """Part of a line: unknown fields are kept for a note, types are not converted."""

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        allow_inf_nan=False,
    )


def _number_as_text(value: object) -> object:
    """Accept numbers where text is expected: `"element_index": 3`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return str(value)
    return value


Text = Annotated[str | None, BeforeValidator(_number_as_text)]


class ParametersLine(_Tolerant):
    """What an action is done with. Exporters write null for what does not apply."""

    description: Text = None
    key: Text = None
    direction: Text = None
    scroll_page: Text = None
    text: Text = None
    element_index: Text = None

    def record(self) -> Parameters:
        """Return the parameters without those that are null."""
        values = self.model_dump(include=set(Parameters.model_fields), exclude_none=True)
        return Parameters(**values)


class ActionLine(_Tolerant):
    """One action, and what is checked after it."""

    type: Annotated[ActionType, Field(strict=False)]
    parameters: ParametersLine
    visual_evaluation_flag: bool | None = None
    logical_assertion: str | None = None
    checkpoint_screenshot: str | None = None

    def record(self) -> Action:
        """Return the action; a blank assertion is none."""
        assertion = self.logical_assertion or ""
        return Action(
            type=self.type,
            parameters=self.parameters.record(),
            visual_evaluation_flag=bool(self.visual_evaluation_flag),
            logical_assertion=assertion.strip() or None,
        )


class ClassificationLine(_Tolerant):
    """The place of a task in the benchmark's taxonomy."""

    interaction_complexity: str | None = None
    visual_complexity: str | None = None
    domain: str | None = None
    sub_domain: str | None = None

    def record(self) -> Classification:
        """Return the classification without unknown fields."""
        return Classification(**self.model_dump(include=set(Classification.model_fields)))


class RecordingLine(_Tolerant):
    """How the task was recorded."""

    resolution: Annotated[str, Field(pattern=r"^[0-9]{1,5}x[0-9]{1,5}$")]
    environment: str | None = None


class TaskLine(_Tolerant):
    """One task, as `data.jsonl` describes it."""

    id: int | str
    classification: ClassificationLine | None = None
    recording_details: RecordingLine
    source_website: str | None = None
    action_sequence: Annotated[list[ActionLine], Field(min_length=1)]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the viewport in CSS pixels."""
        width, height = self.recording_details.resolution.split("x")
        return int(width), int(height)


# ---- reading ---------------------------------------------------------------------------


def parse(raw: bytes) -> dict[str, Any]:
    """Return the JSON object on one line. Raises LineError with what is wrong and what to do."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
        )
        if rb"\ud" in raw.lower():
            json.dumps(value, ensure_ascii=False).encode()  # fails on half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise LineError(_reason(error)) from error
    if not isinstance(value, dict):
        raise LineError(
            f"found {_quoted(value)} where a task is expected; write one JSON object on each line"
        )
    return value


def _reason(error: ValueError | RecursionError) -> str:
    """Return what is wrong with a line, and what to do."""
    match error:
        case UnicodeEncodeError():
            return (
                "holds half of a surrogate pair (\\ud800 … \\udfff), "
                "which is not a character; remove it"
            )
        case UnicodeDecodeError():
            return f"byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8"
        case json.JSONDecodeError():
            return (
                f"broken JSON at column {error.colno}: {error.msg}; "
                "write one complete JSON object on each line"
            )
        case RecursionError():
            return "broken JSON: nested too deeply; write one plain task object on each line"
        case _:
            return f"broken JSON: {error}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of an object. Raises LineError for one that is there twice."""
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise LineError(f"the field {key!r} appears twice in one object; keep one")
        value[key] = item
    return value


def _refuse_constant(name: str) -> None:
    """Raise LineError for NaN and the infinities, which Python's reader would accept."""
    raise LineError(f"{name} is not JSON; use a number or null")


def problems(value: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong in a parsed line; nothing when it is a valid `TaskLine`."""
    try:
        line = TaskLine.model_validate(value)
    except ValidationError as error:
        yield from _type_problems(error)
        return
    width, height = line.size
    if width not in SIDES or height not in SIDES:
        limits = f"{SIDES[0]}..{SIDES[-1]} pixels a side"
        message = f"{width}x{height} is outside {limits}"
        yield Problem(None, "recording_details.resolution", message)
    for step, action in enumerate(line.action_sequence, 1):
        if not _is_described(action):
            message = f"{action.type} without a description: say in a sentence what to act on"
            yield Problem(step, "parameters.description", message)


def _type_problems(error: ValidationError) -> Iterator[Problem]:
    """Yield one problem for each field: `int | str` alone has an error for each type."""
    places = set()
    for details in error.errors():
        place = _place(details["loc"])
        if place in places:
            continue
        places.add(place)
        step, field = place
        yield Problem(step, field, _message(field, details))


def _is_described(action: ActionLine) -> bool:
    """Return whether an action has a parameter that says what is acted on."""
    names = DESCRIBING_PARAMETERS.get(action.type)
    if names is None:
        return True
    for name in names:
        text = getattr(action.parameters, name)
        if text and text.strip():
            return True
    return False


def unknown_fields(model: BaseModel, prefix: str = "") -> Iterator[str]:
    """Yield dotted names of ignored fields, e.g. `action_sequence.parameters.speed`."""
    for key in model.model_extra or {}:
        yield prefix + key
    for key in type(model).model_fields:
        items = getattr(model, key)
        if not isinstance(items, list):
            items = [items]
        for item in items:
            if isinstance(item, BaseModel):
                yield from unknown_fields(item, f"{prefix}{key}.")


# ---- messages --------------------------------------------------------------------------


def _place(loc: tuple[int | str, ...]) -> tuple[int | None, str]:
    """Return pydantic's location as (1-based step, field below the action)."""
    names = [part for part in loc if part not in ("int", "str")]
    match names:
        case ["action_sequence", int(index), *rest]:
            return index + 1, ".".join(map(str, rest)) or "action_sequence"
        case _:
            return None, ".".join(map(str, names))


def _message(field: str, error: ErrorDetails) -> str:
    """Return what is wrong with a field, from pydantic's error."""
    value = _quoted(error.get("input"))
    match error["type"]:
        case "missing":
            return "is missing; add it"
        case "enum":
            return f"unknown action type {value}; use {', '.join(ActionType)}"
        case "too_short":
            return "is empty; a task needs at least one action"
        case "string_pattern_mismatch":
            return (
                f"{value} is not a resolution; "
                "write WIDTHxHEIGHT with the letter x, such as 1920x1080"
            )
        case _ if field == "id":
            return f"must be a number or text, found {value}"
        case kind if kind in EXPECTED_TYPES:
            return f"must be {EXPECTED_TYPES[kind]}, found {value}"
        case _:
            return f"{error['msg']}, found {value}"


def _quoted(value: object) -> str:
    """Return a faulty value as JSON, cut to QUOTED_CHARACTERS."""
    text = json.dumps(
        value,
        ensure_ascii=True,
        default=str,
    )
    if len(text) <= QUOTED_CHARACTERS:
        return text
    return text[: QUOTED_CHARACTERS - 3] + "..."
