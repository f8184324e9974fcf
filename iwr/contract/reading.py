"""What a person can read in a state, and where: the texts that contracts are about."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from iwr.browser.snapshot import EDITABLE, Box, Run, Snapshot, TextLine, lines_of
from iwr.contract.schema import PerformedAction, Place, Verb

QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|‘([^’]+)’"
    r"|(?<![\w])'((?:[^']|(?<=\w)'(?=\w))+)'(?![\w])|`([^`]+)`"
)
ALIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u2212": "-", "\u2013": "-"})
WORD = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+")
TYPING = (Verb.TYPE, Verb.SELECT)


class Passage(NamedTuple):
    """One place where a text is read. A text may span lines, such as a label and its number."""

    lines: tuple[TextLine, ...]
    box: Box

    @property
    def runs(self) -> Iterator[Run]:
        for line in self.lines:
            yield from line.runs

    @property
    def center(self) -> tuple[float, float]:
        x, y, width, height = self.box
        return x + width / 2, y + height / 2


def plain(text: str) -> str:
    """Return the text as it is compared: small letters, one kind of quotes, single spaces."""
    normal = unicodedata.normalize("NFKC", text.translate(ALIKE))
    return " ".join(normal.casefold().split())


def quotes(sentence: str) -> list[str]:
    """Return the texts that a sentence quotes, in order, each once."""
    texts: list[str] = []
    for match in QUOTED.finditer(sentence):
        text = next(group for group in match.groups() if group is not None)
        text = text.strip().removesuffix("…").removesuffix("...").strip()
        if text and text not in texts:
            texts.append(text)
    return texts


def words(text: str) -> list[str]:
    """Return the words and numbers of a text, as they are compared."""
    return WORD.findall(plain(text))


def worded(text: str) -> bool:
    """Return whether a text says something: a sign such as × or › does not."""
    return any(word[0].isdigit() or len(word) > 1 for word in words(text))


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """Return what finds a text as a whole: 1 is not read in 10, 1.5, 1/2 or -1."""
    body = r"\s+".join(re.escape(part) for part in plain(text).split())
    start = end = ""
    if body and plain(text)[0].isalnum():
        start = r"(?<!\w)(?<!\d[.,:/])"
    if plain(text)[:1].isdigit():
        start += r"(?<![-+$€£])"
    if body and plain(text)[-1].isalnum():
        end = r"(?!\w)(?![.,:/]\d)"
    if plain(text)[-1:].isdigit():
        end += "(?!%)"
    return re.compile(start + body + end)


# ---- the lines of a state ----------------------------------------------------------------


def is_typed(snapshot: Snapshot, run: Run, action: PerformedAction | None) -> bool:
    """Return whether a run is only the text that the action itself put into a field."""
    if action is None or action.verb not in TYPING or run.kind != "value":
        return False
    text = plain(action.text or action.option or "")
    node = snapshot.nodes[run.node]
    takes_text = node.role in EDITABLE or node.role == "combobox"
    return bool(text) and takes_text and text in plain(run.text)


def readable_lines(
    snapshot: Snapshot, action: PerformedAction | None = None
) -> tuple[TextLine, ...]:
    """Return the lines that can be read, without the text that the action itself typed."""
    if action is None or action.verb not in TYPING:
        return snapshot.seen_lines
    readable = (run for run in snapshot.runs if run.seen and not is_typed(snapshot, run, action))
    return lines_of(readable)


def texts_of(snapshot: Snapshot) -> frozenset[str]:
    """Return all texts that can be read, line by line, as they are compared."""
    return frozenset(plain(line.text) for line in snapshot.seen_lines)


def passages(lines: tuple[TextLine, ...], text: str) -> list[Passage]:
    """Return the places at which `text` is read in `lines`, in document order."""
    starts: list[int] = []
    pieces: list[str] = []
    length = 0
    for line in lines:
        starts.append(length)
        pieces.append(plain(line.text))
        length += len(pieces[-1]) + 1
    page = "\n".join(pieces)
    places = []
    for match in pattern(text).finditer(page):
        first = _line_at(starts, match.start())
        last = _line_at(starts, match.end() - 1)
        span = lines[first : last + 1]
        if span and _together(span):
            places.append(Passage(span, _around(span)))
    return places


def _line_at(starts: list[int], offset: int) -> int:
    return bisect_right(starts, offset) - 1


def _together(span: tuple[TextLine, ...]) -> bool:
    """Return whether consecutive lines stand near enough to be read as one text."""
    for line, follower in pairwise(span):
        below = follower.box[1] - (line.box[1] + line.box[3])
        aside = follower.box[0] - (line.box[0] + line.box[2])
        if below > 2 * line.box[3] or aside > 400:
            return False
    return True


def _around(span: tuple[TextLine, ...]) -> Box:
    left = min(line.box[0] for line in span)
    top = min(line.box[1] for line in span)
    right = max(line.box[0] + line.box[2] for line in span)
    bottom = max(line.box[1] + line.box[3] for line in span)
    return left, top, right - left, bottom - top


def occurrences(
    snapshot: Snapshot,
    text: str,
    place: Place | None = None,
    action: PerformedAction | None = None,
) -> list[Passage]:
    """Return where `text` can be read, at `place` alone if one is given."""
    lines = readable_lines(snapshot, action)
    places = passages(lines, text)
    if place is None or not places:
        return places
    for context in (place.near, place.container):
        anchors = passages(lines, context) if context else []
        if anchors:
            places = [spot for spot in places if _is_near(snapshot, spot, anchors)]
    return places


def _is_near(snapshot: Snapshot, spot: Passage, anchors: list[Passage]) -> bool:
    """Return whether a passage shares a row, or a small part of the page, with an anchor."""
    for anchor in anchors:
        if same_row(spot.box, anchor.box):
            return True
        holder = snapshot.nodes[spot.lines[0].node]
        other = snapshot.nodes[anchor.lines[0].node]
        shared = snapshot.common(holder, other)
        if shared.area < 0.3 * snapshot.width * snapshot.height:
            return True
    return False


def same_row(a: Box, b: Box) -> bool:
    """Return whether two boxes overlap vertically by half of the lower one."""
    shared = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return shared >= 0.5 * min(a[3], b[3])


def comes_before(a: Box, b: Box) -> bool:
    """Return whether `a` is read before `b`: in a row above, or to the left of it."""
    if same_row(a, b):
        return a[0] < b[0]
    return a[1] + a[3] / 2 < b[1] + b[3] / 2
