"""Whether an expectation holds between two states of a page: yes, no or undecided.

Everything is matched by content and role, never by the identity of a node, so that a list that is
drawn again, or a page that is loaded again, is the same to the judge as to a person.
"""

from __future__ import annotations

from iwr.browser.snapshot import Snapshot
from iwr.contract import check_elements, check_looks, check_places, check_texts
from iwr.contract.outcome import Answer, Outcome, Transition, undecided, yes
from iwr.contract.schema import (
    Count,
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Moved,
    Order,
    PerformedAction,
    PictureChanged,
    Scrolled,
    StepContract,
    TextAppears,
    TextDisappears,
    TextRemains,
)


def verdict(
    step: StepContract,
    before: Snapshot,
    after: Snapshot,
) -> Outcome:
    """Return yes when every expectation holds, no when one does not, else undecided."""
    change = Transition(
        before,
        after,
        step.action,
    )
    reasons: dict[Answer, list[str]] = {}
    for expectation in (*step.expectations, *step.unchanged):
        outcome = check_change(expectation, change)
        reasons.setdefault(outcome.answer, []).append(outcome.reason)
    for answer in (Answer.NO, Answer.UNDECIDED):
        if answer in reasons:
            return Outcome(answer, "; ".join(reasons[answer]))
    if not reasons:
        return undecided("the contract expects nothing that can be checked")
    return yes("; ".join(reasons[Answer.YES]))


def check(
    expectation: Expectation,
    before: Snapshot,
    after: Snapshot,
    action: PerformedAction | None = None,
) -> Outcome:
    """Return whether `expectation` holds between two states; `action` was done between them."""
    return check_change(
        expectation,
        Transition(
            before,
            after,
            action,
        ),
    )


def check_change(expectation: Expectation, change: Transition) -> Outcome:
    """Return whether `expectation` holds of a transition."""
    match expectation:
        case TextAppears():
            return check_texts.appears(expectation, change)
        case TextDisappears():
            return check_texts.disappears(expectation, change)
        case TextRemains():
            return check_texts.remains(expectation, change)
        case Order():
            return check_texts.order(expectation, change)
        case FieldValue():
            return check_elements.value(expectation, change)
        case ElementState():
            return check_elements.state(expectation, change)
        case Count():
            return check_elements.count(expectation, change)
        case Moved():
            return check_places.moved(expectation, change)
        case Scrolled():
            return check_places.scrolled(expectation, change)
        case Look():
            return check_looks.look(expectation, change)
        case PictureChanged():
            return undecided("the expected change is in a picture, which cannot be read")
