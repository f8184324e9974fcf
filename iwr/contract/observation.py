"""What there is to observe at a step: expectations derived from two states of the true page.

No sentence is understood here. What is expected are differences that were seen; the assertion only
says which of them matter, by its quotes, its numbers and the words that it shares with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from iwr.browser.snapshot import Box, Node, Snapshot
from iwr.contract.changes import Difference, differences, is_typed_value, place_of
from iwr.contract.check import Answer, Transition, check
from iwr.contract.reading import occurrences, plain, quotes, readable_lines, worded, words
from iwr.contract.schema import (
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Moved,
    Order,
    PerformedAction,
    PictureChanged,
    Scrolled,
    TextAppears,
    TextDisappears,
    TextRemains,
)

MOST_SHARED = 3  # unquoted texts that the assertion speaks of
MOST_GONE = 8
MOST_OF_A_KIND: dict[type, int] = {
    TextAppears: 3,
    TextDisappears: 3,
    Order: 1,
    ElementState: 2,
    FieldValue: 1,
    Look: 3,
    Moved: 2,
    Scrolled: 1,
}
PLAINEST: tuple[type, ...] = (
    TextAppears,
    Order,
    ElementState,
    FieldValue,
    TextDisappears,
    Look,
    Scrolled,
    Moved,
)
"""Which kind of difference speaks for itself, where the assertion shares no word with any."""
SPEAKS_OF: dict[type, re.Pattern[str]] = {
    Moved: re.compile(
        r"\b(mov|shift|slid|drag|left|right|up\b|down\b|above|below|under\b|position|swap)"
    ),
    Scrolled: re.compile(r"\bscroll"),
    Order: re.compile(
        r"\b(sort|order|ascend|descend|alphabet|first|last|top\b|bottom|above|below|reorder|swap"
        r"|shuffl|before\b|after\b|rank|highest|lowest)"
    ),
    Look: re.compile(
        r"\b(bold|struck|strik|cross|line-through|underlin|colou?r|highlight|dark|light|theme"
        r"|gr[ae]y|red\b|green|blue|yellow|orange|purple|white|black|fade|dim|fill|complet|done)"
    ),
    TextDisappears: re.compile(
        r"\b(only|no longer|remov|disappear|hid|filter|clos|delet|clear|gone|without|collaps"
        r"|dismiss|empty|vanish|left\b|not\b)"
    ),
    ElementState: re.compile(
        r"\b(check|tick|mark|select|expand|collaps|enabl|disabl|press|toggl|turn|switch|activ"
        r"|open|clos|on\b|off\b)"
    ),
}
"""Stems by which an assertion asks for a kind of difference that was seen."""
COMMON = set(
    words(
        "the and text are appears appear shown show shows displayed display displays changes"
        " change with that from for this now new its has have was were been page button becomes"
        " become of to in on is it a an as at by be list item field"
    )
)


class Selection(NamedTuple):
    """What an assertion is about: used to choose among differences."""

    sentence: str  # as it is compared
    quotes: tuple[str, ...]
    words: frozenset[str]  # outside quotes, without the commonest
    target: Node | None

    @classmethod
    def of(cls, assertion: str, target: Node | None) -> Selection:
        quoted = tuple(quotes(assertion))
        rest = assertion
        for quote in quoted:
            rest = rest.replace(quote, " ")
        telling = frozenset(words(rest)) - COMMON
        return cls(plain(rest), quoted, telling, target)

    def speaks_of(self, kind: type) -> bool:
        stems = SPEAKS_OF.get(kind)
        return stems is not None and stems.search(self.sentence) is not None

    def quotes_any_of(self, text: str) -> bool:
        return any(plain(quote) in plain(text) for quote in self.quotes)

    def shared(self, text: str) -> float:
        """Return the part of the words of `text` that the assertion has too, 0..1."""
        telling = [word for word in words(text) if word not in COMMON]
        if not telling:
            return 0.0
        return sum(word in self.words for word in telling) / len(telling)

    def shares_a_number(self, text: str) -> bool:
        return any(word[0].isdigit() and word in self.words for word in words(text))

    def closeness(self, box: Box | None) -> float:
        """Return 1 at the target, towards 0 far from it."""
        if box is None or self.target is None:
            return 0.0
        x, y, width, height = box
        distance = math.dist(self.target.center, (x + width / 2, y + height / 2))
        return 1 / (1 + distance / 200)


def derive(
    before: Snapshot,
    after: Snapshot,
    assertion: str | None,
    action: PerformedAction | None = None,
    target_uid: str | None = None,
    volatile: frozenset[str] = frozenset(),
) -> tuple[Expectation, ...]:
    """Return what must be observed where another page does what the true page did.

    `before` and `after` are states of the true page around `action`, which was done to the element
    `target_uid`. Texts in `volatile` are not demanded. Empty where there is no assertion; for a
    change that only pixels show, the one expectation is `picture_changed`.
    """
    if not assertion:
        return ()
    change = Transition(before, after, action)
    target = before.by_uid.get(target_uid) if target_uid else None
    topic = Selection.of(assertion, target)
    seen = [
        difference
        for difference in differences(change)
        if not _is_volatile(difference.words, volatile) and is_effect(difference, change)
    ]
    chosen = _quoted(change, topic, volatile)
    chosen += _about_quotes(topic, seen, chosen, change)
    chosen += _asked_for(topic, seen)
    if not any(is_new(expectation, change) for expectation in chosen):
        chosen += _plainest(topic, seen)
    result = _distinct(expectation for expectation in chosen if holds(expectation, change))
    if any(is_new(expectation, change) for expectation in result):
        return result
    return result + _without_effect(change, topic, volatile)


def _is_volatile(text: str, volatile: frozenset[str]) -> bool:
    return plain(text) in volatile


def holds(expectation: Expectation, change: Transition) -> bool:
    outcome = check(expectation, change.before, change.after, change.action)
    return outcome.answer is Answer.YES


def is_new(expectation: Expectation, change: Transition) -> bool:
    """Return whether an expectation holds, and would not if nothing had happened."""
    if not holds(expectation, change):
        return False
    idle = check(expectation, change.before, change.before, change.action)
    return idle.answer is not Answer.YES


def is_effect(difference: Difference, change: Transition) -> bool:
    """Return whether a difference can be checked, and is more than the typed text itself."""
    expectation = difference.expectation
    return is_new(expectation, change) and not is_typed_value(change, expectation)


def _distinct(expectations: Iterable[Expectation]) -> tuple[Expectation, ...]:
    result: list[Expectation] = []
    subjects: list[tuple[str, str] | None] = []
    for expectation in expectations:
        subject = _subject(expectation)
        if expectation in result or subject in subjects:
            continue
        result.append(expectation)
        if subject:
            subjects.append(subject)
    return tuple(result)


def _subject(expectation: Expectation) -> tuple[str, str] | None:
    """Return what makes two expectations about texts the same, None for the other kinds."""
    if isinstance(expectation, TextAppears | TextDisappears | TextRemains):
        return expectation.kind, plain(expectation.text)
    return None


# ---- what the assertion quotes -----------------------------------------------------------


def _quoted(change: Transition, topic: Selection, volatile: frozenset[str]) -> list[Expectation]:
    """Return that each quoted text comes, goes or can be read, as on the true page."""
    expectations: list[Expectation] = []
    for quote in topic.quotes:
        if any(plain(quote) in text for text in volatile):
            continue
        expectation = _about_quote(quote, change)
        if expectation is not None:
            expectations.append(expectation)
    return expectations


def _about_quote(quote: str, change: Transition) -> Expectation | None:
    before = occurrences(change.before, quote, action=change.action)
    after = occurrences(change.after, quote, action=change.action)
    if len(after) > len(before):
        place = None
        if before:
            lines = readable_lines(change.before, change.action)
            old = {passage.box for passage in before}
            fresh = [passage for passage in after if passage.box not in old] or after
            place = place_of(change.after, fresh[0].lines[0], lines)
        return TextAppears(text=quote, quoted=True, place=place)
    if len(after) < len(before):
        return TextDisappears(text=quote, quoted=True, all=not after)
    if after:
        return TextAppears(text=quote, quoted=True, new=False)
    for difference in differences(change):
        value = difference.expectation
        if isinstance(value, FieldValue) and plain(quote) in plain(value.value):
            return value
    return None


def _about_quotes(
    topic: Selection,
    seen: Sequence[Difference],
    chosen: Sequence[Expectation],
    change: Transition,
) -> list[Expectation]:
    """Return, for each quoted text that stays, what else happened to it: its look, state, place."""
    expectations: list[Expectation] = []
    for expectation in chosen:
        if not isinstance(expectation, TextAppears) or expectation.new:
            continue
        about = [entry for entry in seen if plain(expectation.text) in plain(entry.words)]
        for kind in (Look, FieldValue, ElementState, Moved):
            fitting = [entry for entry in about if isinstance(entry.expectation, kind)]
            if kind is Moved and not topic.speaks_of(Moved):
                fitting = []
            if fitting:
                expectations.append(_closest(topic, fitting)[0].expectation)
                break
    return expectations


def _closest(topic: Selection, entries: Sequence[Difference]) -> list[Difference]:
    return sorted(entries, key=lambda entry: -topic.closeness(entry.box))


# ---- what else it speaks of --------------------------------------------------------------


def _asked_for(topic: Selection, seen: Sequence[Difference]) -> list[Expectation]:
    """Return the differences that the assertion shares words, numbers or stems with."""
    expectations: list[Expectation] = []
    shared = [entry for entry in seen if _is_spoken_of(topic, entry)]
    shared.sort(key=lambda entry: -_score(topic, entry))
    expectations += [entry.expectation for entry in shared[:MOST_SHARED]]
    for kind in (Order, Scrolled, Moved, Look, ElementState):
        if topic.speaks_of(kind):
            expectations += _of_kind(topic, seen, kind)[: MOST_OF_A_KIND[kind]]
    if topic.speaks_of(TextDisappears):
        gone = [entry for entry in seen if isinstance(entry.expectation, TextDisappears)]
        expectations += [entry.expectation for entry in gone[:MOST_GONE]]
    return expectations


def _is_spoken_of(topic: Selection, entry: Difference) -> bool:
    if not isinstance(entry.expectation, TextAppears | TextDisappears | FieldValue):
        return False
    if isinstance(entry.expectation, TextDisappears) and not topic.speaks_of(TextDisappears):
        return False
    return topic.shared(entry.words) >= 0.6 or topic.shares_a_number(entry.words)


def _score(topic: Selection, entry: Difference) -> float:
    number = topic.shares_a_number(entry.words)
    return 2 * topic.shared(entry.words) + number + topic.closeness(entry.box)


def _of_kind(topic: Selection, seen: Sequence[Difference], kind: type) -> list[Expectation]:
    """Return the differences of one kind that concern the target, a quote or a named thing."""
    entries = [entry for entry in seen if isinstance(entry.expectation, kind)]
    if kind in (Order, Scrolled):
        return [entry.expectation for entry in entries]
    related = [entry for entry in entries if _is_related(topic, entry)]
    if not related and len(entries) <= 2:
        related = entries
    related.sort(key=lambda entry: -_score(topic, entry))
    return [entry.expectation for entry in related]


def _is_related(topic: Selection, entry: Difference) -> bool:
    if topic.quotes_any_of(entry.words) or topic.shared(entry.words) > 0:
        return True
    return topic.target is not None and entry.box == topic.target.box


def _plainest(topic: Selection, seen: Sequence[Difference]) -> list[Expectation]:
    """Return the differences that speak for themselves, of the first kind that has any."""
    for entry in seen:
        if isinstance(entry.expectation, Scrolled):
            return [entry.expectation]
    for kind in PLAINEST:
        entries = [entry for entry in seen if isinstance(entry.expectation, kind)]
        if kind is TextAppears:
            entries = [entry for entry in entries if worded(entry.words)] or entries
        entries.sort(key=lambda entry: -_score(topic, entry))
        if entries:
            return [entry.expectation for entry in entries[: MOST_OF_A_KIND[kind]]]
    return []


# ---- where nothing came of it ------------------------------------------------------------


def _without_effect(
    change: Transition, topic: Selection, volatile: frozenset[str]
) -> tuple[Expectation, ...]:
    """Return what to expect of an action that changes nothing but, at most, pixels."""
    if change.before.screenshot != change.after.screenshot:
        return (PictureChanged(),)
    remaining: list[TextRemains] = []
    for line in readable_lines(change.after, change.action):
        fixed = worded(line.text) and not _is_volatile(line.text, volatile)
        if fixed and topic.shared(line.text) > 0:
            remaining.append(TextRemains(text=line.text))
    return tuple(remaining[:MOST_SHARED])


def derive_unchanged(
    before: Snapshot, after: Snapshot, expectations: Sequence[Expectation]
) -> tuple[Expectation, ...]:
    """Return what the action has to leave alone: the like of what goes or looks otherwise."""
    change = Transition(before, after)
    kept: list[Expectation] = []
    for expectation in expectations:
        if isinstance(expectation, TextDisappears):
            kept += _neighbours(change, expectation)
        if isinstance(expectation, Look) and expectation.text:
            kept += _looks_of_neighbours(change, expectation)
    return tuple(entry for entry in _distinct(kept) if holds(entry, change))


def _neighbours(change: Transition, gone: TextDisappears) -> list[TextRemains]:
    """Return that the texts in one list with a text that goes remain, where some do."""
    return [TextRemains(text=text) for text in _beside(change, gone.text)[:4]]


def _looks_of_neighbours(change: Transition, look: Look) -> list[Expectation]:
    """Return that the texts in one list with a text that looks otherwise look as before."""
    same: list[Expectation] = []
    for text in _beside(change, look.text or "")[:4]:
        same.append(Look(text=text, aspect=look.aspect, before=look.before, after=look.before))
    return same


def _beside(change: Transition, text: str) -> list[str]:
    """Return the texts around `text` in the smallest group that has any which last."""
    places = occurrences(change.before, text)
    if not places:
        return []
    lasting = {plain(line.text) for line in change.after.seen_lines}
    page = change.before
    limit = 0.6 * page.width * page.height
    for ancestor in page.ancestors(page.nodes[places[0].lines[0].runs[0].node]):
        if ancestor.area > limit:
            break
        texts = []
        for line in page.lines_in(ancestor, seen=True):
            other = plain(line.text)
            if worded(other) and other in lasting and plain(text) not in other:
                texts.append(line.text)
        if texts:
            return texts
    return []
