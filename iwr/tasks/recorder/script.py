"""The action script of `iwr record`: what the person in the recording does, as a YAML file.

resolution: 1280x720
source_website: film-rating
classification: {domain: Entertainment, sub_domain: Movies, interaction_complexity: medium, visual_complexity: low}
actions:
- type: Type
  target: "#q"                    # CSS selector of the element acted on
  text: night
  description: Type 'night' into the search box at the top.
- type: Press
  key: Enter                      # Playwright's names; Control+Enter for several keys at once
  description: Press Enter to submit the search.
  checkpoint: true                # keep a screenshot of the state after this action
  assertion: The heading 'Night Circuit' appears.
- type: Scroll
  direction: down                 # or up; with a target that element is scrolled, else the window
  pages: 1.5                      # how far, in viewport heights; 0.5 when not given
  description: Scroll down to the reviews.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from iwr.errors import DataError
from iwr.records import ActionType, Classification, Record

NEEDS = {
    ActionType.CLICK: {"target": "the CSS selector of the element to click"},
    ActionType.TYPE: {"target": "the CSS selector of the field", "text": "what is typed"},
    ActionType.PRESS: {"key": "a key such as Enter, ArrowLeft or Control+Enter"},
    ActionType.SCROLL: {"direction": "down or up"},
}


class ScriptAction(Record):
    type: ActionType
    description: str = Field(min_length=1)
    target: str | None = Field(None, min_length=1)
    text: str | None = Field(None, min_length=1)
    key: str | None = Field(None, min_length=1)
    direction: Literal["down", "up"] | None = None
    pages: float | None = Field(None, gt=0, le=50)
    checkpoint: bool = False
    assertion: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> ScriptAction:
        allowed = set(NEEDS[self.type]) | (
            {"target", "pages"} if self.type is ActionType.SCROLL else set()
        )
        for field, what in NEEDS[self.type].items():
            if getattr(self, field) is None:
                raise ValueError(f"{self.type} needs `{field}`: {what}")
        for field in ("target", "text", "key", "direction", "pages"):
            if field not in allowed and getattr(self, field) is not None:
                raise ValueError(f"{self.type} has no `{field}`; remove it")
        return self


class Script(Record):
    """A checked action script. `width` and `height` are the viewport of the recording in CSS pixels."""

    resolution: str = Field("1280x720", pattern=r"^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$")
    source_website: str | None = None
    classification: Classification = Classification()
    actions: tuple[ScriptAction, ...] = Field(min_length=1)

    @field_validator("resolution")
    @classmethod
    def _even(cls, resolution: str) -> str:
        if any(int(side) % 2 for side in resolution.split("x")):
            raise ValueError(
                f"{resolution}: both sides must be even, or the video cannot be encoded"
            )
        return resolution

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.resolution.split("x")
        return int(width), int(height)


def read_script(path: Path) -> Script:
    """The script in the YAML (or JSON) file at `path`. Raises DataError naming file, line and field of the first fault."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        value, tree = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}", hint="give the path of the action script"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start + 1} is not UTF-8", hint="save the script as UTF-8"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        raise DataError(
            f"{path}{where}: not valid YAML: {getattr(error, 'problem', error)}",
            hint="correct the line",
        ) from error
    if not isinstance(value, dict):
        raise DataError(
            f"{path}: must be a mapping with the key `actions`",
            hint="`iwr.tasks.recorder.script` shows an example",
        )
    try:
        return Script.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        line, field = _line_of(tree, first["loc"]), _named(first["loc"])
        raise DataError(
            f"{path}:{line}: {field}: {_wording(dict(first))}",
            hint="`iwr.tasks.recorder.script` shows a complete script",
        ) from error


def _line_of(node: Any, loc: tuple[int | str, ...]) -> int:
    """1-based line of the deepest part of `loc` that stands in the file."""
    line = node.start_mark.line + 1
    for part in loc:
        if isinstance(part, int) and isinstance(node.value, list) and part < len(node.value):
            node = node.value[part]
        else:
            pairs = node.value if isinstance(node.value, list) and not isinstance(part, int) else []
            found = [value for key, value in pairs if key.value == part]
            if not found:
                return line
            node = found[0]
        line = node.start_mark.line + 1
    return line


def _named(loc: tuple[int | str, ...]) -> str:
    match loc:
        case ("actions", int(index), *rest):
            return " ".join(["action", str(index + 1), *map(str, rest)])
        case _:
            return " ".join(map(str, loc)) or "script"


def _wording(error: dict[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            return f"unknown key; known are {', '.join(ScriptAction.model_fields if 'actions' in error['loc'] else Script.model_fields)}"
        case "string_pattern_mismatch":
            return f"{error['input']!r} is not WIDTHxHEIGHT, such as 1280x720"
        case "enum" | "literal_error":
            return f"{error['input']!r} is unknown; use {error['ctx']['expected']}"
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            return f"{error['msg']}, found {error['input']!r}"
