"""What a person can read in a state, and where: the texts that contracts are about."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from iwr.browser.snapshot import EDITABLE, Box, Node, Run, Snapshot, TextLine, lines_of
from iwr.contract.geometry import around, bottom_of, center_of, is_part, right_of, same_row
from iwr.contract.schema import PerformedAction, Place, Point, Verb

QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|‘([^’]+)’"
    r"|(?<![\w])'((?:[^']|(?<=\w)'(?=\w))+)'(?![\w])|`([^`]+)`"
)
ALIKE = {"’": "'", "‘": "'", "“": '"', "”": '"', "\u2212": "-", "\u2013": "-"}
WORD = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+")
TYPING = (Verb.TYPE, Verb.SELECT)
NEAR_SHARE = 0.3  # of the viewport: a group no larger than this is one place
ENTRIES = EDITABLE | {"combobox"}
COLUMN_SLACK = 6.0  # pixels between the left edges, and between the heights, of two entries
WIDEST_GAP = 400.0  # pixels between two pieces of one text
ALONE = Place(alone=True)
_TRANSLATION = str.maketrans(ALIKE)


class Passage(NamedTuple):
    """One place where a text is read. A text may span lines, such as a label and its number."""

    lines: tuple[TextLine, ...]
    box: Box

    @property
    def runs(self) -> list[Run]:
        """Return the pieces of its lines, in document order."""
        runs: list[Run] = []
        for line in self.lines:
            runs += line.runs
        return runs

    @property
    def block(self) -> int:
        """Return the index of the block element of its first line."""
        return self.lines[0].node

    @property
    def center(self) -> Point:
        """Return the middle of its box, in CSS pixels."""
        return center_of(self.box)


# ---- texts -------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return the text as it is compared: small letters, one kind of quotes, single spaces."""
    translated = text.translate(_TRANSLATION)
    normal = unicodedata.normalize("NFKC", translated)
    words = normal.casefold().split()
    return " ".join(words)


def plain_texts(lines: Iterable[TextLine]) -> list[str]:
    """Return the texts of some lines, as they are compared."""
    return [plain(line.text) for line in lines]


def quotes(sentence: str) -> list[str]:
    """Return the texts that a sentence quotes, in order, each once."""
    texts: dict[str, None] = {}
    for match in QUOTED.finditer(sentence):
        content = match[match.lastindex or 0]
        text = content.strip()
        for dots in ("…", "..."):
            text = text.removesuffix(dots)
        text = text.strip()
        if text:
            texts[text] = None
    return list(texts)


def words(text: str) -> list[str]:
    """Return the words and numbers of a text, as they are compared."""
    return WORD.findall(plain(text))


def without_numbers(texts: Sequence[str]) -> list[str]:
    """Return those of some words that do not begin with a digit."""
    return [text for text in texts if not text[0].isdigit()]


def worded(text: str) -> bool:
    """Return whether a text says something: a sign such as × or › does not."""
    for word in words(text):
        if len(word) > 1:
            return True
        if word.isdigit():
            return True
    return False


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """Return what finds a text as a whole: 1 is not read in 10, 1.5, 1/2 or -1."""
    content = plain(text)
    first = content[:1]
    last = content[-1:]
    start = ""
    end = ""
    if first.isalnum():
        start = r"(?<!\w)(?<!\d[.,:/])"
    if first.isdigit():
        start += r"(?<![-+$€£])"
    if last.isalnum():
        end = r"(?!\w)(?![.,:/]\d)"
    if last.isdigit():
        end += "(?!%)"
    parts = map(re.escape, content.split())
    body = r"\s+".join(parts)
    return re.compile(start + body + end)


# ---- the lines of a state ----------------------------------------------------------------


def is_typed(snapshot: Snapshot, run: Run, action: PerformedAction | None) -> bool:
    """Return whether a run is only the text that the action itself put into a field."""
    if run.kind != "value":
        return False
    if action is None or action.verb not in TYPING:
        return False
    holder = snapshot.nodes[run.node]
    if holder.role not in ENTRIES:
        return False
    text = plain(action.text or action.option or "")
    if not text:
        return False
    return text in plain(run.text)


def readable_lines(
    snapshot: Snapshot, action: PerformedAction | None = None
) -> tuple[TextLine, ...]:
    """Return the lines that can be read, without what is being written into a field."""
    runs = []
    for run in snapshot.runs:
        if not run.seen:
            continue
        if _is_entry(snapshot, run):
            continue
        if is_typed(snapshot, run, action):
            continue
        runs.append(run)
    return lines_of(runs)


def _is_entry(snapshot: Snapshot, run: Run) -> bool:
    """Return whether a run is what stands in the field that the keyboard writes to."""
    if run.kind != "value":
        return False
    holder = snapshot.nodes[run.node]
    return holder.focused and holder.role in EDITABLE


def texts_of(snapshot: Snapshot) -> frozenset[str]:
    """Return all texts that can be read, line by line, as they are compared."""
    return frozenset(plain_texts(snapshot.seen_lines))


