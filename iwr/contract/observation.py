"""What there is to observe at a step: expectations derived from two states of the true page.

What is expected are differences that were seen; the assertion only selects among them.
"""

from __future__ import annotations

from collections.abc import Iterable

from iwr.browser.snapshot import Snapshot
from iwr.contract.changes import differences
from iwr.contract.check import holds, is_new
from iwr.contract.difference import Difference
from iwr.contract.element_changes import is_typed_value
from iwr.contract.orders import in_order, neighbours
from iwr.contract.outcome import Transition
from iwr.contract.quoted import QuotedTexts
from iwr.contract.reading import (
    lines_read_once,
    plain,
    plain_texts,
    readable_lines,
    worded,
)
from iwr.contract.schema import (
    Arrangement,
    Contrast,
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
from iwr.contract.selection import Selection

MOST_SPOKEN_OF = 3  # texts that the assertion speaks of without quoting them
MOST_GONE = 8
MOST_UNRELATED = 2  # differences of a kind that need no relation to the assertion
MOST_REMAINING = 3
MOST: dict[type, int] = {
    TextAppears: 3,
    TextDisappears: 3,
    Order: 1,
    Arrangement: 1,
    Contrast: 2,
    ElementState: 2,
    FieldValue: 1,
    Look: 3,
    Moved: 2,
    Scrolled: 1,
}
"""How many differences of a kind are expected at most."""
PLAINEST: tuple[type, ...] = (
    Scrolled,
    TextAppears,
    Order,
    ElementState,
    FieldValue,
    TextDisappears,
    Look,
    Moved,
)
"""The kinds that speak for themselves where the assertion has no word for any, the first first."""
SPOKEN_KINDS = (
    Order,
    Arrangement,
    Scrolled,
    Moved,
    Look,
    Contrast,
    ElementState,
    FieldValue,
)
"""The kinds that an assertion may have a word for."""
WHOLE_GROUPS = (Order, Arrangement, Scrolled, Contrast)
"""The kinds that are about more than one text or element."""
ABOUT_A_TEXT = (TextAppears, TextDisappears, TextRemains)
BEYOND_TEXT = (ElementState, FieldValue, Look, Moved)
"""What else may happen to a text that stays."""


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
    target = None
    if target_uid:
        target = before.by_uid.get(target_uid)
    selection = Selection(assertion, target)
    derivation = Derivation(change, selection, volatile)
    return derivation.result()


def distinct(expectations: Iterable[Expectation]) -> tuple[Expectation, ...]:
    """Return the expectations, each once: of a text, the first of a kind."""
    result: dict[str, Expectation] = {}
    for expectation in expectations:
        key = expectation.model_dump_json()
        if isinstance(expectation, ABOUT_A_TEXT):
            text = plain(expectation.text)
            key = f"{expectation.kind} {text}"
        result.setdefault(key, expectation)
    return tuple(result.values())


def _texts_in(expectation: Expectation) -> list[str]:
    """Return the texts that an expectation about several of them is about; none of any other."""
    match expectation:
        case Order(texts=texts):
            return list(texts)
        case Arrangement(cells=cells):
            return [cell.text for cell in cells]
        case Contrast(text=text, unlike=unlike):
            return [text, unlike]
        case _:
            return []


class Derivation:
    """The expectations of one step.

    `seen` are the differences that can be checked, the plainest kinds first.
    """

    def __init__(self, change: Transition, selection: Selection, volatile: frozenset[str]):
        self.change = change
        self.selection = selection
        self.volatile = volatile
        self.seen: list[Difference] = []
        for difference in differences(change):
            if self._is_effect(difference):
                self.seen.append(difference)

    def _is_effect(self, difference: Difference) -> bool:
        """Return whether a difference can be checked, and is more than the typed text itself."""
        texts = [difference.words, *_texts_in(difference.expectation)]
        if not self.volatile.isdisjoint(map(plain, texts)):
            return False
        return self._is_new_effect(difference.expectation)

    def _is_new_effect(self, expectation: Expectation) -> bool:
        """Return whether an expectation is new, and more than the value that was typed."""
        if is_typed_value(self.change, expectation):
            return False
        return is_new(expectation, self.change)

    def result(self) -> tuple[Expectation, ...]:
        """Return the expectations; at least one is new, unless nothing but pixels changed."""
        change = self.change
        quoted = QuotedTexts(change, self.selection, self.volatile)
        chosen = quoted.expectations()
        chosen += self._beyond_quotes(chosen)
        chosen += self._spoken_of()
        if not any(map(self._is_new_effect, chosen)):
            chosen += self._plainest()
        kept = [entry for entry in chosen if holds(entry, change)]
        if not any(is_new(entry, change) for entry in kept):
            kept += self._without_effect()
        return distinct(kept)

    def _by_score(self, entries: Iterable[Difference]) -> list[Difference]:
        """Return the differences, what the assertion is about first."""
        return sorted(entries, key=self.selection.score, reverse=True)

    def _of_kind(self, kind: type) -> list[Difference]:
        """Return the differences of a kind, what the assertion is about first."""
        entries = []
        for entry in self.seen:
            if isinstance(entry.expectation, kind):
                entries.append(entry)
        return self._by_score(entries)

    # ---- what happens to quoted texts --------------------------------------------------

    def _beyond_quotes(self, quoted: Iterable[Expectation]) -> list[Expectation]:
        """Return, for each quoted text that stays, what else happened to it."""
        expectations = []
        for expectation in quoted:
            if not isinstance(expectation, TextAppears):
                continue
            if expectation.new:
                continue
            text = plain(expectation.text)
            entry = self._what_happened_to(text)
            if entry is not None:
                expectations.append(entry.expectation)
        return expectations

    def _what_happened_to(self, text: str) -> Difference | None:
        """Return the first difference beyond the text itself that concerns it."""
        for kind in BEYOND_TEXT:
            if kind is Moved and not self.selection.has_a_word_for(kind):
                continue
            for entry in self._of_kind(kind):
                if text in plain(entry.words):
                    return entry
        return None

    # ---- what else it is about ---------------------------------------------------------

    def _spoken_of(self) -> list[Expectation]:
        """Return the differences that the assertion shares words, numbers or stems with."""
        selection = self.selection
        spoken = filter(selection.speaks_of, self.seen)
        entries = self._by_score(spoken)[:MOST_SPOKEN_OF]
        for kind in SPOKEN_KINDS:
            if selection.has_a_word_for(kind):
                most = MOST[kind]
                entries += self._related(kind)[:most]
        if selection.has_a_word_for(TextDisappears):
            entries += self._of_kind(TextDisappears)[:MOST_GONE]
        expectations = [entry.expectation for entry in entries]
        expectations += self._lasting_numbers()
        if selection.has_a_word_for(Order):
            expectations += self._named_order()
        return expectations

    def _related(self, kind: type) -> list[Difference]:
        """Return the differences of one kind that concern a quote, a named thing or the target."""
        entries = self._of_kind(kind)
        if kind in WHOLE_GROUPS:
            return entries
        related = list(filter(self.selection.is_related, entries))
        if related:
            return related
        if len(entries) <= MOST_UNRELATED:
            return entries
        return list(filter(self.selection.is_in_row, entries))

    def _lasting_numbers(self) -> list[Expectation]:
        """Return that a number that the assertion names, and that was there before, still is."""
        change = self.change
        before = set(plain_texts(change.before.lines))
        entries: list[Expectation] = []
        for line in readable_lines(change.after, change.action):
            text = plain(line.text)
            if text not in before or not text[0].isdigit():
                continue
            if self.selection.mentions(text):
                number = TextAppears(text=line.text, new=False)
                entries.append(number)
        return entries[:MOST_REMAINING]

    def _named_order(self) -> list[Order]:
        """Return the order of what the assertion names, or of a new text and its neighbours."""
        lines = lines_read_once(self.change.after)
        everything = in_order(list(lines), lines)
        lists = [list(filter(self._is_named, everything))]
        for quote in self.selection.quotes:
            text = plain(quote)
            if text in lines:
                lists.append(neighbours(text, lines))
        for texts in lists:
            if len(texts) < 2:
                continue
            names = [lines[text].text for text in texts]
            order = Order(texts=tuple(names))
            if is_new(order, self.change):
                return [order]
        return []

    def _is_named(self, text: str) -> bool:
        """Return whether the assertion quotes a text, or has all of its words."""
        quotes = map(plain, self.selection.quotes)
        return text in quotes or self.selection.mentions(text)

    # ---- where it is about nothing that was seen ---------------------------------------

    def _plainest(self) -> list[Expectation]:
        """Return the differences that speak for themselves, of the first kind that has any."""
        for kind in PLAINEST:
            entries = self._of_kind(kind)
            if kind is TextAppears:
                telling = [entry for entry in entries if worded(entry.words)]
                entries = telling or entries
            if entries:
                most = MOST[kind]
                return [entry.expectation for entry in entries[:most]]
        return []

    def _without_effect(self) -> list[Expectation]:
        """Return what to expect of an action that changes nothing but, at most, pixels."""
        change = self.change
        if change.before.screenshot != change.after.screenshot:
            return [PictureChanged()]
        remaining: list[Expectation] = []
        for line in readable_lines(change.after, change.action):
            if plain(line.text) in self.volatile:
                continue
            if self.selection.names(line.text):
                remaining.append(TextRemains(text=line.text))
        return remaining[:MOST_REMAINING]
