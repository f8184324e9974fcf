"""The action script of `iwr record`: what the person in the recording does, as a YAML file.

resolution: 1280x720
source_website: film-rating
classification: {domain: Entertainment, sub_domain: Movies, interaction_complexity: medium}
actions:
- type: Type
  target: "#q"                    # selector of the element acted on
  text: night                     # replaces what the field holds; `clear: false` adds to it
  description: Type 'night' into the search box at the top.
- type: Press
  key: Enter                      # Playwright's names; Control+Enter for several keys at once
  count: 1                        # how often
  description: Press Enter to submit the search.
  checkpoint: true                # keep a screenshot of the state after this action
  assertion: The heading 'Night Circuit' appears.
- type: Scroll
  direction: down                 # up, left, right; with a target over that element
  pages: 1.5                      # how far, in viewport heights (widths); 0.5 when not given
  description: Scroll down to the reviews.
- type: Click
  target: ".menu a"
  hover: .menu                    # hovered first, to reveal the target; or a list of selectors
  description: Hover over 'Menu' and click 'Log out'.
  dialog: {accept: true}          # answer to alert, confirm or prompt; a list for several
  expect:                         # what a judge checks; derived when not given, see iwr.contract
  - {kind: text_appears, text: Goodbye}

A Click may do something else than one click with the left button:

  count: 2                        # double click
  button: right                   # or middle
  hold: 1.5                       # press and hold, seconds
  hover_only: true                # only move the mouse there
  drag_to: "#done"                # press, move to the middle of that element, release
  drag_by: [120, 0]               # the same, by CSS pixels to the right and down
  option: Large                   # choose from a native list box
  file: photo.png                 # choose that file of assets/ in the dialog which the click opens
  at: [0.25, 0.5]                 # where in the target's box, (0, 0) is its top left corner

Without `dialog` an alert or confirm is answered with OK, a prompt with the text it already holds.

A selector is Playwright's, so it reaches into open shadow roots by itself. ` ||| ` steps into a
frame, as in "#payment ||| button". `:nth-match(CSS, 2)` picks one of several.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from iwr.contract.schema import DialogAnswer, Expectation
from iwr.records import ActionType, Classification, Record

REQUIRED = {
    ActionType.CLICK: {"target": "the selector of the element to click"},
    ActionType.TYPE: {"target": "the selector of the field", "text": "what is typed"},
    ActionType.PRESS: {"key": "a key such as Enter, ArrowLeft or Control+Enter"},
    ActionType.SCROLL: {"direction": "down, up, left or right"},
}
"""Type -> field -> what belongs there."""
GESTURES = ("hold", "hover_only", "drag_to", "drag_by", "option", "file")
"""A Click is at most one of these."""
OPTIONAL = {
    ActionType.CLICK: {"count", "button", "hover", "at", *GESTURES},
    ActionType.TYPE: {"clear", "hover"},
    ActionType.PRESS: {"count"},
    ActionType.SCROLL: {"target", "pages"},
}
SCROLLED_PAGES = 0.5
"""Viewport heights (or widths) where the script does not say how far; judges assume the same."""


def _as_list(value: object) -> object:
    """Return what may be written without brackets where it is only one."""
    if isinstance(value, list | tuple):
        return value
    return [value]


def _expectations(value: object) -> object:
    """Parse `expect:` with the vocabulary of contracts."""
    from iwr.contract import parse_expectations
    from iwr.errors import DataError

    try:
        return parse_expectations(value)
    except DataError as error:
        raise ValueError(str(error)) from error


Selector = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class ScriptAction(Record):
    """One action. Which of the fields it may have depends on its type."""

    type: ActionType
    description: str = Field(min_length=1)
    target: Selector | None = None
    text: str | None = Field(None, min_length=1)
    clear: bool = True
    key: str | None = Field(None, min_length=1)
    direction: Literal["down", "up", "left", "right"] | None = None
    pages: float | None = Field(
        None,
        gt=0,
        le=50,
    )
    count: int = Field(
        1,
        ge=1,
        le=20,
    )
    button: Literal["left", "middle", "right"] = "left"
    hover: Annotated[tuple[Selector, ...], BeforeValidator(_as_list)] = ()
    at: tuple[Share, Share] | None = None
    hold: float | None = Field(
        None,
        gt=0,
        le=60,
    )
    hover_only: bool = False
    drag_to: Selector | None = None
    drag_by: tuple[float, float] | None = None
    option: str | None = Field(None, min_length=1)
    file: str | None = Field(None, min_length=1)
    dialog: Annotated[tuple[DialogAnswer, ...], BeforeValidator(_as_list)] = ()
    expect: Annotated[tuple[Expectation, ...], BeforeValidator(_expectations)] | None = None
    checkpoint: bool = False
    assertion: str | None = Field(None, min_length=1)

    @property
    def gesture(self) -> str | None:
        """Which of GESTURES a Click is, None for plain clicks."""
        gestures = self._gestures
        if not gestures:
            return None
        return gestures[0]

    @property
    def _gestures(self) -> list[str]:
        """Those of GESTURES that the script asks for; more than one is refused."""
        return [name for name in GESTURES if getattr(self, name)]

    @model_validator(mode="after")
    def _has_the_fields_of_its_type(self) -> ScriptAction:
        """Raise ValueError for a field that is missing, or that another type of action has."""
        required = REQUIRED[self.type]
        for name, meaning in required.items():
            if getattr(self, name) is None:
                raise ValueError(f"{self.type} needs `{name}`: {meaning}")
        allowed = OPTIONAL[self.type].union(required)
        for name in sorted(_ALL_OPTIONS - allowed):
            if name in self.model_fields_set:
                raise ValueError(f"{self.type} has no `{name}`; remove it")
        return self

    @model_validator(mode="after")
    def _is_one_gesture(self) -> ScriptAction:
        """Raise ValueError for two gestures in one Click, and for what a gesture does not use."""
        gestures = self._gestures
        if len(gestures) > 1:
            raise ValueError(f"a Click is either {' or '.join(gestures)}; make two actions of it")
        if self.type is not ActionType.CLICK or not gestures:
            return self
        name = gestures[0]
        if self.count > 1:
            raise ValueError(f"`count` does not go with `{name}`; remove one of them")
        if self.button != "left" and name != "hold":
            raise ValueError(f"`button` does not go with `{name}`; remove one of them")
        if self.at and name == "option":
            raise ValueError("`at` does not go with `option`; remove one of them")
        return self


_ALL_OPTIONS = {"target", "text", "key", "direction"}.union(*OPTIONAL.values())


class Script(Record):
    """A checked action script."""

    resolution: str = Field("1280x720", pattern=r"^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$")
    source_website: str | None = None
    classification: Classification = Classification()
    actions: tuple[ScriptAction, ...] = Field(min_length=1)

    @field_validator("resolution")
    @classmethod
    def _is_even(cls, resolution: str) -> str:
        """Raise ValueError for a size that H.264 cannot encode."""
        for side in resolution.split("x"):
            if int(side) % 2:
                message = f"{resolution}: both sides must be even, or the video cannot be encoded"
                raise ValueError(message)
        return resolution

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the viewport in CSS pixels."""
        width, height = self.resolution.split("x")
        return int(width), int(height)