def lines_read_once(snapshot: Snapshot) -> dict[str, TextLine]:
    """Return the lines that say something and are read once, by their text."""
    counts = Counter(plain_texts(snapshot.seen_lines))
    lines = {}
    for line in snapshot.seen_lines:
        text = plain(line.text)
        if counts[text] != 1:
            continue
        is_text = line.runs[0].kind == "text"
        if is_text and worded(text):
            lines[text] = line
    return lines


def holder_of(snapshot: Snapshot, line: TextLine) -> Node:
    """Return the element that holds the first piece of a line."""
    first = line.runs[0]
    return snapshot.nodes[first.node]


def column_of(lines: Sequence[TextLine], line: TextLine) -> list[TextLine]:
    """Return the lines that begin below or above `line`, as high as it is: a list of entries."""
    left, _, _, height = line.box
    column = []
    for other in lines:
        other_left, _, _, other_height = other.box
        shift = abs(other_left - left)
        growth = abs(other_height - height)
        if max(shift, growth) < COLUMN_SLACK:
            column.append(other)
    return column


# ---- where a text is read ----------------------------------------------------------------


def occurrences(
    snapshot: Snapshot,
    text: str,
    place: Place | None = None,
    action: PerformedAction | None = None,
) -> list[Passage]:
    """Return where `text` can be read, at `place` alone if one is given."""
    lines = readable_lines(snapshot, action)
    spots = passages(lines, text)
    if place is None:
        return spots
    contexts = (place.near, place.container)
    for context in filter(None, contexts):
        anchors = passages(lines, context)
        if anchors:
            spots = _near(snapshot, spots, anchors, place.share)
    if not place.alone:
        return spots
    return [spot for spot in spots if _is_alone(spot, text)]


def passages(lines: Sequence[TextLine], text: str) -> list[Passage]:
    """Return the places at which `text` is read in `lines`, in document order."""
    pieces = plain_texts(lines)
    starts: list[int] = []
    length = 0
    for piece in pieces:
        starts.append(length)
        length += len(piece) + 1
    page = "\n".join(pieces)
    spots = []
    for match in pattern(text).finditer(page):
        start, end = match.span()
        first = bisect_right(starts, start) - 1
        last = bisect_right(starts, end - 1)
        span = tuple(lines[first:last])
        if span and _reads_on(span):
            boxes = [line.box for line in span]
            spot = Passage(span, around(boxes))
            spots.append(spot)
    return spots


def _reads_on(span: tuple[TextLine, ...]) -> bool:
    """Return whether consecutive lines are near enough to be read as one text."""
    for line, follower in pairwise(span):
        left, top, *_ = follower.box
        below = top - bottom_of(line.box)
        if below > 2 * line.box[3]:
            return False
        aside = left - right_of(line.box)
        if aside > WIDEST_GAP:
            return False
    return True


def _is_alone(spot: Passage, text: str) -> bool:
    """Return whether a text is a whole line, or the whole of a piece of it."""
    content = plain(text)
    texts = [line.text for line in spot.lines]
    texts += [run.text for run in spot.runs]
    return content in map(plain, texts)


def _near(
    snapshot: Snapshot,
    spots: list[Passage],
    anchors: list[Passage],
    share: float | None,
) -> list[Passage]:
    """Return the passages that share a row, or a small part of the page, with an anchor.

    `share` says how small it is on the true page; then the row does not count.
    """
    near = []
    for spot in spots:
        if share is None:
            is_near = _is_beside(snapshot, spot, anchors)
        else:
            is_near = _is_within(snapshot, spot, anchors, 2 * share)
        if is_near:
            near.append(spot)
    return near


def _is_beside(snapshot: Snapshot, spot: Passage, anchors: list[Passage]) -> bool:
    """Return whether a passage shares a row, or one place, with an anchor."""
    for anchor in anchors:
        if same_row(spot.box, anchor.box):
            return True
    return _is_within(snapshot, spot, anchors, NEAR_SHARE)


def _is_within(
    snapshot: Snapshot,
    spot: Passage,
    anchors: list[Passage],
    share: float,
) -> bool:
    """Return whether so small a share of the viewport holds a passage and an anchor."""
    for anchor in anchors:
        group = common_group(snapshot, spot, anchor)
        if is_part(snapshot, group, share):
            return True
    return False


def common_group(snapshot: Snapshot, first: Passage, second: Passage) -> Node:
    """Return the smallest element that holds both."""
    one = snapshot.nodes[first.block]
    other = snapshot.nodes[second.block]
    return snapshot.common(one, other)


def main_holder(snapshot: Snapshot, passage: Passage, text: str) -> Node:
    """Return the element that holds most of a text."""
    content = plain(text)
    best = passage.runs[0]
    for run in reversed(passage.runs):
        piece = plain(run.text)
        if piece and piece in content:
            best = run
    for run in reversed(passage.runs):
        if content in plain(run.text):
            best = run
    return snapshot.nodes[best.node]
