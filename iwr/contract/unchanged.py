"""What an action has to leave alone: the like of what goes, or looks otherwise, afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.check import holds
from iwr.contract.geometry import is_part
from iwr.contract.looks import aspects, same_aspect
from iwr.contract.observation import distinct
from iwr.contract.outcome import Transition
from iwr.contract.reading import (
    holder_of,
    occurrences,
    plain,
    texts_of,
    without_numbers,
    worded,
    words,
)
from iwr.contract.schema import Expectation, Look, Target, TextAppears, TextDisappears, TextRemains
from iwr.contract.search import all_like, find
from iwr.contract.target import describe_target

MOST = 4  # neighbours of one thing
GROUP_SHARE = 0.6  # of the viewport: a larger group is the page, not a list


def derive_unchanged(
    before: Snapshot,
    after: Snapshot,
    expectations: Sequence[Expectation],
) -> tuple[Expectation, ...]:
    """Return that the neighbours of what changes, of which some are seen to last, stay."""
    change = Transition(before, after)
    kept = []
    for expectation in expectations:
        for entry in _lasting_beside(change, expectation):
            if holds(entry, change):
                kept.append(entry)
    return distinct(kept)


def _lasting_beside(change: Transition, expectation: Expectation) -> Sequence[Expectation]:
    """Return what is to stay as it was where an expectation is met."""
    match expectation:
        case TextDisappears(text=text):
            texts = _texts_beside(change, text)
            return [TextRemains(text=other) for other in texts]
        case TextAppears(text=text):
            return _counters_like(change, text)
        case Look():
            return _looks_beside(change, expectation)
        case _:
            return []


# ---- counters ----------------------------------------------------------------------------


def _counters_like(change: Transition, text: str) -> list[TextRemains]:
    """Return that the counters that only differ in their numbers from `text` remain."""
    name = _counted(text)
    if not name:
        return []
    lasting = texts_of(change.after)
    counters = []
    for line in change.before.seen_lines:
        if _counted(line.text) == name and plain(line.text) in lasting:
            counters.append(TextRemains(text=line.text))
    return counters[:MOST]


def _counted(text: str) -> list[str]:
    """Return the words of a text that has a number, without it; none of any other text."""
    everything = words(text)
    letters = without_numbers(everything)
    if letters == everything:
        return []
    return letters


# ---- neighbours --------------------------------------------------------------------------


def _texts_beside(change: Transition, text: str) -> list[str]:
    """Return the texts around `text` in the smallest group that has any which last."""
    page = change.before
    spots = occurrences(page, text)
    if not spots:
        return []
    lasting = texts_of(change.after)
    holder = holder_of(page, spots[0].lines[0])
    for group in page.ancestors(holder):
        if not is_part(page, group, GROUP_SHARE):
            break
        texts = []
        for line in page.lines_in(group, seen=True):
            other = plain(line.text)
            if other in lasting and worded(other) and plain(text) not in other:
                texts.append(line.text)
        if texts:
            return texts[:MOST]
    return []


def _looks_beside(change: Transition, look: Look) -> list[Look]:
    """Return that the like of a text or an element looks as before."""
    same = look.model_copy(update={"after": look.before})
    looks = []
    if look.text:
        for text in _texts_beside(change, look.text):
            looks.append(same.model_copy(update={"text": text}))
    elif look.element:
        for element in _elements_beside(change, look, look.element):
            looks.append(same.model_copy(update={"element": element}))
    return looks


def _elements_beside(change: Transition, look: Look, element: Target) -> list[Target]:
    """Return the nearest like of an element that looks as before."""
    page = change.after
    node = find(element, page).node
    if node is None:
        return []
    index = node.index

    def distance(other: Node) -> int:
        """Return how many elements are between, in the markup."""
        return abs(other.index - index)

    like = []
    for other in all_like(element, page):
        value = aspects(page, other)[look.aspect]
        if same_aspect(look.aspect, value, look.before):
            like.append(other)
    like.sort(key=distance)
    return [describe_target(page, other) for other in like[:MOST]]
