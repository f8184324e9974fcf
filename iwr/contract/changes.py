"""What differs between two states of one page, each difference as an expectation that it meets.

The recorder compares states of the same document, so here the identity of nodes may be used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from iwr.browser.snapshot import Snapshot, TextLine
from iwr.contract.boards import pieces_moved, rearranged
from iwr.contract.contrasts import contrasts
from iwr.contract.difference import Difference
from iwr.contract.element_changes import element_differences
from iwr.contract.geometry import is_part
from iwr.contract.orders import reordered
from iwr.contract.outcome import Transition
from iwr.contract.reading import holder_of, plain, plain_texts, readable_lines, worded
from iwr.contract.schema import Place, TextAppears, TextDisappears

LONGEST_TEXT = 160
LONGEST_NEAR = 60
SHORT_TEXT = 4  # characters: where it is read matters for a text no longer than this
PLACE_SHARE = 0.3  # of the viewport: a larger group is no place


def differences(change: Transition) -> list[Difference]:
    """Return all that changed between two states, the plainest kinds first."""
    return [
        *_appeared(change),
        *_disappeared(change),
        *reordered(change),
        *rearranged(change),
        *contrasts(change),
        *pieces_moved(change),
        *element_differences(change),
    ]


def _appeared(change: Transition) -> Iterator[Difference]:
    """Yield the texts that can be read more often than before."""
    before = readable_lines(change.before, change.action)
    after = readable_lines(change.after, change.action)
    for line in _surplus(after, before):
        text = line.text[:LONGEST_TEXT]
        place = place_of(change.after, line, before)
        expectation = TextAppears(text=text, place=place)
        yield Difference(expectation, text, line.box)


def _disappeared(change: Transition) -> Iterator[Difference]:
    """Yield the texts that can be read less often than before, but for placeholders."""
    before = readable_lines(change.before, change.action)
    after = readable_lines(change.after, change.action)
    left = plain_texts(after)
    for line in _surplus(before, after):
        if line.runs[0].kind == "placeholder":
            continue
        text = line.text[:LONGEST_TEXT]
        is_gone = plain(line.text) not in left
        expectation = TextDisappears(
            text=text,
            all=is_gone,
            place=place_of(change.before, line, after),
        )
        yield Difference(expectation, text, line.box)


def _surplus(lines: Sequence[TextLine], others: Sequence[TextLine]) -> list[TextLine]:
    """Return one line for each text that `lines` have more often than `others`, in order."""
    counts = Counter(plain_texts(lines))
    counts.subtract(plain_texts(others))
    surplus = []
    for line in reversed(lines):
        text = plain(line.text)
        if counts[text] > 0:
            surplus.append(line)
            counts[text] = 0
    surplus.reverse()
    return surplus


# ---- where a text is read ----------------------------------------------------------------


def place_of(page: Snapshot, line: TextLine, others: Sequence[TextLine]) -> Place | None:
    """Return the lasting text beside a short line, which could be read in many places."""
    own = plain(line.text)
    if len(own) > SHORT_TEXT:
        return None
    lasting = set()
    for other in others:
        if worded(other.text):
            lasting.add(plain(other.text))
    lasting.discard(own)
    near = text_near(page, line, lasting)
    if near is None:
        return None
    return Place(near=near)


def text_near(page: Snapshot, line: TextLine, texts: Collection[str]) -> str | None:
    """Return the first of these texts in the smallest group around a line that has any.

    A group that is a large part of the page is no place.
    """
    for group in page.ancestors(holder_of(page, line)):
        if not is_part(page, group, PLACE_SHARE):
            return None
        for other in page.lines_in(group, seen=True):
            is_short = len(other.text) <= LONGEST_NEAR
            if is_short and plain(other.text) in texts:
                return other.text
    return None
