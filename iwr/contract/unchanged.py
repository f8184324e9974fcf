"""What an action has to leave alone: the like of what goes, or looks otherwise, afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.looks import aspects, same_aspect
from iwr.contract.observation import distinct, holds
from iwr.contract.outcome import Transition
from iwr.contract.reading import occurrences, plain, worded
from iwr.contract.schema import Expectation, Look, Target, TextDisappears, TextRemains
from iwr.contract.target import all_like, describe_target, find

MOST = 4  # neighbours of one thing
GROUP_SHARE = 0.6  # of the viewport: a larger group is the page, not a list


def derive_unchanged(
    before: Snapshot,
    after: Snapshot,
    expectations: Sequence[Expectation],
) -> tuple[Expectation, ...]:
    """Return that the neighbours of what changes, of which some are seen to last, stay."""
    change = Transition(before, after)
    kept: list[Expectation] = []
    for expectation in expectations:
        if isinstance(expectation, TextDisappears):
            for text in _texts_beside(change, expectation.text):
                kept.append(TextRemains(text=text))
        elif isinstance(expectation, Look):
            kept += _looks_beside(change, expectation)
    return distinct(entry for entry in kept if holds(entry, change))


def _looks_beside(change: Transition, look: Look) -> list[Expectation]:
    """Return that the like of a text or an element looks as before."""
    looks: list[Expectation] = []
    if look.text:
        for text in _texts_beside(change, look.text):
            same = look.model_copy(update={"text": text, "after": look.before})
            looks.append(same)
    elif look.element:
        for element in _elements_beside(
            change,
            look,
            look.element,
        ):
            same = look.model_copy(update={"element": element, "after": look.before})
            looks.append(same)
    return looks


def _texts_beside(change: Transition, text: str) -> list[str]:
    """Return the texts around `text` in the smallest group that has any which last."""
    places = occurrences(change.before, text)
    if not places:
        return []
    page = change.before
    lasting = {plain(line.text) for line in change.after.seen_lines}
    limit = GROUP_SHARE * page.width * page.height
    holder = page.nodes[places[0].lines[0].runs[0].node]
    for ancestor in page.ancestors(holder):
        if ancestor.area > limit:
            break
        texts = _lasting_texts(
            page,
            ancestor,
            lasting,
            plain(text),
        )
        if texts:
            return texts[:MOST]
    return []


def _lasting_texts(
    page: Snapshot,
    group: Node,
    lasting: set[str],
    text: str,
) -> list[str]:
    texts = []
    for line in page.lines_in(group, seen=True):
        other = plain(line.text)
        if worded(other) and other in lasting and text not in other:
            texts.append(line.text)
    return texts


def _elements_beside(
    change: Transition,
    look: Look,
    element: Target,
) -> list[Target]:
    """Return the nearest like of an element that looks as before."""
    page = change.after
    node = find(element, page).node
    if node is None:
        return []
    like = []
    for other in all_like(element, page):
        value = aspects(page, other)[look.aspect]
        if same_aspect(
            look.aspect,
            value,
            look.before,
        ):
            like.append(other)
    like.sort(key=lambda other: abs(other.index - node.index))
    return [describe_target(page, other) for other in like[:MOST]]
