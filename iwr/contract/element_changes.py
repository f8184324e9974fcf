"""Which elements have other states, values, looks and places than before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from iwr.browser.snapshot import Node, Snapshot, TextLine
from iwr.contract.check_places import scrolls
from iwr.contract.difference import Difference, words_of
from iwr.contract.elements import has_size, kind_of, label_of, picture_of
from iwr.contract.geometry import center_of, sign
from iwr.contract.looks import aspects, same_aspect
from iwr.contract.outcome import Transition
from iwr.contract.reading import holder_of, is_typed, lines_read_once, plain, worded
from iwr.contract.schema import (
    Aspect,
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Moved,
    Point,
    Scrolled,
    StateName,
)
from iwr.contract.target import describe_target

LEAST_SHIFT = 8.0  # pixels: smaller shifts are side effects of a layout
LEAST_PART = 0.2  # of a move: less in the other direction does not count
LEAST_AREA = 100.0  # square pixels of a picture
LONGEST_TEXT = 160
MOST = 60  # differences of one kind: a theme may repaint thousands of elements
STATES = [name for name in StateName if name is not StateName.VISIBLE]
GAUGES = ("progress", "meter")
DRAWN_CONTROLS = ("picture", "field", "toggle", "slider")
"""Kinds of elements that a person sees without a text on them."""
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
    """Yield the states that elements are in now and were not in before."""
    for earlier, node in _lasting(change):
        if node.states == earlier.states:
            continue
        if not has_size(node):
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
            yield Difference(state, words_of(element), node.box)


def _own_state(node: Node, name: StateName) -> bool | None:
    """Return a state of an element; None when it does not tell it."""
    text = node.states.get(name.value)
    if name is StateName.DISABLED:
        return text == "true"
    if text is None:
        return None
    return text not in ("false", "")


def _values(change: Transition) -> Iterator[Difference]:
    """Yield the values that controls hold now and did not hold before."""
    for earlier, node in _lasting(change):
        if node.tag in GAUGES:
            continue
        old = _own_value(earlier)
        value = _own_value(node)
        if value is None or value == old:
            continue
        field = describe_target(change.after, node)
        words = words_of(field, value)
        expectation = FieldValue(
            field=field,
            value=value,
            before=old,
        )
        yield Difference(expectation, words, node.box)


def _own_value(node: Node) -> str | None:
    """Return what a control holds; None for any other element."""
    if node.value is not None:
        return node.value
    return node.states.get("valuenow")


def is_typed_value(change: Transition, expectation: Expectation) -> bool:
    """Return whether an expectation only says that a field holds what was typed into it."""
    if not isinstance(expectation, FieldValue):
        return False
    value = plain(expectation.value)
    for run in change.after.runs:
        if plain(run.text) != value:
            continue
        if is_typed(change.after, run, change.action):
            return True
    return False


# ---- looks -------------------------------------------------------------------------------


def _looks(change: Transition) -> Iterator[Difference]:
    """Yield the aspects in which a text or an element is painted otherwise than before."""
    page = change.after
    lines = _lines_by_holder(page)
    for earlier, node in _lasting(change):
        if not has_size(node):
            continue
        if not _is_painted_anew(change, earlier, node):
            continue
        line = lines.get(node.index)
        if line is None and page.text(node, seen=True):
            continue  # the elements that hold its text are compared
        old = aspects(change.before, earlier)
        new = aspects(page, node)
        for aspect in WATCHED:
            if same_aspect(aspect, old[aspect], new[aspect]):
                continue
            look = Look(
                aspect=aspect,
                before=old[aspect],
                after=new[aspect],
            )
            named = line if line and worded(line.text) else None
            yield _about(look, page, node, named)


def _lines_by_holder(page: Snapshot) -> dict[int, TextLine]:
    """Return the lines that can be read, by the element that holds their first piece."""
    lines = {}
    for line in page.seen_lines:
        holder = holder_of(page, line)
        lines[holder.index] = line
    return lines


def _is_painted_anew(change: Transition, earlier: Node, node: Node) -> bool:
    """Return whether the style of an element, or of one around it, is another one."""
    old = [earlier.look]
    for ancestor in change.before.ancestors(earlier):
        old.append(ancestor.look)
    new = [node.look]
    for ancestor in change.after.ancestors(node):
        new.append(ancestor.look)
    return old != new


def _about(
    expectation: Look | Moved,
    page: Snapshot,
    node: Node,
    line: TextLine | None,
) -> Difference:
    """Return the expectation as one about a text or, without a line, about an element."""
    if line is not None:
        text = line.text[:LONGEST_TEXT]
        named = expectation.model_copy(update={"text": text})
        return Difference(named, text, line.box)
    element = describe_target(page, node)
    named = expectation.model_copy(update={"element": element})
    return Difference(named, words_of(element), node.box)


# ---- places ------------------------------------------------------------------------------


def _moves(change: Transition) -> Iterator[Difference]:
    """Yield the direction in which texts and elements moved on the page."""
    page = change.after
    lines = _lines_by_holder(page)
    for earlier, node in _lasting(change):
        line = lines.get(node.index)
        if line is None and not _can_float(page, node):
            continue
        move = _move(change, earlier.center, node.center)
        if move is not None:
            yield _about(move, page, node, line)
    yield from _redrawn_moves(change)


def _redrawn_moves(change: Transition) -> Iterator[Difference]:
    """Yield the moves of texts that are read once before and afterwards, in new elements."""
    page = change.after
    old = lines_read_once(change.before)
    for text, line in lines_read_once(page).items():
        earlier = old.get(text)
        if earlier is None:
            continue
        node = holder_of(page, line)
        if node.uid in change.before.by_uid:
            continue
        start = center_of(earlier.box)
        move = _move(change, start, center_of(line.box))
        if move is not None:
            yield _about(move, page, node, line)


def _can_float(page: Snapshot, node: Node) -> bool:
    """Return whether an element without a text is positioned on its own."""
    if node.layer == "static" or not has_size(node):
        return False
    return not page.text(node)


def _move(change: Transition, earlier: Point, later: Point) -> Moved | None:
    """Return where something moved on the page; a small part of the move does not count."""
    across, along = change.way(earlier, later)
    longest = max(abs(across), abs(along))
    least = max(LEAST_SHIFT, LEAST_PART * longest)
    dx = sign(across, least)
    dy = sign(along, least)
    if not dx and not dy:
        return None
    return Moved(dx=dx, dy=dy)


def _scrolls(change: Transition) -> Iterator[Difference]:
    """Yield the directions in which the page and the scrollers in it moved."""
    for across, along in scrolls(change):
        dx = sign(across, LEAST_SHIFT)
        dy = sign(along, LEAST_SHIFT)
        if dx or dy:
            scrolled = Scrolled(dx=dx, dy=dy)
            yield Difference(scrolled, "scroll")


# ---- pictures ----------------------------------------------------------------------------


def _pictures(change: Transition) -> Iterator[Difference]:
    """Yield the pictures and the textless controls that came into view, or left it."""
    yield from _gained(change.after, change.before, visible=True)
    yield from _gained(change.before, change.after, visible=False)


def _gained(page: Snapshot, other: Snapshot, *, visible: bool) -> Iterator[Difference]:
    """Yield what is in view on `page` and not on `other`."""
    pictures = {picture_of(node) for node in other.nodes if node.in_view}
    for node in page.nodes:
        if not _is_textless(page, node):
            continue
        picture = picture_of(node)
        stays = picture in pictures
        if not picture:
            stays = _is_in_view(other, node)
        if stays:
            continue
        element = describe_target(page, node)
        state = ElementState(
            element=element,
            name=StateName.VISIBLE,
            value=visible,
            before=not visible,
        )
        yield Difference(state, words_of(element), node.box)


def _is_in_view(page: Snapshot, node: Node) -> bool:
    """Return whether the same element is in view on another state of the page."""
    counterpart = page.by_uid.get(node.uid)
    return counterpart is not None and counterpart.in_view


def _is_textless(page: Snapshot, node: Node) -> bool:
    """Return whether an element is seen as a picture or a control, without a text on it."""
    if not node.in_view or node.area < LEAST_AREA:
        return False
    if label_of(page, node):
        return False
    if picture_of(node):
        return True
    return kind_of(node) in DRAWN_CONTROLS
