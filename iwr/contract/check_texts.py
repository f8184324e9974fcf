"""Expectations about texts: which come, go and remain, and in which order they are read."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.browser.snapshot import Snapshot
from iwr.contract.geometry import comes_before
from iwr.contract.outcome import Outcome, Transition, no, yes
from iwr.contract.reading import Passage, column_of, occurrences, passages, plain_texts, texts_of
from iwr.contract.schema import Order, TextAppears, TextDisappears, TextRemains


def appears(expectation: TextAppears, change: Transition) -> Outcome:
    """Return whether a text can be read afterwards and, where it is new, more often."""
    text = expectation.text
    after = change.read_after(text, expectation.place)
    if not after:
        return no(f"{text!r} cannot be read afterwards")
    if not expectation.new:
        return yes(f"{text!r} can be read")
    before = change.read_before(text, expectation.place)
    surplus = len(after) - len(before)
    if surplus <= 0:
        return no(f"{text!r} could be read before, and no more often afterwards")
    times = expectation.times
    if max(surplus, _surplus(text, change)) < times:
        return no(f"{text!r} appears {surplus} times, not {times} times")
    most = expectation.company
    if most is not None:
        count = company_of(after[0], change)
        if count > most:
            return no(f"{text!r} appears with {count} lines, not {most}")
    return yes(f"{text!r} appears")


def _surplus(text: str, change: Transition) -> int:
    """Return how much more often a text stands on the page than before, in view or not."""
    before = passages(change.before.lines, text)
    after = passages(change.after.lines, text)
    return len(after) - len(before)


def company_of(passage: Passage, change: Transition) -> int:
    """Return how many lines in the column of a text, itself included, were not read before."""
    before = texts_of(change.before)
    first = passage.lines[0]
    column = column_of(change.after.seen_lines, first)
    count = 0
    for text in plain_texts(column):
        count += text not in before
    return count


def disappears(expectation: TextDisappears, change: Transition) -> Outcome:
    """Return whether a text can be read less often afterwards or, for `all`, not at all."""
    text = expectation.text
    place = expectation.place
    before = change.read_before(text, place)
    if not before and place is None:
        before = passages(change.before.lines, text)  # covered, or out of view
    if not before:
        return no(f"{text!r} could not be read before")
    after = change.read_after(text, place)
    if len(after) >= len(before):
        return no(f"{text!r} can still be read")
    if after and expectation.all:
        return no(f"{text!r} can still be read {len(after)} times")
    return yes(f"{text!r} disappears")


def remains(expectation: TextRemains, change: Transition) -> Outcome:
    """Return whether a text that could be read is still there, in view or not."""
    text = expectation.text
    before = change.read_before(text)
    after = passages(change.after.lines, text)
    if before and not after:
        return no(f"{text!r} is lost")
    return yes(f"{text!r} remains")


# ---- order -------------------------------------------------------------------------------


def order(expectation: Order, change: Transition) -> Outcome:
    """Return whether texts are read in an order that they were not in before."""
    texts = expectation.texts
    names = ", ".join(texts)
    for text in texts:
        if not occurrences(change.after, text):
            return no(f"{text!r} cannot be read afterwards")
    if not _are_in_order(texts, change.after):
        return no(f"the order is not {names}")
    if _are_in_order(texts, change.before):
        return no(f"the order was {names} before")
    return yes(f"the order is {names}")


def _are_in_order(texts: Sequence[str], page: Snapshot) -> bool:
    """Return whether the texts can be read one after another."""
    last: Passage | None = None
    for text in texts:
        last = _next_passage(text, page, last)
        if last is None:
            return False
    return True


def _next_passage(text: str, page: Snapshot, last: Passage | None) -> Passage | None:
    """Return where a text is read first after another passage."""
    best: Passage | None = None
    for spot in occurrences(page, text):
        if last and not _precedes(last, spot):
            continue
        if best is None or _precedes(spot, best):
            best = spot
    return best


def _precedes(spot: Passage, other: Passage) -> bool:
    """Return whether one passage is read before another."""
    return comes_before(spot.box, other.box)
