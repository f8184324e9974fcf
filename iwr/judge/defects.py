"""Which defects can be planted on a task's true page, and at which step: read from its contract.

A kind of defect is planned where it makes the step's assertion false by construction: off by one
needs a number that appears, wrong order an order that is observed. What the plan does to the page
is in browser/js/defect.js.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from iwr.contract.schema import (
    Contract,
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Order,
    PerformedAction,
    StateName,
    StepContract,
    Target,
    TextAppears,
    TextDisappears,
    TextRemains,
    Verb,
)
from iwr.records import Task

MOST = 2
"""Pages with a defect of one kind, of one task."""
WORD = re.compile(r"[^\W\d_]{3,}")
NUMBER = re.compile(r"\d+")
OTHER_WORD = "Another"
SECOND_OTHER_WORD = "Different"  # where the word is already "Another"
CLICKS = (Verb.CLICK, Verb.DOUBLE_CLICK, Verb.RIGHT_CLICK)
DIRECTIONS = {"ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown"}
EVENTS = {
    Verb.HOVER: ("hover",),
    Verb.PRESS: ("keys",),
    Verb.SCROLL: ("wheel",),
    Verb.TYPE: ("text",),
    Verb.SELECT: ("value",),
    Verb.UPLOAD: ("value",),
}
"""Verb -> the groups of events that it gives, in js/defect.js; of all others ("pointer",)."""
AT_WHAT_HAS_FOCUS = (Verb.PRESS, Verb.SCROLL, Verb.TYPE, Verb.SELECT, Verb.UPLOAD)
INPUT = (Verb.TYPE, Verb.SELECT, Verb.UPLOAD)
"""Verbs that give the page a value, which a page without a handler takes, too."""


class Defect(StrEnum):
    """A kind of defect."""

    DEAD_HANDLER = "dead handler"  # the page does not react
    WRONG_TEXT = "wrong text"  # a word of the asserted text is another
    WRONG_TARGET = "wrong target"  # the neighbour reacts
    OTHER_DIRECTION = "other direction"
    LATE_EFFECT = "late effect"  # much later than a person waits
    LOST_EFFECT = "lost effect"  # undone a moment later
    FILTER = "filter does nothing"  # what should go stays
    STALE_STATE = "stale state"  # everything changes but what shows it
    WRONG_ORDER = "wrong order"
    OFF_BY_ONE = "off by one"
    ELSEWHERE = "effect elsewhere"  # on the neighbour of what is observed
    LAYOUT_ONLY = "layout only"  # it looks otherwise and works


class Plan(NamedTuple):
    """One defect on one page: what js/defect.js needs to know, and what is observed there."""

    kind: Defect
    step: int  # from which it shows
    events: tuple[str, ...] = ()
    at_target: bool = False  # only events on the target of the action count
    keeps_default: bool = False  # the browser still does its part: it puts a text into a field
    text: str = ""
    word: str = ""  # of `text` …
    other: str = ""  # … and what stands there in its place
    texts: tuple[str, ...] = ()
    element: Target | None = None  # what is observed

    @property
    def settings(self) -> dict[str, object]:
        """Return what the script in the page takes."""
        return self._replace(element=None)._asdict()


def plans_of(task: Task, contract: Contract) -> dict[Defect, list[Plan]]:
    """Return the defects that apply to a task, by kind: of all steps that assert something.

    "Layout only" applies to the page as a whole, and shows up to the last step.
    """
    plans: dict[Defect, list[Plan]] = {}
    for step in contract.steps:
        if not _is_asserted(task, step.step):
            continue
        for plan in _plans_at(step):
            group = plans.setdefault(plan.kind, [])
            group.append(plan)
    if plans:
        last = len(task.actions)
        layout = Plan(Defect.LAYOUT_ONLY, last)
        plans[layout.kind] = [layout]
    return plans


def _is_asserted(task: Task, step: int) -> bool:
    """Return whether the task has the step, with an assertion."""
    if step > len(task.actions):
        return False
    return bool(task.action(step).logical_assertion)


def choose(plans: dict[Defect, list[Plan]]) -> list[Plan]:
    """Return at most `MOST` plans of a kind, those of different kinds at different steps.

    The choice depends on the plans alone: each self-test of a task has the same pages.
    """
    chosen = []
    for number, group in enumerate(plans.values()):
        size = len(group)
        count = min(MOST, size)
        for place in range(count):
            offset = place * size // count
            index = (number + offset) % size
            chosen.append(group[index])
    return chosen


def spoken_of(step: StepContract) -> list[Expectation]:
    """Return the expectations that make the assertion true, without what was seen besides.

    Where it quotes texts, other texts that come or go are not part of it.
    """
    quoted: list[Expectation] = []
    unquoted: list[Expectation] = []
    others: list[Expectation] = []
    for expectation in step.expectations:
        match expectation:
            case TextAppears(quoted=True) | TextDisappears(quoted=True):
                quoted.append(expectation)
            case TextAppears() | TextDisappears():
                unquoted.append(expectation)
            case TextRemains():
                continue
            case _:
                others.append(expectation)
    texts = quoted or unquoted
    return texts + others


# ---- what applies to a step --------------------------------------------------------------------


def _plans_at(step: StepContract) -> Iterator[Plan]:
    """Yield the defects of one step; of those in what the page does, one of each kind."""
    expectations = spoken_of(step)
    if not expectations:
        return
    yield from _event_plans(step)
    effects: dict[Defect, Plan] = {}
    for expectation in expectations:
        for plan in _effect_plans(step.step, expectation):
            effects.setdefault(plan.kind, plan)
    if step.action.verb is Verb.SCROLL:
        # what scrolling brings into view is no state of the page
        effects.pop(Defect.STALE_STATE, None)
    yield from effects.values()


def _event_plans(step: StepContract) -> Iterator[Plan]:
    """Yield the defects in how the page takes the action."""
    verb = step.action.verb
    kinds = [Defect.DEAD_HANDLER]
    if verb not in (Verb.SCROLL, Verb.DRAG):
        kinds.append(Defect.LATE_EFFECT)
    if _is_click_on_element(step):
        kinds.append(Defect.WRONG_TARGET)
    if _has_direction(step.action):
        kinds.append(Defect.OTHER_DIRECTION)
    kinds.append(Defect.LOST_EFFECT)
    for kind in kinds:
        yield _event_plan(kind, step)


def _is_click_on_element(step: StepContract) -> bool:
    """Return whether a neighbour could take the click instead.

    What shows only while the mouse is over something else has no neighbour to rely on.
    """
    if step.target is None or step.action.hover:
        return False
    return step.action.verb in CLICKS


def _has_direction(action: PerformedAction) -> bool:
    """Return whether the opposite of the action exists: scrolling, and keys that move."""
    if action.verb is Verb.SCROLL:
        return True
    return not DIRECTIONS.isdisjoint(action.keys)


def _event_plan(kind: Defect, step: StepContract) -> Plan:
    """Return a plan that concerns the events of the action alone."""
    verb = step.action.verb
    at_focus = verb in AT_WHAT_HAS_FOCUS
    return Plan(
        kind,
        step.step,
        events=EVENTS.get(verb, ("pointer",)),
        at_target=not at_focus and not step.action.hover,
        keeps_default=verb in INPUT,
    )


def _effect_plans(step: int, expectation: Expectation) -> Iterator[Plan]:
    """Yield the defects in what the page does."""
    match expectation:
        case TextAppears(text=text, new=True):
            yield Plan(Defect.STALE_STATE, step, text=text)
            yield from _text_plans(step, text)
        case TextDisappears(text=text):
            yield Plan(Defect.FILTER, step, text=text)
        case FieldValue(value=value):
            yield from _text_plans(step, value)
        case Order(texts=texts):
            yield Plan(Defect.WRONG_ORDER, step, texts=texts)
        case ElementState(name=StateName.VISIBLE):
            return
        case ElementState(element=element):
            yield Plan(Defect.ELSEWHERE, step, element=element)
        case Look(element=Target() as element):
            yield Plan(Defect.ELSEWHERE, step, element=element)
        case Look(text=str(text)):
            element = Target(label=text)
            yield Plan(Defect.ELSEWHERE, step, element=element)


def _text_plans(step: int, text: str) -> Iterator[Plan]:
    """Yield another word and another number in a text that appears.

    The longest word is changed, and the last number: one more.
    """
    words: list[str] = WORD.findall(text)
    if words:
        word = max(words, key=len)
        other = _other_word(word)
        yield Plan(Defect.WRONG_TEXT, step, text=text, word=word, other=other)
    numbers: list[str] = NUMBER.findall(text)
    if numbers:
        number = numbers[-1]
        other = _next_number(number)
        yield Plan(Defect.OFF_BY_ONE, step, text=text, word=number, other=other)


def _other_word(word: str) -> str:
    """Return a word that is certainly not this one."""
    if word == OTHER_WORD:
        return SECOND_OTHER_WORD
    return OTHER_WORD


def _next_number(number: str) -> str:
    """Return the number after it, with as many digits: "09" gives "10"."""
    value = int(number) + 1
    return str(value).zfill(len(number))
