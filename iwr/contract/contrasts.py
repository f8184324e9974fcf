"""Texts that are painted otherwise than their like, such as the greyed days of a calendar.

What opens has no earlier look to compare with, so its parts are compared with each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from iwr.browser.snapshot import Snapshot, TextLine
from iwr.contract.difference import Difference
from iwr.contract.geometry import similar_size
from iwr.contract.looks import differ
from iwr.contract.outcome import Transition
from iwr.contract.reading import holder_of
from iwr.contract.schema import Aspect, Contrast

WATCHED = (Aspect.COLOUR, Aspect.STRUCK)
LONGEST_TEXT = 60
LEAST_LIKENESS = 0.8
MOST_CONTRASTS = 6  # more are a pattern, such as striped rows, and no distinction


def contrasts(change: Transition) -> Iterator[Difference]:
    """Yield where, in what opened, one text looks otherwise than the next of its like.

    What comes into view because the page scrolled did not open.
    """
    if any(change.scroll):
        return
    entries: list[Difference] = []
    for line, follower in pairwise(_fresh_lines(change)):
        entries += _between(change.after, line, follower)
    if len(entries) <= MOST_CONTRASTS:
        yield from entries


def _fresh_lines(change: Transition) -> list[TextLine]:
    """Return the short lines on elements of which nothing could be read before."""
    before = change.before
    read = set()
    for run in before.runs:
        if run.seen:
            holder = before.nodes[run.node]
            read.add(holder.uid)
    lines = []
    for line in change.after.seen_lines:
        if len(line.text) > LONGEST_TEXT:
            continue
        holder = holder_of(change.after, line)
        if holder.uid not in read:
            lines.append(line)
    return lines


def _between(page: Snapshot, line: TextLine, other: TextLine) -> Iterator[Difference]:
    """Yield the contrasts between two texts, provided that their elements are alike."""
    first = holder_of(page, line)
    second = holder_of(page, other)
    if first.tag != second.tag:
        return
    if not similar_size(first.box, second.box, LEAST_LIKENESS):
        return
    words = f"{line.text} {other.text}"
    for aspect in WATCHED:
        if differ(page, first, second, aspect):
            expectation = Contrast(
                text=line.text,
                unlike=other.text,
                aspect=aspect,
            )
            yield Difference(expectation, words, line.box)
