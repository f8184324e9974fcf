"""The records of `contract.json`: what was done to a task's true page, and what was observed there.

All lengths are CSS pixels of the viewport, all times seconds. Texts are as a person reads them,
white space squeezed. A contract is never shown to a model under test.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from iwr.records import Record

VERSION = 1

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""(x, y, width, height)"""
Sign = Literal[-1, 0, 1]
"""Of a direction: right and down are positive."""
Direction = tuple[Sign, Sign]
"""(dx, dy); 0: it does not count."""
DIRECTIONS: dict[str, Direction] = {
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
}


# ---- the element acted on --------------------------------------------------------------


class Target(Record):
    """An element as a person sees it. One of `label` and `box` will do; more makes it surer."""

    label: str = ""  # visible text on it, or that labels it
    name: str = ""  # accessible name, where no one can read it on the page
    placeholder: str = ""
    picture: str = ""  # file name of the image it shows
    role: str | None = None
    kind: str | None = None  # button | field | toggle | choice | slider | file | picture | other
    states: dict[str, str] = Field(default_factory=dict)
    beside: tuple[str, ...] = ()  # texts of the smallest group around it, the nearest first
    container: str = ""  # heading or name of the region around it
    container_role: str | None = None
    index: int = 0  # 0-based, in reading order, among the elements that look like it
    count: int = 1  # of those elements
    row: int = 0  # 0-based, among the rows that those elements form
    column: int = 0
    box: Box | None = None
    viewport: tuple[int, int] | None = None  # (width, height)
    how: str | None = None  # why a person could act on it, see `page_state.Node`


# ---- what was done ---------------------------------------------------------------------


class Verb(StrEnum):
    """What was done to the target or, where there is none, to the page."""

    CLICK = "click"
    DOUBLE_CLICK = "double_click"
    RIGHT_CLICK = "right_click"
    HOVER = "hover"
    HOLD = "hold"
    DRAG = "drag"
    TYPE = "type"
    SELECT = "select"
    UPLOAD = "upload"
    PRESS = "press"
    SCROLL = "scroll"


class DialogAnswer(Record):
    """To one alert, confirm or prompt, in the order in which they open."""

    accept: bool
    text: str | None = None  # into a prompt


class PerformedAction(Record):
    """One action exactly as it was done. The verb says which of the fields count."""

    verb: Verb
    button: Literal["left", "middle", "right"] = "left"
    count: int = Field(1, ge=1, le=20)  # of clicks, or of presses of `keys`
    at: Point | None = None  # share of the target's box, where its middle would not do
    text: str | None = None
    clear: bool = True  # the text replaces what the field held
    keys: tuple[str, ...] = ()  # chords such as Control+Enter, one after another
    wheel: Point | None = None  # (dx, dy)
    drop: Target | None = None  # where a drag ends
    path: tuple[Point, ...] = ()  # of a drag without `drop`, relative to where it starts
    option: str | None = None
    file: str | None = None  # name in the task's assets
    hover: tuple[Target, ...] = ()  # hovered first, in this order
    dialogs: tuple[DialogAnswer, ...] = ()
    seconds: float | None = Field(None, ge=0, le=60)  # how long a hold lasts


# ---- what was observed -----------------------------------------------------------------


class Place(Record):
    """Where a text is read: beside another text, or below a heading."""

    near: str = ""
    container: str = ""
    share: float | None = None  # of the viewport: the group that holds both is at most twice that
    alone: bool = False  # on its own, not as a part of a longer text


