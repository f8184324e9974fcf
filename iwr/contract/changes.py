"""What differs between two states of one page, each difference as an expectation that it meets.

The recorder compares states of the same document, so here the identity of nodes may be used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from iwr.browser.snapshot import Snapshot, TextLine
from iwr.contract.difference import Difference
from iwr.contract.element_changes import element_differences
from iwr.contract.geometry import center_of, comes_before
from iwr.contract.outcome import Transition
from iwr.contract.reading import plain, readable_lines, worded
from iwr.contract.schema import Order, Place, TextAppears, TextDisappears

LONGEST_TEXT = 160
LONGEST_NEAR = 60
SHORT_TEXT = 4  # characters: where it is read matters for a text no longer than this
PLACE_SHARE = 0.3  # of the viewport: a larger group is no place
LIST_SHARE = 0.6
MOST_ORDERED = 12
ROW_HEIGHT = 6.0  # pixels: lines whose middles differ by less are in one row


def differences(change: Transition) -> list[Difference]:
    """Return all that changed between two states, the plainest kinds first."""
    return [
        *_appeared(change),
        *_disappeared(change),
        *_reordered(change),
        *element_differences(change),
    ]


# ---- texts -------------------------------------------------------------------------------


def _appeared(change: Transition) -> Iterator[Difference]:
    before = readable_lines(change.before, change.action)
    after = readable_lines(change.after, change.action)
    for line in _surplus(after, before):
        text = line.text[:LONGEST_TEXT]
        place = place_of(
            change.after,
            line,
            before,
        )
        yield Difference(
            TextAppears(text=text, place=place),
            text,
            line.box,
        )


def _disappeared(change: Transition) -> Iterator[Difference]:
    before = readable_lines(change.before, change.action)
    after = readable_lines(change.after, change.action)
    left = {plain(line.text) for line in after}
    for line in _surplus(before, after):
        if line.runs[0].kind == "placeholder":
            continue
        text = line.text[:LONGEST_TEXT]
        place = place_of(
            change.before,
            line,
            after,
        )
        is_gone = plain(line.text) not in left
        expectation = TextDisappears(
            text=text,
            all=is_gone,
            place=place,
        )
        yield Difference(
            expectation,
            text,
            line.box,
        )


def _surplus(lines: Sequence[TextLine], others: Sequence[TextLine]) -> list[TextLine]:
    """Return one line for each text that `lines` have more often than `others`, in order."""
    counts = _counts(lines)
    counts.subtract(_counts(others))
    surplus = []
    for line in reversed(lines):
        text = plain(line.text)
        if counts[text] > 0:
            surplus.append(line)
            counts[text] = 0
    surplus.reverse()
    return surplus


def _counts(lines: Sequence[TextLine]) -> Counter[str]:
    return Counter(plain(line.text) for line in lines)


def place_of(
    page: Snapshot,
    line: TextLine,
    others: Sequence[TextLine],
) -> Place | None:
    """Return the lasting text beside a short line, which could be read in many places."""
    own = plain(line.text)
    if len(own) > SHORT_TEXT:
        return None
    lasting = {plain(other.text) for other in others if worded(other.text)}
    lasting.discard(own)
    limit = PLACE_SHARE * page.width * page.height
    holder = page.nodes[line.runs[0].node]
    for ancestor in page.ancestors(holder):
        if ancestor.area > limit:
            return None
        for other in page.lines_in(ancestor, seen=True):
            if len(other.text) <= LONGEST_NEAR and plain(other.text) in lasting:
                return Place(near=other.text)
    return None


# ---- order -------------------------------------------------------------------------------


def _reordered(change: Transition) -> Iterator[Difference]:
    """Yield the new order of the texts that are in another one than before."""
    old = _unique_lines(change.before)
    new = _unique_lines(change.after)
    common = [text for text in new if text in old]
    later = _in_order(common, new)
    moved = _changed_part(_in_order(common, old), later)
    if not moved or not _were_swapped([old[text] for text in moved]):
        return
    moved = _whole_list(moved, later, new, change.after)
    texts = [new[text].text for text in moved[:MOST_ORDERED]]
    yield Difference(
        Order(texts=tuple(texts)),
        " ".join(texts),
        new[moved[0]].box,
    )


def _unique_lines(page: Snapshot) -> dict[str, TextLine]:
    """Return the lines that are read once, by their text."""
    counts = _counts(page.seen_lines)
    lines = {}
    for line in page.seen_lines:
        text = plain(line.text)
        is_text = line.runs[0].kind == "text" and worded(text)
        if is_text and counts[text] == 1:
            lines[text] = line
    return lines


def _in_order(texts: Sequence[str], lines: Mapping[str, TextLine]) -> list[str]:
    """Return the texts as they are read: row by row, each from left to right."""

    def place(text: str) -> tuple[float, float]:
        box = lines[text].box
        row = round(center_of(box)[1] / ROW_HEIGHT)
        return row, box[0]

    return sorted(texts, key=place)


def _changed_part(earlier: Sequence[str], later: Sequence[str]) -> Sequence[str]:
    """Return the part of the later order from the first to the last difference."""
    changed = []
    for number, text in enumerate(later):
        if earlier[number] != text:
            changed.append(number)
    if not changed:
        return ()
    return later[changed[0] : changed[-1] + 1]


def _whole_list(
    moved: Sequence[str],
    texts: Sequence[str],
    lines: Mapping[str, TextLine],
    page: Snapshot,
) -> list[str]:
    """Return all of the texts that are in one list with those that moved.

    A group that is nearly the whole page is no list: then only those that moved.
    """
    group = page.nodes[lines[moved[0]].node]
    for text in moved:
        group = page.common(group, page.nodes[lines[text].node])
    if group.area > LIST_SHARE * page.width * page.height:
        return list(moved)
    return [text for text in texts if page.within(lines[text].node, group.index)]


def _were_swapped(lines: Sequence[TextLine]) -> bool:
    """Return whether lines, listed in their new order, were clearly in another one before."""
    for number, line in enumerate(lines):
        for follower in lines[number + 1 :]:
            if comes_before(follower.box, line.box):
                return True
    return False
