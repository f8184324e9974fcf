"""The `expect:` of an action script: a small closed vocabulary for what is to be observed.

expect:
- text_appears: Saved                      # readable afterwards and not, or less often, before
- text_appears: {text: "2", near: To do}   # where the text alone could be anywhere
- text_disappears: Draft
- text_remains: Inbox
- value: {field: Email, is: ada@example.org}
- state: {element: Send me offers, checked: true}
- count: {text: Delete, before: 3, after: 2}
- order: [Oli, Mary, Ada]                  # from the first to the last
- moved: {text: Task A, direction: down}
- scrolled: down
- look: {text: Buy milk, struck: true}     # struck, bold, underlined, dimmed
- picture_changed: true                    # a canvas: only a judge model can tell

An entry may also be a whole record of `iwr.contract.schema`: {kind: text_appears, text: Saved}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from iwr.contract.schema import (
    DIRECTIONS,
    Aspect,
    Count,
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Moved,
    Order,
    PictureChanged,
    Place,
    Scrolled,
    StateName,
    Target,
    TextAppears,
    TextDisappears,
    TextRemains,
)
from iwr.errors import DataError
from iwr.records import Record

HINT = "`iwr.contract.vocabulary` shows every kind"
Way = Literal["left", "right", "up", "down"]
FLAGS = {
    "struck": Aspect.STRUCK,
    "bold": Aspect.BOLD,
    "underlined": Aspect.UNDERLINED,
    "dimmed": Aspect.DIMMED,
}
WHOLE: TypeAdapter[Expectation] = TypeAdapter(Expectation)


def _as_text(value: object) -> object:
    """Return a YAML number as the text that the author wrote."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return str(value)
    return value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]


# ---- the entries -----------------------------------------------------------------------


class Entry(Record):
    """What an author writes after `kind:`. `short` is the field that a bare value stands for."""

    short: ClassVar[str] = ""

    @property
    def expectation(self) -> Expectation:
        """Return the expectation that is meant. Raises ValueError for one that is unclear."""
        raise NotImplementedError


class TextEntry(Entry):
    """A text, and what it is read beside."""

    short: ClassVar[str] = "text"
    text: Text
    near: Text | None = None

    @property
    def place(self) -> Place | None:
        """Return where the text is read; None: anywhere."""
        if self.near is None:
            return None
        return Place(near=self.near)


class Appears(TextEntry):
    """`text_appears`: it can be read afterwards, and not, or less often, before."""

    @property
    def expectation(self) -> Expectation:
        return TextAppears(text=self.text, quoted=True, place=self.place)


class Disappears(TextEntry):
    """`text_disappears`: it cannot be read afterwards."""

    @property
    def expectation(self) -> Expectation:
        return TextDisappears(text=self.text, quoted=True, place=self.place)


class Remains(Entry):
    """`text_remains`: it can be read before and afterwards."""

    short: ClassVar[str] = "text"
    text: Text

    @property
    def expectation(self) -> Expectation:
        return TextRemains(text=self.text)


class Value(Entry):
    """`value`: what a field holds afterwards; fields go by their labels."""

    field: Text
    value: Text = Field(alias="is")

    @property
    def expectation(self) -> Expectation:
        field = Target(label=self.field)
        return FieldValue(field=field, value=self.value)


class State(Entry):
    """`state`: one state of an element afterwards; elements go by their labels."""

    element: Text
    checked: bool | None = None
    expanded: bool | None = None
    selected: bool | None = None
    disabled: bool | None = None
    pressed: bool | None = None
    open: bool | None = None
    visible: bool | None = None

    @property
    def expectation(self) -> Expectation:
        """Return what the contract is to hold. Raise ValueError unless one state is named."""
        flags = self.model_dump(exclude={"element"})
        name, value = _one_of(flags)
        return ElementState(
            element=Target(label=self.element),
            name=StateName(name),
            value=value,
        )


class Counted(Entry):
    """`count`: how often a text can be read before and afterwards."""

    text: Text
    before: int = Field(ge=0)
    after: int = Field(ge=0)

    @property
    def expectation(self) -> Expectation:
        return Count(text=self.text, before=self.before, after=self.after)


class Ordered(Entry):
    """`order`: texts from the first to the last."""

    short: ClassVar[str] = "texts"
    texts: tuple[Text, ...] = Field(min_length=2)

    @property
    def expectation(self) -> Expectation:
        return Order(texts=self.texts)


