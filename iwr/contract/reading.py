"""What a person can read in a state, and where: the texts that contracts are about."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from iwr.browser.snapshot import EDITABLE, Box, Run, Snapshot, TextLine, lines_of
from iwr.contract.geometry import around, bottom_of, center_of, right_of, same_row
from iwr.contract.schema import PerformedAction, Place, Point, Verb

QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|‘([^’]+)’"
    r"|(?<![\w])'((?:[^']|(?<=\w)'(?=\w))+)'(?![\w])|`([^`]+)`"
)
ALIKE = {"’": "'", "‘": "'", "“": '"', "”": '"', "\u2212": "-", "\u2013": "-"}
WORD = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+")
TYPING = (Verb.TYPE, Verb.SELECT)
NEAR_SHARE = 0.3  # of the viewport: a group no larger than this is one place
WIDEST_GAP = 400.0  # pixels between two pieces of one text
_TRANSLATION = str.maketrans(ALIKE)


class Passage(NamedTuple):
    """One place where a text is read. A text may span lines, such as a label and its number."""

    lines: tuple[TextLine, ...]
    box: Box

    @property
    def runs(self) -> Iterator[Run]:
        for line in self.lines:
            yield from line.runs

    @property
    def center(self) -> Point:
        return center_of(self.box)


# ---- texts -------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return the text as it is compared: small letters, one kind of quotes, single spaces."""
    normal = unicodedata.normalize("NFKC", text.translate(_TRANSLATION))
    return " ".join(normal.casefold().split())


def quotes(sentence: str) -> list[str]:
    """Return the texts that a sentence quotes, in order, each once."""
    texts: dict[str, None] = {}
    for match in QUOTED.finditer(sentence):
        content = match[match.lastindex or 0]
        text = content.strip().removesuffix("…").removesuffix("...").strip()
        if text:
            texts[text] = None
    return list(texts)


def words(text: str) -> list[str]:
    """Return the words and numbers of a text, as they are compared."""
    return WORD.findall(plain(text))


def worded(text: str) -> bool:
    """Return whether a text says something: a sign such as × or › does not."""
    return any(word[0].isdigit() or len(word) > 1 for word in words(text))


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """Return what finds a text as a whole: 1 is not read in 10, 1.5, 1/2 or -1."""
    content = plain(text)
    parts = [re.escape(part) for part in content.split()]
    body = r"\s+".join(parts)
    start = ""
    end = ""
    if content[:1].isalnum():
        start = r"(?<!\w)(?<!\d[.,:/])"
    if content[:1].isdigit():
        start += r"(?<![-+$€£])"
    if content[-1:].isalnum():
        end = r"(?!\w)(?![.,:/]\d)"
    if content[-1:].isdigit():
        end += "(?!%)"
    return re.compile(start + body + end)


# ---- the lines of a state ----------------------------------------------------------------


def is_typed(
    snapshot: Snapshot,
    run: Run,
    action: PerformedAction | None,
) -> bool:
    """Return whether a run is only the text that the action itself put into a field."""
    if action is None or action.verb not in TYPING or run.kind != "value":
        return False
    text = plain(action.text or action.option or "")
    role = snapshot.nodes[run.node].role
    if role not in EDITABLE and role != "combobox":
        return False
    return bool(text) and text in plain(run.text)


def readable_lines(
    snapshot: Snapshot,
    action: PerformedAction | None = None,
) -> tuple[TextLine, ...]:
    """Return the lines that can be read, without the text that the action itself typed."""
    if action is None or action.verb not in TYPING:
        return snapshot.seen_lines
    runs = []
    for run in snapshot.runs:
        if run.seen and not is_typed(
            snapshot,
            run,
            action,
        ):
            runs.append(run)
    return lines_of(runs)


def texts_of(snapshot: Snapshot) -> frozenset[str]:
    """Return all texts that can be read, line by line, as they are compared."""
    return frozenset(plain(line.text) for line in snapshot.seen_lines)


def passages(lines: Sequence[TextLine], text: str) -> list[Passage]:
    """Return the places at which `text` is read in `lines`, in document order."""
    starts: list[int] = []
    pieces: list[str] = []
    length = 0
    for line in lines:
        piece = plain(line.text)
        starts.append(length)
        pieces.append(piece)
        length += len(piece) + 1
    page = "\n".join(pieces)
    places = []
    for match in pattern(text).finditer(page):
        first = bisect_right(starts, match.start()) - 1
        last = bisect_right(starts, match.end() - 1)
        span = tuple(lines[first:last])
        if span and _reads_on(span):
            boxes = [line.box for line in span]
            places.append(Passage(span, around(boxes)))
    return places


def _reads_on(span: tuple[TextLine, ...]) -> bool:
    """Return whether consecutive lines are near enough to be read as one text."""
    for line, follower in pairwise(span):
        below = follower.box[1] - bottom_of(line.box)
        aside = follower.box[0] - right_of(line.box)
        if below > 2 * line.box[3] or aside > WIDEST_GAP:
            return False
    return True


def occurrences(
    snapshot: Snapshot,
    text: str,
    place: Place | None = None,
    action: PerformedAction | None = None,
) -> list[Passage]:
    """Return where `text` can be read, at `place` alone if one is given."""
    lines = readable_lines(snapshot, action)
    places = passages(lines, text)
    if place is None:
        return places
    for context in (place.near, place.container):
        anchors = passages(lines, context) if context else []
        if anchors:
            places = [
                spot
                for spot in places
                if _is_near(
                    snapshot,
                    spot,
                    anchors,
                )
            ]
    return places


def _is_near(
    snapshot: Snapshot,
    spot: Passage,
    anchors: list[Passage],
) -> bool:
    """Return whether a passage shares a row, or a small part of the page, with an anchor."""
    limit = NEAR_SHARE * snapshot.width * snapshot.height
    holder = snapshot.nodes[spot.lines[0].node]
    for anchor in anchors:
        if same_row(spot.box, anchor.box):
            return True
        other = snapshot.nodes[anchor.lines[0].node]
        if snapshot.common(holder, other).area < limit:
            return True
    return False


def holder_of(passage: Passage, text: str) -> int:
    """Return the index of the element that holds most of a text."""
    runs = list(passage.runs)
    content = plain(text)
    for run in runs:
        if content in plain(run.text):
            return run.node
    for run in runs:
        piece = plain(run.text)
        if piece and piece in content:
            return run.node
    return runs[0].node
