"""Expectations about texts: which come, go and remain, and in which order they are read."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.browser.snapshot import Snapshot
from iwr.contract.geometry import comes_before
from iwr.contract.outcome import Outcome, Transition, no, yes
from iwr.contract.reading import Passage, occurrences
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
    if len(after) > len(before):
        return yes(f"{text!r} appears")
    return no(f"{text!r} could be read before, and no more often afterwards")


def disappears(expectation: TextDisappears, change: Transition) -> Outcome:
    """Return whether a text can be read less often afterwards or, for `all`, not at all."""
    text = expectation.text
    before = change.read_before(text, expectation.place)
    after = change.read_after(text, expectation.place)
    if not before:
        return no(f"{text!r} could not be read before")
    if len(after) >= len(before):
        return no(f"{text!r} can still be read")
    if after and expectation.all:
        return no(f"{text!r} can still be read {len(after)} times")
    return yes(f"{text!r} disappears")


def remains(expectation: TextRemains, change: Transition) -> Outcome:
    """Return whether a text that could be read still can."""
    text = expectation.text
    if change.read_before(text) and not change.read_after(text):
        return no(f"{text!r} is lost")
    return yes(f"{text!r} remains")


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
        last = _next_passage(
            text,
            page,
            last,
        )
        if last is None:
            return False
    return True


def _next_passage(
    text: str,
    page: Snapshot,
    last: Passage | None,
) -> Passage | None:
    """Return where a text is read first after another passage."""
    best: Passage | None = None
    for passage in occurrences(page, text):
        if last is not None and not comes_before(last.box, passage.box):
            continue
        if best is None or comes_before(passage.box, best.box):
            best = passage
    return best