class Move(Entry):
    """`moved`: the direction in which a text, or else an element, moves."""

    text: Text | None = None
    element: Text | None = None
    direction: Way

    @property
    def expectation(self) -> Expectation:
        """Return what the contract is to hold. Raise ValueError unless one thing moves."""
        dx, dy = DIRECTIONS[self.direction]
        if self.text and self.element is None:
            return Moved(text=self.text, dx=dx, dy=dy)
        if self.element and self.text is None:
            element = Target(label=self.element)
            return Moved(element=element, dx=dx, dy=dy)
        raise ValueError("give one of text, element")


class Scroll(Entry):
    """`scrolled`: the direction in which the page, or what holds a text, scrolls."""

    short: ClassVar[str] = "direction"
    direction: Way
    inside: Text | None = None

    @property
    def expectation(self) -> Expectation:
        dx, dy = DIRECTIONS[self.direction]
        return Scrolled(inside=self.inside, dx=dx, dy=dy)


class Painted(Entry):
    """`look`: one way in which a text is painted afterwards."""

    text: Text
    struck: bool | None = None
    bold: bool | None = None
    underlined: bool | None = None
    dimmed: bool | None = None

    @property
    def expectation(self) -> Expectation:
        """Return what the contract is to hold. Raise ValueError unless one look is named."""
        flags = self.model_dump(exclude={"text"})
        name, value = _one_of(flags)
        return Look(
            text=self.text,
            aspect=FLAGS[name],
            before="false" if value else "true",
            after="true" if value else "false",
        )


class Picture(Entry):
    """`picture_changed`: only a model that sees can judge it."""

    short: ClassVar[str] = "changed"
    changed: Literal[True]

    @property
    def expectation(self) -> Expectation:
        return PictureChanged()


KINDS: dict[str, type[Entry]] = {
    "text_appears": Appears,
    "text_disappears": Disappears,
    "text_remains": Remains,
    "value": Value,
    "state": State,
    "count": Counted,
    "order": Ordered,
    "moved": Move,
    "scrolled": Scroll,
    "look": Painted,
    "picture_changed": Picture,
}


def _one_of(flags: Mapping[str, bool | None]) -> tuple[str, bool]:
    """Return the one flag that is set. Raises ValueError when there is none, or several."""
    given = []
    for name, value in flags.items():
        if value is not None:
            given.append((name, value))
    if len(given) != 1:
        names = ", ".join(flags)
        raise ValueError(f"give one of {names}")
    return given[0]


# ---- parsing ---------------------------------------------------------------------------


def parse_expectations(value: object) -> tuple[Expectation, ...]:
    """Return the expectations that a script states. Raises DataError naming the first fault."""
    if not isinstance(value, list):
        raise DataError("expect: must be a list of expectations", hint=HINT)
    expectations = []
    for number, entry in enumerate(value, 1):
        expectation = _parse(entry, f"expect {number}")
        expectations.append(expectation)
    return tuple(expectations)


def _parse(entry: object, name: str) -> Expectation:
    """Return one expectation; `name` is how it is called in an error."""
    if not isinstance(entry, Mapping):
        raise DataError(f"{name}: must be one `kind: …`", hint=HINT)
    try:
        if "kind" in entry:
            return WHOLE.validate_python(entry)
        if len(entry) != 1:
            raise DataError(f"{name}: must be one `kind: …`", hint=HINT)
        kind, content = next(iter(entry.items()))
        record = _record_of(kind, name)
        name = f"{name} {kind}"
        if record.short and not isinstance(content, Mapping):
            content = {record.short: content}
        return record.model_validate(content).expectation
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        place = f"{name} {field}".strip()
        message = first["msg"]
        raise DataError(f"{place}: {message}", hint=HINT) from error
    except ValueError as error:
        raise DataError(f"{name}: {error}", hint=HINT) from error


def _record_of(kind: object, name: str) -> type[Entry]:
    """Return the record of a kind. Raises DataError for one that there is not."""
    record = KINDS.get(str(kind))
    if record is None:
        kinds = ", ".join(KINDS)
        raise DataError(f"{name}: unknown kind {kind!r}; use {kinds}", hint=HINT)
    return record
