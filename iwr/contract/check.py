"""Whether an expectation holds between two states of a page: yes, no or undecided.

Everything is matched by content and role, never by the identity of a node, so that a list that is
drawn again, or a page that is loaded again, is the same to the judge as to a person.
"""

from __future__ import annotations

from iwr.browser.snapshot import Snapshot
from iwr.contract import check_boards, check_elements, check_looks, check_places, check_texts
from iwr.contract.outcome import Answer, Outcome, Transition, undecided
from iwr.contract.schema import (
    Arrangement,
    Contrast,
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


def verdict(step: StepContract, before: Snapshot, after: Snapshot) -> Outcome:
    """Return yes when every expectation holds, no when one does not, else undecided."""
    change = Transition(before, after, step.action)
    reasons: dict[Answer, list[str]] = {answer: [] for answer in Answer}
    for expectation in (*step.expectations, *step.unchanged):
        answer, reason = check_change(expectation, change)
        reasons[answer].append(reason)
    for answer in (Answer.NO, Answer.UNDECIDED, Answer.YES):
        if reasons[answer]:
            return Outcome(answer, "; ".join(reasons[answer]))
    return undecided("the contract expects nothing that can be checked")


def check(
    expectation: Expectation,
    before: Snapshot,
    after: Snapshot,
    action: PerformedAction | None = None,
) -> Outcome:
    """Return whether `expectation` holds between two states; `action` was done between them."""
    change = Transition(before, after, action)
    return check_change(expectation, change)


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
        case Arrangement():
            return check_boards.arrangement(expectation, change)
        case Moved():
            return check_places.moved(expectation, change)
        case Scrolled():
            return check_places.scrolled(expectation, change)
        case Look():
            return check_looks.look(expectation, change)
        case Contrast():
            return check_looks.contrast(expectation, change)
        case PictureChanged():
            return undecided("the expected change is in a picture, which cannot be read")


def holds(expectation: Expectation, change: Transition) -> bool:
    """Return whether an expectation is met."""
    return check_change(expectation, change).answer is Answer.YES


def is_new(expectation: Expectation, change: Transition) -> bool:
    """Return whether an expectation is met, and would not be if nothing had happened."""
    if not holds(expectation, change):
        return False
    idle = change._replace(after=change.before)
    return not holds(expectation, idle)
