"""Expectations about looks: how a text or an element is painted."""

from __future__ import annotations

import math
from itertools import product

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.looks import aspects, differ, same_aspect
from iwr.contract.outcome import Outcome, Transition, no, title_of, yes
from iwr.contract.reading import ALONE, Passage, common_group, main_holder, occurrences
from iwr.contract.schema import Aspect, Contrast, Look
from iwr.contract.search import find

MOST_SPOTS = 50  # at which one of the two texts of a contrast is looked at


def look(expectation: Look, change: Transition) -> Outcome:
    """Return whether a text or an element looks as expected, and otherwise than before."""
    title = title_of(expectation.element, expectation.text)
    if not _nodes(expectation, change.after):
        return no(f"{title} is not there afterwards")
    after = _count_like(expectation, change.after)
    if _is_lasting(expectation):
        if after:
            return yes(f"{title} looks as before")
        return no(f"{title} does not look as before")
    name = _named(expectation.aspect, expectation.after)
    if after == 0:
        return no(f"{title} is not {name}")
    before = _count_like(expectation, change.before)
    if after > before:
        return yes(f"{title} is {name}")
    return no(f"{title} was {name} before")


def _is_lasting(expectation: Look) -> bool:
    """Return whether the expected look is the one before the action."""
    return same_aspect(expectation.aspect, expectation.before, expectation.after)


def _count_like(expectation: Look, page: Snapshot) -> int:
    """Return how many occurrences of the text, or of the element, look as expected."""
    aspect = expectation.aspect
    count = 0
    for node in _nodes(expectation, page):
        value = aspects(page, node)[aspect]
        count += same_aspect(aspect, value, expectation.after)
    return count


def _nodes(expectation: Look, page: Snapshot) -> list[Node]:
    """Return what holds each occurrence of the text, or else the element."""
    text = expectation.text
    if text is not None:
        spots = occurrences(page, text)
        return [main_holder(page, spot, text) for spot in spots]
    if expectation.element is None:
        return []
    node = find(expectation.element, page).node
    return [node] if node else []


def _named(aspect: Aspect, value: str) -> str:
    """Return how a look is called in a reason."""
    if value == "true":
        return aspect.value
    if value == "false":
        return f"not {aspect.value}"
    return f"of the {aspect.value} {value}"


# ---- contrasts -------------------------------------------------------------------------


def contrast(expectation: Contrast, change: Transition) -> Outcome:
    """Return whether two texts look as different as they have to."""
    page = change.after
    text = expectation.text
    unlike = expectation.unlike
    pair = _closest(page, text, unlike)
    if pair is None:
        return no(f"{text!r} and {unlike!r} cannot both be read")
    spot, other = pair
    first = main_holder(page, spot, text)
    second = main_holder(page, other, unlike)
    if differ(page, first, second, expectation.aspect):
        return yes(f"{text!r} looks otherwise than {unlike!r}")
    return no(f"{text!r} looks like {unlike!r}")


def _closest(page: Snapshot, text: str, other: str) -> tuple[Passage, Passage] | None:
    """Return where two texts stand closest together; None where one is not there."""
    spots = occurrences(page, text, ALONE)[:MOST_SPOTS]
    others = occurrences(page, other, ALONE)[:MOST_SPOTS]
    best = None
    smallest = math.inf
    for pair in product(spots, others):
        span = _span(page, *pair)
        if span < smallest:
            best = pair
            smallest = span
    return best


def _span(page: Snapshot, first: Passage, second: Passage) -> float:
    """Return how much of the page it takes to hold two texts, in square pixels."""
    group = common_group(page, first, second)
    distance = math.dist(first.center, second.center)
    return group.area + distance
