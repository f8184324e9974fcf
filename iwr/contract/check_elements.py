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
from iwr.contract.target import all_like, find

ON = ("true", "mixed", "page", "step")


def _about(
    target: Target,
    page: Snapshot,
    answer: Callable[[Node], Outcome],
) -> Outcome:
    """Return what `answer` says about the element that fits `target`."""
    match = find(target, page)
    if match.node is None:
        return no(match.reason)
    if match.tied:
        return undecided(f"several elements fit {title_of(target)} equally well")
    return answer(match.node)


def _earlier(target: Target, change: Transition) -> Node | None:
    """Return the element as it was before, if there is no doubt which one it was."""
    match = find(target, change.before)
    return None if match.tied else match.node


# ---- values ------------------------------------------------------------------------------


def value(expectation: FieldValue, change: Transition) -> Outcome:
    """Return whether a field holds a value afterwards that it did not hold before."""
    name = title_of(expectation.field)
    expected = plain(expectation.value)

    def answer(node: Node) -> Outcome:
        content = value_of(change.after, node)
        if plain(content) != expected:
            return no(f"{name} is {content!r}, not {expectation.value!r}")
        return yes(f"{name} is {content!r}")

    outcome = _about(
        expectation.field,
        change.after,
        answer,
    )
    if outcome.answer is not Answer.YES or expectation.before is None:
        return outcome
    earlier = _earlier(expectation.field, change)
    if earlier and plain(value_of(change.before, earlier)) == expected:
        return no(f"{name} was {expectation.value!r} before")
    return outcome


def value_of(page: Snapshot, node: Node) -> str:
    """Return what a control holds: its value, or the text of one that is drawn."""
    if node.value is not None:
        return node.value
    return node.states.get("valuenow") or page.text(node)


# ---- states ------------------------------------------------------------------------------


def state(expectation: ElementState, change: Transition) -> Outcome:
    """Return whether an element is in a state afterwards that it was not in before."""
    if expectation.name is StateName.VISIBLE:
        return _visible(expectation, change)
    title = title_of(expectation.element)
    name = expectation.name

    def answer(node: Node) -> Outcome:
        actual = state_of(
            change.after,
            node,
            name,
        )
        if actual is None:
            return undecided(f"nothing tells whether {title} is {name}")
        reason = f"{title} is {with_not(actual, name)}"
        return yes(reason) if actual is expectation.value else no(reason)

    outcome = _about(
        expectation.element,
        change.after,
        answer,
    )
    if outcome.answer is not Answer.YES or expectation.before is None:
        return outcome
    earlier = _earlier(expectation.element, change)
    if (
        earlier
        and state_of(
            change.before,
            earlier,
            name,
        )
        is expectation.value
    ):
        return no(f"{title} was {with_not(expectation.value, name)} before")
    return outcome


def state_of(
    page: Snapshot,
    node: Node,
    name: StateName,
) -> bool | None:
    """Return a state of an element; None when nothing on the page tells it."""
    for entry in _tellers(page, node):
        text = entry.states.get(name.value)
        if text is not None:
            return text in ON
    return False if name is StateName.DISABLED else None


def _tellers(page: Snapshot, node: Node) -> Iterator[Node]:
    """Yield what tells the state of an element: itself, what is in it, what directly holds it."""
    yield from page.subtree(node)
    if node.parent >= 0:
        yield page.nodes[node.parent]


def _visible(expectation: ElementState, change: Transition) -> Outcome:
    """Return whether an element came into view, or left it."""
    title = title_of(expectation.element)
    expected = expectation.value
    after = find(expectation.element, change.after).node
    visible = after is not None and after.in_view
    reason = f"{title} is {with_not(visible, 'visible')} afterwards"
    if visible is not expected:
        return no(reason)
    if expectation.before is None:
        return yes(reason)
    before = find(expectation.element, change.before).node
    was_visible = before is not None and before.in_view
    if was_visible is expected:
        return no(f"{title} was {with_not(expected, 'visible')} before")
    return yes(reason)


# ---- counts ------------------------------------------------------------------------------


def count(expectation: Count, change: Transition) -> Outcome:
    """Return whether a text, or what looks like an element, is there so many times."""
    if expectation.text is None and expectation.element is None:
        return undecided("the contract does not say what is counted")
    title = title_of(expectation.element, expectation.text)
    before = _count_in(change.before, expectation)
    after = _count_in(change.after, expectation)
    if (before, after) == (expectation.before, expectation.after):
        return yes(f"{title} is there {after} times instead of {before}")
    expected = f"{expectation.before} and {expectation.after}"
    return no(f"{title} is there {before} times before and {after} afterwards, not {expected}")


def _count_in(page: Snapshot, expectation: Count) -> int:
    if expectation.text is not None:
        return len(occurrences(page, expectation.text))
    return len(all_like(expectation.element or Target(), page))
