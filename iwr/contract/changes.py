"""What differs between two states of one page, each difference as an expectation that it meets.

The recorder compares states of the same document, so here the identity of nodes may be used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from iwr.browser.snapshot import Box, Node, Snapshot, TextLine
from iwr.contract.check import Transition, scrolls
from iwr.contract.elements import has_size, kind_of, label_of, picture_of
from iwr.contract.looks import aspects, same_aspect
from iwr.contract.reading import comes_before, is_typed, plain, readable_lines, worded
from iwr.contract.schema import (
    Aspect,
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Moved,
    Order,
    Place,
    Scrolled,
    Sign,
    StateName,
    TextAppears,
    TextDisappears,
)
from iwr.contract.target import describe_target

LEAST_SHIFT = 8.0  # pixels: smaller shifts are side effects of a layout
LEAST_AREA = 100.0  # square pixels of a picture
LONGEST_TEXT = 160
SHORT_TEXT = 4  # characters: where it stands matters for a text no longer than this
MOST_ORDERED = 12
WATCHED = (Aspect.STRUCK, Aspect.BOLD, Aspect.UNDERLINED, Aspect.DIMMED)
PAINTED = (Aspect.COLOUR, Aspect.BACKGROUND, Aspect.BORDER)
STATES = [name for name in StateName if name is not StateName.VISIBLE]


class Difference(NamedTuple):
    """One observed change: `words` say what it is about, `box` where it is."""

    expectation: Expectation
    words: str
    box: Box | None = None


def differences(change: Transition) -> list[Difference]:
    """Return all that changed between two states, the plainest kinds first."""
    found = [
        *_texts(change),
        *_orders(change),
        *_states(change),
        *_values(change),
        *_looks(change),
        *_moves(change),
        *_scrolls(change),
        *_pictures(change),
    ]
    return found


# ---- texts -------------------------------------------------------------------------------


def _texts(change: Transition) -> Iterator[Difference]:
    before = readable_lines(change.before, change.action)
    after = readable_lines(change.after, change.action)
    for line in _surplus(after, before):
        text = line.text[:LONGEST_TEXT]
        place = place_of(change.after, line, before)
        yield Difference(TextAppears(text=text, place=place), text, line.box)
    for line in _surplus(before, after):
        if line.runs[0].kind == "placeholder":
            continue
        text = line.text[:LONGEST_TEXT]
        place = place_of(change.before, line, after)
        gone = all(plain(text) != plain(other.text) for other in after)
        yield Difference(TextDisappears(text=text, all=gone, place=place), text, line.box)


def _surplus(lines: tuple[TextLine, ...], others: tuple[TextLine, ...]) -> list[TextLine]:
    """Return one line for each text that `lines` have more often than `others`, in order."""
    counts = Counter(plain(line.text) for line in lines)
    counts.subtract(Counter(plain(line.text) for line in others))
    surplus = []
    for line in reversed(lines):
        text = plain(line.text)
        if counts[text] > 0:
            surplus.append(line)
            counts[text] = 0
    return surplus[::-1]


def place_of(page: Snapshot, line: TextLine, others: tuple[TextLine, ...]) -> Place | None:
    """Return the lasting text beside a short line, which could be read in many places."""
    if len(plain(line.text)) > SHORT_TEXT:
        return None
    lasting = {plain(other.text) for other in others}
    for ancestor in page.ancestors(page.nodes[line.runs[0].node]):
        if ancestor.area > 0.3 * page.width * page.height:
            return None
        for other in page.lines_in(ancestor, seen=True):
            if plain(other.text) == plain(line.text) or len(other.text) > 60:
                continue
            if worded(other.text) and plain(other.text) in lasting:
                return Place(near=other.text)
    return None


def _orders(change: Transition) -> Iterator[Difference]:
    """Yield the new order of the texts that stand in another one than before."""
    old = _unique_lines(change.before)
    new = _unique_lines(change.after)
    common = [text for text in new if text in old]
    earlier = sorted(common, key=lambda text: _rank(old[text]))
    later = sorted(common, key=lambda text: _rank(new[text]))
    first, last = _changed_range(earlier, later)
    if last - first < 1:
        return
    if not _is_swapped(earlier, [old[text] for text in later[first : last + 1]]):
        return
    texts = tuple(new[text].text for text in later[first : last + 1])[:MOST_ORDERED]
    yield Difference(Order(texts=texts), " ".join(texts), new[later[first]].box)


def _unique_lines(page: Snapshot) -> dict[str, TextLine]:
    counts = Counter(plain(line.text) for line in page.seen_lines)
    lines = {}
    for line in page.seen_lines:
        if counts[plain(line.text)] == 1 and worded(line.text) and line.runs[0].kind == "text":
            lines[plain(line.text)] = line
    return lines


def _rank(line: TextLine) -> tuple[float, float]:
    return round((line.box[1] + line.box[3] / 2) / 6), line.box[0]


def _changed_range(earlier: list[str], later: list[str]) -> tuple[int, int]:
    """Return the first and the last index at which two orders differ; (0, -1): nowhere."""
    changed = [at for at, text in enumerate(later) if earlier[at] != text]
    return (changed[0], changed[-1]) if changed else (0, -1)


def _is_swapped(earlier: list[str], lines: list[TextLine]) -> bool:
    """Return whether lines, listed in their new order, were clearly in another one before."""
    return any(
        comes_before(follower.box, line.box)
        for place, line in enumerate(lines)
        for follower in lines[place + 1 :]
    )


# ---- elements ----------------------------------------------------------------------------


def _lasting(change: Transition) -> Iterator[tuple[Node, Node]]:
    """Yield the visible elements that are there before and after: (before, after)."""
    for node in change.after.nodes:
        earlier = change.before.by_uid.get(node.uid)
        if earlier is not None and (node.visible or kind_of(node) == "toggle"):
            yield earlier, node


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
            state = ElementState(element=element, name=name, value=new, before=old)
            yield Difference(state, f"{element.label} {element.name}", node.box)


def _own_state(node: Node, name: StateName) -> bool | None:
    if name is StateName.DISABLED:
        return node.states.get(name.value) == "true"
    if name.value not in node.states:
        return None
    return node.states[name.value] not in ("false", "")


def _values(change: Transition) -> Iterator[Difference]:
    for earlier, node in _lasting(change):
        value = node.value if node.value is not None else node.states.get("valuenow")
        old = earlier.value if earlier.value is not None else earlier.states.get("valuenow")
        if value is None or value == old or node.tag in ("progress", "meter"):
            continue
        field = describe_target(change.after, node)
        expectation = FieldValue(field=field, value=value, before=old)
        yield Difference(expectation, f"{field.label} {value}", node.box)


def is_typed_value(change: Transition, expectation: Expectation) -> bool:
    """Return whether an expectation only says that a field holds what was typed into it."""
    if not isinstance(expectation, FieldValue) or change.action is None:
        return False
    for run in change.after.runs:
        if plain(run.text) == plain(expectation.value) and is_typed(
            change.after, run, change.action
        ):
            return True
    return False


def _looks(change: Transition) -> Iterator[Difference]:
    lines = {line.runs[0].node: line for line in change.after.seen_lines}
    for earlier, node in _lasting(change):
        if earlier.look == node.look and not _decorated_anew(change, earlier, node):
            continue
        old = aspects(change.before, earlier)
        new = aspects(change.after, node)
        line = lines.get(node.index)
        if line is None and change.after.text(node, seen=True):
            continue  # the elements that hold its text are compared
        for aspect in (*WATCHED, *PAINTED):
            if same_aspect(aspect, old[aspect], new[aspect]) or not has_size(node):
                continue
            yield _look(change, node, line, aspect, old[aspect], new[aspect])


def _decorated_anew(change: Transition, earlier: Node, node: Node) -> bool:
    old = [ancestor.look for ancestor in change.before.ancestors(earlier)]
    new = [ancestor.look for ancestor in change.after.ancestors(node)]
    return old != new


def _look(
    change: Transition, node: Node, line: TextLine | None, aspect: Aspect, old: str, new: str
) -> Difference:
    if line is not None and worded(line.text):
        text = line.text[:LONGEST_TEXT]
        look = Look(text=text, aspect=aspect, before=old, after=new)
        return Difference(look, text, line.box)
    element = describe_target(change.after, node)
    look = Look(element=element, aspect=aspect, before=old, after=new)
    return Difference(look, f"{element.label} {element.name}", node.box)


# ---- places ------------------------------------------------------------------------------


def _moves(change: Transition) -> Iterator[Difference]:
    """Yield the direction in which texts and elements moved on the page."""
    lines = {line.runs[0].node: line for line in change.after.seen_lines}
    scroll_x = change.after.scroll[0] - change.before.scroll[0]
    scroll_y = change.after.scroll[1] - change.before.scroll[1]
    for earlier, node in _lasting(change):
        line = lines.get(node.index)
        textless = not change.after.text(node) and has_size(node)
        if line is None and not (textless and node.layer != "static"):
            continue
        across = node.center[0] - earlier.center[0] + scroll_x
        along = node.center[1] - earlier.center[1] + scroll_y
        dx, dy = _signs(across, along)
        if not (dx or dy):
            continue
        if line is not None:
            moved = Moved(text=line.text[:LONGEST_TEXT], dx=dx, dy=dy)
            yield Difference(moved, line.text, line.box)
        else:
            element = describe_target(change.after, node)
            moved = Moved(element=element, dx=dx, dy=dy)
            yield Difference(moved, f"{element.label} {element.name}", node.box)


def _signs(across: float, along: float) -> tuple[Sign, Sign]:
    """Return the direction of a move; a small part of it does not count."""
    least = max(LEAST_SHIFT, 0.2 * max(abs(across), abs(along)))
    return _sign(across, least), _sign(along, least)


def _sign(distance: float, least: float) -> Sign:
    if abs(distance) < least:
        return 0
    return 1 if distance > 0 else -1


def _scrolls(change: Transition) -> Iterator[Difference]:
    page, *inner = scrolls(change)
    if any(page):
        dx, dy = _sign(page[0], LEAST_SHIFT), _sign(page[1], LEAST_SHIFT)
        yield Difference(Scrolled(dx=dx, dy=dy), "scroll page")
    for across, along in inner:
        dx, dy = _sign(across, LEAST_SHIFT), _sign(along, LEAST_SHIFT)
        if dx or dy:
            yield Difference(Scrolled(dx=dx, dy=dy), "scroll")


def _pictures(change: Transition) -> Iterator[Difference]:
    """Yield the pictures and the textless controls that came into view, or left it."""
    for page, other, shown in (
        (change.after, change.before, True),
        (change.before, change.after, False),
    ):
        pictures = {picture_of(node) for node in other.nodes if node.in_view}
        for node in page.nodes:
            if not _is_textless(page, node):
                continue
            counterpart = other.by_uid.get(node.uid)
            name = picture_of(node)
            stays = counterpart is not None and counterpart.in_view
            if name in pictures if name else stays:
                continue
            element = describe_target(page, node)
            state = ElementState(
                element=element, name=StateName.VISIBLE, value=shown, before=not shown
            )
            yield Difference(state, f"{element.name} {element.picture}", node.box)


def _is_textless(page: Snapshot, node: Node) -> bool:
    if not node.in_view or node.area < LEAST_AREA or label_of(page, node):
        return False
    return kind_of(node) in ("picture", "field", "toggle", "slider") or bool(picture_of(node))
