"""In which order texts are read: what a sort, a shuffle or a drag changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from iwr.browser.snapshot import Snapshot, TextLine
from iwr.contract.difference import Difference
from iwr.contract.geometry import center_of, comes_before, is_part
from iwr.contract.outcome import Transition
from iwr.contract.reading import column_of, lines_read_once, plain_texts
from iwr.contract.schema import Order, Point

LinesByText = Mapping[str, TextLine]
"""Lines that are read once, by their text as it is compared."""
LIST_SHARE = 0.6  # of the viewport: a larger group is the page, not a list
MOST_ORDERED = 12
ROW_HEIGHT = 6.0  # pixels: lines whose middles differ by less are in one row


def reordered(change: Transition) -> Iterator[Difference]:
    """Yield the new order of the texts that are in another one than before."""
    old = lines_read_once(change.before)
    new = lines_read_once(change.after)
    common = list(filter(old.__contains__, new))
    later = in_order(common, new)
    moved = _changed_part(in_order(common, old), later)
    if not _were_swapped(_lines(moved, old)):
        return
    members = _whole_list(moved, later, new, change.after)
    lines = _lines(members[:MOST_ORDERED], new)
    texts = [line.text for line in lines]
    order = Order(texts=tuple(texts))
    words = " ".join(texts)
    yield Difference(order, words, lines[0].box)


def _lines(texts: Sequence[str], lines: LinesByText) -> list[TextLine]:
    """Return the lines of some texts, in the order of these."""
    return [lines[text] for text in texts]


def in_order(texts: Sequence[str], lines: LinesByText) -> list[str]:
    """Return the texts as they are read: row by row, each from left to right."""

    def place(text: str) -> Point:
        """Return by what texts are sorted: their row, then their left side."""
        box = lines[text].box
        _, middle = center_of(box)
        row = round(middle / ROW_HEIGHT)
        return row, box[0]

    return sorted(texts, key=place)


def neighbours(text: str, lines: LinesByText) -> list[str]:
    """Return a text between the texts that stand above and below it, in its column."""
    texts = in_order(list(lines), lines)
    ordered = _lines(texts, lines)
    entries = column_of(ordered, lines[text])
    column = plain_texts(entries)
    place = column.index(text)
    above = max(0, place - 1)
    below = place + 1
    return column[above : below + 1]


def _changed_part(earlier: Sequence[str], later: Sequence[str]) -> Sequence[str]:
    """Return the part of the later order from the first to the last difference."""
    changed = []
    for number, text in enumerate(later):
        if earlier[number] != text:
            changed.append(number)
    if not changed:
        return ()
    first = changed[0]
    last = changed[-1]
    return later[first : last + 1]


def _whole_list(
    moved: Sequence[str],
    texts: Sequence[str],
    lines: LinesByText,
    page: Snapshot,
) -> Sequence[str]:
    """Return all of the texts that are in one list with those that moved.

    A group that is nearly the whole page is no list: then only those that moved.
    """
    first = lines[moved[0]]
    group = page.nodes[first.node]
    for text in moved:
        node = page.nodes[lines[text].node]
        group = page.common(group, node)
    if not is_part(page, group, LIST_SHARE):
        return moved
    members = []
    for text in texts:
        index = lines[text].node
        if page.within(index, group.index):
            members.append(text)
    return members


def _were_swapped(lines: Sequence[TextLine]) -> bool:
    """Return whether lines, listed in their new order, were clearly in another one before."""
    pairs = combinations(lines, 2)
    return any(comes_before(later.box, line.box) for line, later in pairs)
