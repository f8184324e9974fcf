"""Expectations about elements: their values, their states, how many of them there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.outcome import (
    Answer,
    Outcome,
    Transition,
    no,
    title_of,
    undecided,
    with_not,
    yes,
)
from iwr.contract.reading import occurrences, plain
from iwr.contract.schema import Count, ElementState, FieldValue, StateName, Target
from iwr.contract.search import all_like, find

ON = ("true", "mixed", "page", "step")
Question = Callable[[Snapshot, Node], Outcome]
"""Whether an element of a page is as expected."""


def _ask(question: Question, target: Target, change: Transition, *, is_new: bool) -> Outcome:
    """Return the answer to a question about the element that fits `target` afterwards.

    `is_new`: the answer must not have been yes before.
    """
    match = find(target, change.after)
    if match.node is None:
        return no(match.reason)
    if match.tied:
        title = title_of(target)
        return undecided(f"several elements fit {title} equally well")
    outcome = question(change.after, match.node)
    if outcome.answer is Answer.YES and is_new:
        earlier = find(target, change.before)
        if earlier.node is None or earlier.tied:
            return outcome  # there is no telling which element it was
        if question(change.before, earlier.node).answer is Answer.YES:
            return no(f"{outcome.reason}, as before")
    return outcome


# ---- values ------------------------------------------------------------------------------


def value(expectation: FieldValue, change: Transition) -> Outcome:
    """Return whether a field holds a value afterwards that it did not hold before."""
    title = title_of(expectation.field)
    expected = plain(expectation.value)

    def holds(page: Snapshot, node: Node) -> Outcome:
        content = value_of(page, node)
        if plain(content) == expected:
            return yes(f"{title} is {content!r}")
        return no(f"{title} is {content!r}, not {expectation.value!r}")

    is_new = expectation.before is not None
    return _ask(holds, expectation.field, change, is_new=is_new)


def value_of(page: Snapshot, node: Node) -> str:
    """Return what a control holds: its value, or the text of one that is drawn."""
    if node.value is not None:
        return node.value
    number = node.states.get("valuenow")
    return number or page.text(node)


# ---- states ------------------------------------------------------------------------------


def state(expectation: ElementState, change: Transition) -> Outcome:
    """Return whether an element is in a state afterwards that it was not in before."""
    if expectation.name is StateName.VISIBLE:
        return _visible(expectation, change)
    title = title_of(expectation.element)
    name = expectation.name

    def is_in_state(page: Snapshot, node: Node) -> Outcome:
        actual = state_of(page, node, name)
        if actual is None:
            return undecided(f"nothing tells whether {title} is {name}")
        reason = f"{title} is {with_not(actual, name)}"
        if actual is expectation.value:
            return yes(reason)
        return no(reason)

    is_new = expectation.before is not None
    return _ask(is_in_state, expectation.element, change, is_new=is_new)


def state_of(page: Snapshot, node: Node, name: StateName) -> bool | None:
    """Return a state of an element; None when nothing on the page tells it."""
    for entry in _tellers(page, node):
        text = entry.states.get(name.value)
        if text is not None:
            return text in ON
    if name is StateName.DISABLED:
        return False
    return None


def _tellers(page: Snapshot, node: Node) -> Iterator[Node]:
    """Yield what tells the state of an element: itself, what is in it, what directly holds it."""
    yield from page.subtree(node)
    if node.parent >= 0:
        yield page.nodes[node.parent]


def _visible(expectation: ElementState, change: Transition) -> Outcome:
    """Return whether an element came into view, or left it."""
    title = title_of(expectation.element)
    expected = expectation.value
    visible = _is_in_view(expectation.element, change.after)
    reason = f"{title} is {with_not(visible, 'visible')} afterwards"
    if visible is not expected:
        return no(reason)
    if expectation.before is None:
        return yes(reason)
    if _is_in_view(expectation.element, change.before) is expected:
        return no(f"{title} was {with_not(expected, 'visible')} before")
    return yes(reason)


def _is_in_view(element: Target, page: Snapshot) -> bool:
    """Return whether what fits an element best can be seen without scrolling."""
    node = find(element, page).node
    if node is None:
        return False
    return node.in_view


# ---- counts ------------------------------------------------------------------------------


def count(expectation: Count, change: Transition) -> Outcome:
    """Return whether a text, or what looks like an element, is there so many times."""
    if expectation.text is None and expectation.element is None:
        return undecided("the contract does not say what is counted")
    expected = f"{expectation.before} and {expectation.after}"
    title = title_of(expectation.element, expectation.text)
    before = _count_in(change.before, expectation)
    after = _count_in(change.after, expectation)
    if before != expectation.before or after != expectation.after:
        return no(f"{title} is there {before} times before and {after} afterwards, not {expected}")
    return yes(f"{title} is there {after} times instead of {before}")


def _count_in(page: Snapshot, expectation: Count) -> int:
    """Return how often the text, or else how many of the element's like, can be seen."""
    if expectation.text is not None:
        return len(occurrences(page, expectation.text))
    element = expectation.element or Target()
    return len(all_like(element, page))