class Observed(Record):
    """Base of all expectations. `kind` tells them apart, so it is written even as a default."""

    @model_serializer(mode="wrap")
    def _with_kind(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Write the kind first: a reader sees at once what an entry is."""
        kind = getattr(self, "kind", None)
        content: dict[str, object] = write(self)
        return {"kind": kind, **content}


class TextAppears(Observed):
    """The text can be read afterwards. `new`: it could not before, or less often.

    `times`: at how many places more than before it stands, in view or not. `company`: at most so
    many lines stand in its column that were not there before.
    """

    kind: Literal["text_appears"] = "text_appears"
    text: str = Field(min_length=1)
    quoted: bool = False  # by the assertion
    new: bool = True
    times: int = Field(default=1, ge=1)
    company: int | None = None
    place: Place | None = None


class TextDisappears(Observed):
    """The text can be read less often afterwards. `all`: not at all."""

    kind: Literal["text_disappears"] = "text_disappears"
    text: str = Field(min_length=1)
    quoted: bool = False
    all: bool = True
    place: Place | None = None


class TextRemains(Observed):
    """The text can be read before and, as often, afterwards."""

    kind: Literal["text_remains"] = "text_remains"
    text: str = Field(min_length=1)


class FieldValue(Observed):
    """The value of a field afterwards. `before` None: whatever it was."""

    kind: Literal["value"] = "value"
    field: Target
    value: str
    before: str | None = None


class StateName(StrEnum):
    """A state that the markup tells; visible: the element is in view."""

    CHECKED = "checked"
    EXPANDED = "expanded"
    SELECTED = "selected"
    DISABLED = "disabled"
    PRESSED = "pressed"
    OPEN = "open"
    VISIBLE = "visible"


class ElementState(Observed):
    """A state of an element afterwards. `before` None: whatever it was."""

    kind: Literal["state"] = "state"
    element: Target
    name: StateName
    value: bool
    before: bool | None = None


class Count(Observed):
    """How often a text, or else how many elements like `element`, can be seen."""

    kind: Literal["count"] = "count"
    text: str | None = None
    element: Target | None = None
    before: int = Field(ge=0)
    after: int = Field(ge=0)


class Order(Observed):
    """The texts can be read in this order afterwards, and could not before."""

    kind: Literal["order"] = "order"
    texts: tuple[str, ...] = Field(min_length=2)


class Cell(Record):
    """Where a text stands among the others of an arrangement: 0-based, empty places left out."""

    text: str = Field(min_length=1)
    row: int = Field(ge=0)
    column: int = Field(ge=0)


class Arrangement(Observed):
    """Short texts stand in these rows and columns afterwards, and did not before.

    Pieces on a board are redrawn, and several have the same text: only where each one stands
    among the others tells a move.
    """

    kind: Literal["arrangement"] = "arrangement"
    cells: tuple[Cell, ...] = Field(min_length=2)


class Moved(Observed):
    """A text, or else an element, is elsewhere: the direction counts, not the way."""

    kind: Literal["moved"] = "moved"
    text: str | None = None
    element: Target | None = None
    dx: Sign = 0
    dy: Sign = 0


class Scrolled(Observed):
    """The page, or else what holds the text `inside`, has scrolled in a direction."""

    kind: Literal["scrolled"] = "scrolled"
    inside: str | None = None
    dx: Sign = 0
    dy: Sign = 0


class Aspect(StrEnum):
    """One part of a look."""

    STRUCK = "struck"
    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINED = "underlined"
    DIMMED = "dimmed"
    COLOUR = "colour"
    BACKGROUND = "background"
    BORDER = "border"
    SIZE = "size"


class Look(Observed):
    """How a text, or else an element, is painted. Values: "true" and "false", or rgb(...).

    `before` equal to `after`: it still looks as it did.
    """

    kind: Literal["look"] = "look"
    text: str | None = None
    element: Target | None = None
    aspect: Aspect
    before: str
    after: str


class Contrast(Observed):
    """A text is painted otherwise than another one like it: a day that cannot be chosen is grey."""

    kind: Literal["contrast"] = "contrast"
    text: str = Field(min_length=1)
    unlike: str = Field(min_length=1)
    aspect: Aspect


class PictureChanged(Observed):
    """Pixels of a canvas or image changed: nothing but a model that sees can judge them."""

    kind: Literal["picture_changed"] = "picture_changed"
    box: Box | None = None


Expectation = Annotated[
    TextAppears
    | TextDisappears
    | TextRemains
    | FieldValue
    | ElementState
    | Count
    | Order
    | Arrangement
    | Moved
    | Scrolled
    | Look
    | Contrast
    | PictureChanged,
    Field(discriminator="kind"),
]


# ---- the contract ----------------------------------------------------------------------


class StepContract(Record):
    """One step (1-based): the action, and what must hold between the states before and after it."""

    step: int = Field(ge=1)
    target: Target | None = None  # None: the page as a whole, or whatever has the focus
    action: PerformedAction
    expectations: tuple[Expectation, ...] = ()
    unchanged: tuple[Expectation, ...] = ()  # texts and values that the action must leave alone


class Contract(Record):
    """Of one task; `steps` has one entry for each of its actions."""

    version: Literal[1] = 1
    steps: tuple[StepContract, ...]

    def step(self, number: int) -> StepContract | None:
        """Return the contract of step `number` (1-based), or None."""
        for entry in self.steps:
            if entry.step == number:
                return entry
        return None
