"""Which elements have other states, values, looks and places than before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from iwr.browser.snapshot import Node, Snapshot, TextLine
from iwr.contract.check_places import scrolls
from iwr.contract.difference import Difference, words_of
from iwr.contract.elements import has_size, kind_of, label_of, picture_of
from iwr.contract.geometry import sign
from iwr.contract.looks import aspects, same_aspect
from iwr.contract.outcome import Transition
from iwr.contract.reading import is_typed, plain, worded
from iwr.contract.schema import (
    Aspect,
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Moved,
    Scrolled,
    Sign,
    StateName,
)
from iwr.contract.target import describe_target

LEAST_SHIFT = 8.0  # pixels: smaller shifts are side effects of a layout
LEAST_PART = 0.2  # of a move: less in the other direction does not count
LEAST_AREA = 100.0  # square pixels of a picture
LONGEST_TEXT = 160
MOST = 60  # differences of one kind: a theme may repaint thousands of elements
STATES = [name for name in StateName if name is not StateName.VISIBLE]
WATCHED = (
    Aspect.STRUCK,
    Aspect.BOLD,
    Aspect.UNDERLINED,
    Aspect.DIMMED,
    Aspect.COLOUR,
    Aspect.BACKGROUND,
    Aspect.BORDER,
)


def element_differences(change: Transition) -> Iterator[Difference]:
    """Yield what changed about elements that are there before and after, and about pictures."""
    kinds = (
        _states(change),
        _values(change),
        _looks(change),
        _moves(change),
        _scrolls(change),
        _pictures(change),
    )
    for kind in kinds:
        yield from islice(kind, MOST)


def _lasting(change: Transition) -> Iterator[tuple[Node, Node]]:
    """Yield the visible elements that are there before and after: (before, after)."""
    for node in change.after.nodes:
        earlier = change.before.by_uid.get(node.uid)
        if earlier is None:
            continue
        if node.visible or kind_of(node) == "toggle":
            yield earlier, node


# ---- states and values -------------------------------------------------------------------


def _states(change: Transition) -> Iterator[Difference]:
    for earlier, node in _lasting(change):
        if node.states == earlier.states or not has_size(node):
            continue
        for name in STATES:
            old = _own_state(earlier, name)
            new = _own_state(node, name)
            if new is None or old is new:
                continue
            element = describe_target(change.after, node)
            state = ElementState(
                element=element,
                name=name,
                value=new,
                before=old,
            )
            yield Difference(
                state,
                words_of(element),
                node.box,
            )


def _own_state(node: Node, name: StateName) -> bool | None:
    text = node.states.get(name.value)
    if name is StateName.DISABLED:
        return text == "true"
    if text is None:
        return None
    return text not in ("false", "")


def _values(change: Transition) -> Iterator[Difference]:
    for earlier, node in _lasting(change):
        value = _own_value(node)
        old = _own_value(earlier)
        if value is None or value == old or node.tag in ("progress", "meter"):
            continue
        field = describe_target(change.after, node)
        expectation = FieldValue(
            field=field,
            value=value,
            before=old,
        )
        yield Difference(
            expectation,
            words_of(field, value),
            node.box,
        )


def _own_value(node: Node) -> str | None:
    if node.value is not None:
        return node.value
    return node.states.get("valuenow")


def is_typed_value(change: Transition, expectation: Expectation) -> bool:
    """Return whether an expectation only says that a field holds what was typed into it."""
    if not isinstance(expectation, FieldValue):
        return False
    value = plain(expectation.value)
    for run in change.after.runs:
        if plain(run.text) == value and is_typed(
            change.after,
            run,
            change.action,
        ):
            return True
    return False


# ---- looks -------------------------------------------------------------------------------


def _looks(change: Transition) -> Iterator[Difference]:
    lines = _lines_by_holder(change.after)
    for earlier, node in _lasting(change):
        if not has_size(node) or not _is_painted_anew(
            change,
            earlier,
            node,
        ):
            continue
        line = lines.get(node.index)
        if line is None and change.after.text(node, seen=True):
            continue  # the elements that hold its text are compared
        old = aspects(change.before, earlier)
        new = aspects(change.after, node)
        for aspect in WATCHED:
            if not same_aspect(
                aspect,
                old[aspect],
                new[aspect],
            ):
                look = Look(
                    aspect=aspect,
                    before=old[aspect],
                    after=new[aspect],
                )
                yield _look_of(
                    change,
                    node,
                    line,
                    look,
                )


def _lines_by_holder(page: Snapshot) -> dict[int, TextLine]:
    """Return the lines that can be read, by the element that holds their first piece."""
    return {line.runs[0].node: line for line in page.seen_lines}


def _is_painted_anew(
    change: Transition,
    earlier: Node,
    node: Node,
) -> bool:
    """Return whether the style of an element, or of one around it, is another one."""
    if earlier.look != node.look:
        return True
    old = [ancestor.look for ancestor in change.before.ancestors(earlier)]
    new = [ancestor.look for ancestor in change.after.ancestors(node)]
    return old != new


def _look_of(
    change: Transition,
    node: Node,
    line: TextLine | None,
    look: Look,
) -> Difference:
    """Return how a text, or else an element, looks now."""
    if line is not None and worded(line.text):
        text = line.text[:LONGEST_TEXT]
        return Difference(
            look.model_copy(update={"text": text}),
            text,
            line.box,
        )
    element = describe_target(change.after, node)
    look = look.model_copy(update={"element": element})
    return Difference(
        look,
        words_of(element),
        node.box,
    )


# ---- places ------------------------------------------------------------------------------


def _moves(change: Transition) -> Iterator[Difference]:
    """Yield the direction in which texts and elements moved on the page."""
    lines = _lines_by_holder(change.after)
    for earlier, node in _lasting(change):
        line = lines.get(node.index)
        if line is None and not _can_float(change.after, node):
            continue
        dx, dy = _direction(
            change,
            earlier,
            node,
        )
        if not dx and not dy:
            continue
        if line is not None:
            text = line.text[:LONGEST_TEXT]
            yield Difference(
                Moved(
                    text=text,
                    dx=dx,
                    dy=dy,
                ),
                text,
                line.box,
            )
        else:
            element = describe_target(change.after, node)
            moved = Moved(
                element=element,
                dx=dx,
                dy=dy,
            )
            yield Difference(
                moved,
                words_of(element),
                node.box,
            )


def _can_float(page: Snapshot, node: Node) -> bool:
    """Return whether an element without a text is positioned on its own."""
    return node.layer != "static" and has_size(node) and not page.text(node)


def _direction(
    change: Transition,
    earlier: Node,
    node: Node,
) -> tuple[Sign, Sign]:
    """Return where an element moved on the page; a small part of the move does not count."""
    old_x, old_y = earlier.center
    x, y = node.center
    across = x - old_x + change.scroll[0]
    along = y - old_y + change.scroll[1]
    longest = max(abs(across), abs(along))
    least = max(LEAST_SHIFT, LEAST_PART * longest)
    return sign(across, least), sign(along, least)


def _scrolls(change: Transition) -> Iterator[Difference]:
    for across, along in scrolls(change):
        dx = sign(across, LEAST_SHIFT)
        dy = sign(along, LEAST_SHIFT)
        if dx or dy:
            yield Difference(Scrolled(dx=dx, dy=dy), "scroll")


# ---- pictures ----------------------------------------------------------------------------


def _pictures(change: Transition) -> Iterator[Difference]:
    """Yield the pictures and the textless controls that came into view, or left it."""
    yield from _gained(
        change.after,
        change.before,
        visible=True,
    )
    yield from _gained(
        change.before,
        change.after,
        visible=False,
    )


def _gained(
    page: Snapshot,
    other: Snapshot,
    *,
    visible: bool,
) -> Iterator[Difference]:
    """Yield what is in view on `page` and not on `other`."""
    pictures = {picture_of(node) for node in other.nodes if node.in_view}
    for node in page.nodes:
        if not _is_textless(page, node):
            continue
        name = picture_of(node)
        counterpart = other.by_uid.get(node.uid)
        stays = counterpart is not None and counterpart.in_view
        if name:
            stays = name in pictures
        if stays:
            continue
        element = describe_target(page, node)
        state = ElementState(
            element=element,
            name=StateName.VISIBLE,
            value=visible,
            before=not visible,
        )
        yield Difference(
            state,
            words_of(element),
            node.box,
        )


def _is_textless(page: Snapshot, node: Node) -> bool:
    if not node.in_view or node.area < LEAST_AREA or label_of(page, node):
        return False
    if picture_of(node):
        return True
    return kind_of(node) in ("picture", "field", "toggle", "slider")
