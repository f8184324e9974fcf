"""Whether an expectation holds between two states of a page: yes, no or undecided.

Everything is matched by content and role, never by the identity of a node, so that a list that is
drawn again, or a page that is loaded again, is the same to the judge as to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.looks import aspects, same_aspect
from iwr.contract.reading import Passage, comes_before, occurrences, plain
from iwr.contract.schema import (
    Aspect,
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
    Sign,
    StateName,
    StepContract,
    Target,
    TextAppears,
    TextDisappears,
    TextRemains,
)
from iwr.contract.target import all_like, find

LEAST_MOVE = 4.0  # pixels
LEAST_SCROLL = 4


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


class Outcome(NamedTuple):
    answer: Answer
    reason: str


def yes(reason: str) -> Outcome:
    return Outcome(Answer.YES, reason)


def no(reason: str) -> Outcome:
    return Outcome(Answer.NO, reason)


def undecided(reason: str) -> Outcome:
    return Outcome(Answer.UNDECIDED, reason)


class Transition(NamedTuple):
    """Two states of one page, and what was done between them."""

    before: Snapshot
    after: Snapshot
    action: PerformedAction | None = None


def verdict(step: StepContract, before: Snapshot, after: Snapshot) -> Outcome:
    """Return yes when every expectation holds, no when one does not, else undecided."""
    outcomes = [
        check(expectation, before, after, step.action)
        for expectation in (*step.expectations, *step.unchanged)
    ]
    for answer in (Answer.NO, Answer.UNDECIDED):
        reasons = [outcome.reason for outcome in outcomes if outcome.answer is answer]
        if reasons:
            return Outcome(answer, "; ".join(reasons))
    if not outcomes:
        return undecided("the contract expects nothing that can be checked")
    return yes("; ".join(outcome.reason for outcome in outcomes))


def check(
    expectation: Expectation,
    before: Snapshot,
    after: Snapshot,
    action: PerformedAction | None = None,
) -> Outcome:
    """Return whether `expectation` holds between two states; `action` was done between them."""
    change = Transition(before, after, action)
    match expectation:
        case TextAppears():
            return _text_appears(expectation, change)
        case TextDisappears():
            return _text_disappears(expectation, change)
        case TextRemains():
            return _text_remains(expectation, change)
        case FieldValue():
            return _value(expectation, change)
        case ElementState():
            return _state(expectation, change)
        case Count():
            return _count(expectation, change)
        case Order():
            return _order(expectation, change)
        case Moved():
            return _moved(expectation, change)
        case Scrolled():
            return _scrolled(expectation, change)
        case Look():
            return _look(expectation, change)
        case PictureChanged():
            return undecided("the expected change is in a picture, which cannot be read")


# ---- texts -------------------------------------------------------------------------------


def _text_appears(expectation: TextAppears, change: Transition) -> Outcome:
    text = expectation.text
    after = occurrences(change.after, text, expectation.place, change.action)
    if not after:
        return no(f"{text!r} cannot be read afterwards")
    if not expectation.new:
        return yes(f"{text!r} can be read")
    before = occurrences(change.before, text, expectation.place, change.action)
    if len(after) > len(before):
        return yes(f"{text!r} appears")
    return no(f"{text!r} could be read before, and no more often afterwards")


def _text_disappears(expectation: TextDisappears, change: Transition) -> Outcome:
    text = expectation.text
    before = occurrences(change.before, text, expectation.place, change.action)
    after = occurrences(change.after, text, expectation.place, change.action)
    if not before:
        return no(f"{text!r} could not be read before")
    if len(after) >= len(before):
        return no(f"{text!r} can still be read")
    if after and expectation.all:
        return no(f"{text!r} can still be read {len(after)} times")
    return yes(f"{text!r} disappears")


def _text_remains(expectation: TextRemains, change: Transition) -> Outcome:
    text = expectation.text
    before = occurrences(change.before, text, action=change.action)
    after = occurrences(change.after, text, action=change.action)
    if before and not after:
        return no(f"{text!r} is lost")
    return yes(f"{text!r} remains")


def _order(expectation: Order, change: Transition) -> Outcome:
    texts = expectation.texts
    for text in texts:
        if not occurrences(change.after, text):
            return no(f"{text!r} cannot be read afterwards")
    shown = ", ".join(texts)
    if not _in_order(texts, change.after):
        return no(f"the order is not {shown}")
    if _in_order(texts, change.before):
        return no(f"the order was {shown} before")
    return yes(f"the order is {shown}")


def _in_order(texts: Sequence[str], page: Snapshot) -> bool:
    """Return whether the texts can be read one after another; each counts where it first can."""
    last: Passage | None = None
    for text in texts:
        passage = _next_passage(text, page, last)
        if passage is None:
            return False
        last = passage
    return True


def _next_passage(text: str, page: Snapshot, last: Passage | None) -> Passage | None:
    best = None
    for passage in occurrences(page, text):
        if last is not None and not comes_before(last.box, passage.box):
            continue
        if best is None or comes_before(passage.box, best.box):
            best = passage
    return best


# ---- elements ----------------------------------------------------------------------------


def _on_element(target: Target, page: Snapshot, judge: Callable[[Node], Outcome]) -> Outcome:
    """Return what `judge` says about the element that fits `target`."""
    match = find(target, page)
    if match.node is None:
        return no(match.reason)
    if match.tied:
        return undecided(f"several elements fit {target.label or target.kind!r} equally well")
    return judge(match.node)


def _value(expectation: FieldValue, change: Transition) -> Outcome:
    field = expectation.field.label or expectation.field.placeholder or "the field"

    def judge(node: Node) -> Outcome:
        value = _value_of(change.after, node)
        if plain(value) != plain(expectation.value):
            return no(f"{field!r} is {value!r}, not {expectation.value!r}")
        return yes(f"{field!r} is {value!r}")

    outcome = _on_element(expectation.field, change.after, judge)
    if outcome.answer is not Answer.YES or expectation.before is None:
        return outcome
    earlier = find(expectation.field, change.before)
    if earlier.node is None or earlier.tied:
        return outcome
    if plain(_value_of(change.before, earlier.node)) == plain(expectation.value):
        return no(f"{field!r} was {expectation.value!r} before")
    return outcome


def _value_of(page: Snapshot, node: Node) -> str:
    """Return what a control holds: its value, or the text of one that is drawn."""
    if node.value is not None:
        return node.value
    return node.states.get("valuenow") or page.text(node)


def _state(expectation: ElementState, change: Transition) -> Outcome:
    name = expectation.name
    if name is StateName.VISIBLE:
        return _visibility(expectation, change)

    def judge(node: Node) -> Outcome:
        value = state_of(change.after, node, name)
        if value is None:
            return undecided(f"nothing tells whether {_title(expectation.element)} is {name}")
        if value is not expectation.value:
            return no(f"{_title(expectation.element)} is {_negated(value)}{name}")
        return yes(f"{_title(expectation.element)} is {_negated(value)}{name}")

    outcome = _on_element(expectation.element, change.after, judge)
    if outcome.answer is not Answer.YES or expectation.before is None:
        return outcome
    earlier = find(expectation.element, change.before)
    if earlier.node is None or earlier.tied:
        return outcome
    if state_of(change.before, earlier.node, name) is expectation.value:
        return no(f"{_title(expectation.element)} was {_negated(expectation.value)}{name} before")
    return outcome


def _title(target: Target) -> str:
    return repr(target.label or target.name or target.kind or "the element")


def _negated(value: bool) -> str:
    return "" if value else "not "


def state_of(page: Snapshot, node: Node, name: StateName) -> bool | None:
    """Return a state of an element; None when nothing on the page tells it."""
    if name is StateName.VISIBLE:
        return node.in_view
    for entry in (node, *page.subtree(node)[1:], *page.ancestors(node)):
        text = entry.states.get(name.value)
        if text in ("true", "mixed", "page", "step"):
            return True
        if text == "false":
            return False
        if entry.parent == node.parent and entry.index != node.index:
            break
        if page.within(node.index, entry.index) and entry.index != node.index:
            break
    return False if name is StateName.DISABLED else None


def _visibility(expectation: ElementState, change: Transition) -> Outcome:
    title = _title(expectation.element)
    after = find(expectation.element, change.after).node
    visible = after is not None and after.in_view
    if visible is not expectation.value:
        return no(f"{title} is {_negated(visible)}visible afterwards")
    before = find(expectation.element, change.before).node
    if expectation.before is not None and before is not None:
        if before.in_view is expectation.value:
            return no(f"{title} was {_negated(expectation.value)}visible before")
    elif expectation.before is not None and not expectation.value:
        return no(f"{title} was not visible before")
    return yes(f"{title} is {_negated(visible)}visible")


def _count(expectation: Count, change: Transition) -> Outcome:
    counts = []
    for page in (change.before, change.after):
        if expectation.text is not None:
            counts.append(len(occurrences(page, expectation.text, action=change.action)))
        elif expectation.element is not None:
            counts.append(len(all_like(expectation.element, page)))
    if not counts:
        return undecided("the contract does not say what is counted")
    noun = repr(expectation.text) if expectation.text else _title(expectation.element or Target())
    before, after = counts
    if (before, after) == (expectation.before, expectation.after):
        return yes(f"{noun} is seen {after} times instead of {before}")
    expected = f"{expectation.before} and {expectation.after}"
    return no(f"{noun} is seen {before} times before and {after} afterwards, not {expected}")


# ---- places ------------------------------------------------------------------------------


def _moved(expectation: Moved, change: Transition) -> Outcome:
    moves = _moves(expectation, change)
    noun = expectation.text or _title(expectation.element or Target())
    if moves is None:
        return no(f"{noun} is not there before and afterwards")
    wanted = (expectation.dx, expectation.dy)
    right = wrong = 0
    for move in moves:
        signs = [_sign(part) for part in move]
        if all(not want or sign == want for want, sign in zip(wanted, signs, strict=True)):
            right += 1
        elif any(want and sign == -want for want, sign in zip(wanted, signs, strict=True)):
            wrong += 1
    if right and not wrong:
        return yes(f"{noun} moves {_direction(*wanted)}")
    if not right:
        return no(f"{noun} does not move {_direction(*wanted)}")
    return undecided(f"{noun} is there several times, and they move in several directions")


def _moves(expectation: Moved, change: Transition) -> list[tuple[float, float]] | None:
    """Return by how much each occurrence moved on the page, (dx, dy) in pixels."""
    if expectation.text is not None:
        before = [spot.center for spot in occurrences(change.before, expectation.text)]
        after = [spot.center for spot in occurrences(change.after, expectation.text)]
    elif expectation.element is not None:
        matches = [find(expectation.element, page).node for page in change[:2]]
        before, after = [[node.center] if node else [] for node in matches]
    else:
        return None
    if not before or len(before) != len(after):
        return None
    axis = 1 if expectation.dx else 0  # things that move sideways keep their rows
    before.sort(key=lambda point: (round(point[axis]), point))
    after.sort(key=lambda point: (round(point[axis]), point))
    scroll_x = change.after.scroll[0] - change.before.scroll[0]
    scroll_y = change.after.scroll[1] - change.before.scroll[1]
    return [
        (new[0] - old[0] + scroll_x, new[1] - old[1] + scroll_y)
        for old, new in zip(before, after, strict=True)
    ]


def _sign(distance: float) -> Sign:
    if abs(distance) < LEAST_MOVE:
        return 0
    return 1 if distance > 0 else -1


def _direction(dx: Sign, dy: Sign) -> str:
    across = {-1: "left", 0: "", 1: "right"}[dx]
    along = {-1: "up", 0: "", 1: "down"}[dy]
    return " and ".join(word for word in (across, along) if word)


def _scrolled(expectation: Scrolled, change: Transition) -> Outcome:
    wanted = (expectation.dx, expectation.dy)
    for dx, dy in scrolls(change, expectation.inside):
        signs = (_sign(dx), _sign(dy))
        if all(not want or sign == want for want, sign in zip(wanted, signs, strict=True)):
            return yes(f"the page scrolls {_direction(*wanted)}")
    return no(f"nothing scrolls {_direction(*wanted)}")


def scrolls(change: Transition, inside: str | None = None) -> list[tuple[int, int]]:
    """Return by how much the page and the scrollers in it, of them those with `inside`, moved."""
    before, after = change.before, change.after
    page = after.scroll[0] - before.scroll[0], after.scroll[1] - before.scroll[1]
    moves = [page]
    for node in after.nodes:
        earlier = before.by_uid.get(node.uid)
        if earlier is None or not (node.scroll_x or node.scroll_y):
            continue
        if inside and plain(inside) not in plain(after.text(node)):
            continue
        moves.append(
            (_moved_by(earlier.scroll_x, node.scroll_x), _moved_by(earlier.scroll_y, node.scroll_y))
        )
    return moves


def _moved_by(before: tuple[int, int] | None, after: tuple[int, int] | None) -> int:
    return after[0] - before[0] if before and after else 0


# ---- looks -------------------------------------------------------------------------------


def _look(expectation: Look, change: Transition) -> Outcome:
    looks = [_looks(expectation, page) for page in (change.before, change.after)]
    noun = repr(expectation.text) if expectation.text else _title(expectation.element or Target())
    if not looks[1]:
        return no(f"{noun} is not there afterwards")
    aspect = expectation.aspect
    before, after = [
        sum(same_aspect(aspect, value, expectation.after) for value in values) for values in looks
    ]
    if same_aspect(aspect, expectation.before, expectation.after):
        return yes(f"{noun} looks as before") if after else no(f"{noun} does not look as before")
    if after > before:
        return yes(f"{noun} is {_named(aspect, expectation.after)}")
    if after == 0:
        return no(f"{noun} is not {_named(aspect, expectation.after)}")
    return no(f"{noun} was {_named(aspect, expectation.after)} before")


def _looks(expectation: Look, page: Snapshot) -> list[str]:
    """Return the aspect of each occurrence of the text, or of the element."""
    nodes: list[Node] = []
    if expectation.text is not None:
        for passage in occurrences(page, expectation.text):
            nodes.append(page.nodes[holder_of(passage, expectation.text)])
    elif expectation.element is not None:
        match = find(expectation.element, page)
        nodes = [match.node] if match.node else []
    return [aspects(page, node)[expectation.aspect] for node in nodes]


def holder_of(passage: Passage, text: str) -> int:
    """Return the element that holds most of a text."""
    runs = list(passage.runs)
    for run in runs:
        if plain(text) in plain(run.text):
            return run.node
    for run in runs:
        if plain(run.text) and plain(run.text) in plain(text):
            return run.node
    return runs[0].node


def _named(aspect: Aspect, value: str) -> str:
    if value == "true":
        return aspect.value
    if value == "false":
        return f"not {aspect.value}"
    return f"of the {aspect.value} {value}"
