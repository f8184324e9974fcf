"""Expectations about looks: how a text or an element is painted."""

from __future__ import annotations

from iwr.browser.snapshot import Snapshot
from iwr.contract.looks import aspects, same_aspect
from iwr.contract.outcome import Outcome, Transition, no, title_of, yes
from iwr.contract.reading import holder_of, occurrences
from iwr.contract.schema import Aspect, Look
from iwr.contract.target import find


def look(expectation: Look, change: Transition) -> Outcome:
    """Return whether a text or an element looks as expected, and otherwise than before."""
    title = title_of(expectation.element, expectation.text)
    aspect = expectation.aspect
    values = _values(expectation, change.after)
    if not values:
        return no(f"{title} is not there afterwards")
    after = _count_like(values, expectation)
    if same_aspect(
        aspect,
        expectation.before,
        expectation.after,
    ):
        if after:
            return yes(f"{title} looks as before")
        return no(f"{title} does not look as before")
    name = _named(aspect, expectation.after)
    before = _count_like(_values(expectation, change.before), expectation)
    if after > before:
        return yes(f"{title} is {name}")
    if after == 0:
        return no(f"{title} is not {name}")
    return no(f"{title} was {name} before")


def _values(expectation: Look, page: Snapshot) -> list[str]:
    """Return the aspect of each occurrence of the text, or of the element."""
    nodes = []
    if expectation.text is not None:
        for passage in occurrences(page, expectation.text):
            nodes.append(page.nodes[holder_of(passage, expectation.text)])
    elif expectation.element is not None:
        node = find(expectation.element, page).node
        if node is not None:
            nodes.append(node)
    return [aspects(page, node)[expectation.aspect] for node in nodes]


def _count_like(values: list[str], expectation: Look) -> int:
    count = 0
    for value in values:
        count += same_aspect(
            expectation.aspect,
            value,
            expectation.after,
        )
    return count


def _named(aspect: Aspect, value: str) -> str:
    if value == "true":
        return aspect.value
    if value == "false":
        return f"not {aspect.value}"
    return f"of the {aspect.value} {value}"
