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

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from iwr.contract.schema import (
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
    Sign,
    StateName,
    Target,
    TextAppears,
    TextDisappears,
    TextRemains,
)
from iwr.errors import DataError
from iwr.records import Record

EXAMPLE = "`iwr.contract.vocabulary` shows every kind"
Direction = Literal["left", "right", "up", "down"]
SIGNS: dict[str, tuple[Sign, Sign]] = {
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
}
FLAGS = {"struck": Aspect.STRUCK, "bold": Aspect.BOLD, "underlined": Aspect.UNDERLINED}
FLAGS |= {"dimmed": Aspect.DIMMED}
R = TypeVar("R", bound=Record)
WHOLE: TypeAdapter[Expectation] = TypeAdapter(Expectation)


def _as_text(value: object) -> object:
    """Return a YAML number as the text that the author wrote."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]


class _TextPlace(Record):
    text: Text
    near: Text | None = None


class _Value(Record):
    field: Text
    value: Text = Field(alias="is")


class _State(Record):
    element: Text
    checked: bool | None = None
    expanded: bool | None = None
    selected: bool | None = None
    disabled: bool | None = None
    pressed: bool | None = None
    open: bool | None = None
    visible: bool | None = None


class _Count(Record):
    text: Text
    before: int = Field(ge=0)
    after: int = Field(ge=0)


class _Order(Record):
    texts: tuple[Text, ...] = Field(min_length=2)


class _Move(Record):
    text: Text | None = None
    element: Text | None = None
    direction: Direction


class _Scroll(Record):
    direction: Direction
    inside: Text | None = None


class _Look(Record):
    text: Text
    struck: bool | None = None
    bold: bool | None = None
    underlined: bool | None = None
    dimmed: bool | None = None


def parse_expectations(value: object) -> tuple[Expectation, ...]:
    """Return the expectations that a script states. Raises DataError naming the first fault."""
    if not isinstance(value, list):
        raise DataError("expect: must be a list of expectations", hint=EXAMPLE)
    expectations: list[Expectation] = []
    for number, entry in enumerate(value, 1):
        expectations.append(_parse(entry, f"expect {number}"))
    return tuple(expectations)


def _parse(entry: object, name: str) -> Expectation:
    if isinstance(entry, Mapping) and "kind" in entry:
        return _parsed(
            WHOLE.validate_python,
            entry,
            name,
        )
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise DataError(f"{name}: must be one `kind: …`", hint=EXAMPLE)
    kind, content = next(iter(entry.items()))
    reader = READERS.get(str(kind))
    if reader is None:
        raise DataError(f"{name}: unknown kind {kind!r}; use {', '.join(READERS)}", hint=EXAMPLE)
    return _parsed(
        reader,
        content,
        f"{name} {kind}",
    )


def _parsed(
    reader: Callable[[object], Expectation],
    content: object,
    name: str,
) -> Expectation:
    try:
        return reader(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"{name} {field}".strip()
        raise DataError(f"{where}: {first['msg']}", hint=EXAMPLE) from error
    except ValueError as error:
        raise DataError(f"{name}: {error}", hint=EXAMPLE) from error


def _read(
    record: type[R],
    content: object,
    short: str | None = None,
) -> R:
    """Return the content of an entry; `short` names the field that a bare value stands for."""
    if short and not isinstance(content, Mapping):
        content = {short: content}
    return record.model_validate(content)


def _one_of(flags: Mapping[str, bool | None]) -> tuple[str, bool]:
    """Return the one flag that is set. Raises ValueError when there is none, or several."""
    given = {name: value for name, value in flags.items() if value is not None}
    if len(given) != 1:
        raise ValueError(f"give one of {', '.join(flags)}")
    return next(iter(given.items()))


def _text_appears(content: object) -> Expectation:
    entry = _read(
        _TextPlace,
        content,
        "text",
    )
    return TextAppears(
        text=entry.text,
        quoted=True,
        place=_place(entry),
    )


def _text_disappears(content: object) -> Expectation:
    entry = _read(
        _TextPlace,
        content,
        "text",
    )
    return TextDisappears(
        text=entry.text,
        quoted=True,
        place=_place(entry),
    )


def _place(entry: _TextPlace) -> Place | None:
    return Place(near=entry.near) if entry.near else None


def _text_remains(content: object) -> Expectation:
    return TextRemains(
        text=_read(
            _TextPlace,
            content,
            "text",
        ).text
    )


def _value(content: object) -> Expectation:
    entry = _read(_Value, content)
    return FieldValue(field=Target(label=entry.field), value=entry.value)


def _state(content: object) -> Expectation:
    entry = _read(_State, content)
    name, value = _one_of(entry.model_dump(exclude={"element"}))
    return ElementState(
        element=Target(label=entry.element),
        name=StateName(name),
        value=value,
    )


def _count(content: object) -> Expectation:
    entry = _read(_Count, content)
    return Count(
        text=entry.text,
        before=entry.before,
        after=entry.after,
    )


def _order(content: object) -> Expectation:
    return Order(
        texts=_read(
            _Order,
            content,
            "texts",
        ).texts
    )


def _moved(content: object) -> Expectation:
    entry = _read(_Move, content)
    if (entry.text is None) == (entry.element is None):
        raise ValueError("give one of text, element")
    dx, dy = SIGNS[entry.direction]
    element = Target(label=entry.element) if entry.element else None
    return Moved(
        text=entry.text,
        element=element,
        dx=dx,
        dy=dy,
    )


def _scrolled(content: object) -> Expectation:
    entry = _read(
        _Scroll,
        content,
        "direction",
    )
    dx, dy = SIGNS[entry.direction]
    return Scrolled(
        inside=entry.inside,
        dx=dx,
        dy=dy,
    )


def _look(content: object) -> Expectation:
    entry = _read(_Look, content)
    name, value = _one_of(entry.model_dump(exclude={"text"}))
    before, after = str(not value).lower(), str(value).lower()
    return Look(
        text=entry.text,
        aspect=FLAGS[name],
        before=before,
        after=after,
    )


def _picture_changed(content: object) -> Expectation:
    if content is not True:
        raise ValueError("must be true")
    return PictureChanged()


READERS: dict[str, Callable[[object], Expectation]] = {
    "text_appears": _text_appears,
    "text_disappears": _text_disappears,
    "text_remains": _text_remains,
    "value": _value,
    "state": _state,
    "count": _count,
    "order": _order,
    "moved": _moved,
    "scrolled": _scrolled,
    "look": _look,
    "picture_changed": _picture_changed,
}
