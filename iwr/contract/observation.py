"""What there is to observe at a step: expectations derived from two states of the true page.

What is expected are differences that were seen; the assertion only selects among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iwr.browser.snapshot import Snapshot
from iwr.contract.changes import differences, place_of
from iwr.contract.check import check_change
from iwr.contract.difference import Difference
from iwr.contract.element_changes import is_typed_value
from iwr.contract.outcome import Answer, Transition
from iwr.contract.reading import Passage, plain, readable_lines, worded
from iwr.contract.schema import (
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Moved,
    Order,
    PerformedAction,
    PictureChanged,
    Place,
    Scrolled,
    TextAppears,
    TextDisappears,
    TextRemains,
)
from iwr.contract.selection import Selection

MOST_SPOKEN_OF = 3  # texts that the assertion speaks of without quoting them
MOST_GONE = 8
MOST_REMAINING = 3
MOST: dict[type, int] = {
    TextAppears: 3,
    TextDisappears: 3,
    Order: 1,
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
BEYOND_TEXT = (Look, FieldValue, ElementState, Moved)
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
    change = Transition(
        before,
        after,
        action,
    )
    target = before.by_uid.get(target_uid) if target_uid else None
    return Derivation(
        change,
        Selection(assertion, target),
        volatile,
    ).result()


def holds(expectation: Expectation, change: Transition) -> bool:
    """Return whether an expectation is met."""
    return check_change(expectation, change).answer is Answer.YES


def is_new(expectation: Expectation, change: Transition) -> bool:
    """Return whether an expectation is met, and would not be if nothing had happened."""
    idle = change._replace(after=change.before)
    return holds(expectation, change) and not holds(expectation, idle)


def distinct(expectations: Iterable[Expectation]) -> tuple[Expectation, ...]:
    """Return the expectations, each once: of a text, the first of a kind."""
    result: dict[str, Expectation] = {}
    for expectation in expectations:
        key = expectation.model_dump_json()
        if isinstance(expectation, TextAppears | TextDisappears | TextRemains):
            key = f"{expectation.kind} {plain(expectation.text)}"
        result.setdefault(key, expectation)
    return tuple(result.values())


class Derivation:
    """The expectations of one step."""

    def __init__(
        self,
        change: Transition,
        selection: Selection,
        volatile: frozenset[str],
    ):
        self.change = change
        self.selection = selection
        self.volatile = volatile
        self.seen: list[Difference] = []
        for difference in differences(change):
            if self._is_effect(difference):
                self.seen.append(difference)

    def _is_effect(self, difference: Difference) -> bool:
        """Return whether a difference can be checked, and is more than the typed text itself."""
        if plain(difference.words) in self.volatile:
            return False
        if is_typed_value(self.change, difference.expectation):
            return False
        return is_new(difference.expectation, self.change)

    def result(self) -> tuple[Expectation, ...]:
        """Return the expectations; at least one is new, unless nothing but pixels changed."""
        chosen = self._quoted()
        chosen += self._beyond_quotes(chosen)
        chosen += self._spoken_of()
        effects = [entry for entry in chosen if not is_typed_value(self.change, entry)]
        if not self._any_new(effects):
            chosen += self._plainest()
        kept = [entry for entry in chosen if holds(entry, self.change)]
        if not self._any_new(kept):
            kept += self._without_effect()
        return distinct(kept)

    def _any_new(self, expectations: Iterable[Expectation]) -> bool:
        return any(is_new(entry, self.change) for entry in expectations)

    def _of_kind(self, kind: type) -> list[Difference]:
        """Return the differences of a kind, what the assertion is about first."""
        entries = [entry for entry in self.seen if isinstance(entry.expectation, kind)]
        entries.sort(key=lambda entry: -self.selection.score(entry))
        return entries

    # ---- what the assertion quotes -----------------------------------------------------

    def _quoted(self) -> list[Expectation]:
        """Return that each quoted text comes, goes or can be read, as on the true page."""
        expectations = []
        for quote in self.selection.quotes:
            if any(plain(quote) in text for text in self.volatile):
                continue
            expectation = self._about_quote(quote)
            if expectation is not None:
                expectations.append(expectation)
        return expectations

    def _about_quote(self, quote: str) -> Expectation | None:
        before = self.change.read_before(quote)
        after = self.change.read_after(quote)
        if len(after) > len(before):
            place = self._place_of(before, after) if before else None
            return TextAppears(
                text=quote,
                quoted=True,
                place=place,
            )
        if len(after) < len(before):
            return TextDisappears(
                text=quote,
                quoted=True,
                all=not after,
            )
        if after:
            return TextAppears(
                text=quote,
                quoted=True,
                new=False,
            )
        return self._value_with(quote)

    def _place_of(self, before: Sequence[Passage], after: Sequence[Passage]) -> Place | None:
        """Return where a text is read that could be read elsewhere before."""
        old = [passage.box for passage in before]
        fresh = [passage for passage in after if passage.box not in old]
        line = (fresh or after)[0].lines[0]
        others = readable_lines(self.change.before, self.change.action)
        return place_of(
            self.change.after,
            line,
            others,
        )

    def _value_with(self, quote: str) -> Expectation | None:
        """Return that a field holds a quoted text, be it what was typed."""
        for difference in differences(self.change):
            expectation = difference.expectation
            if not isinstance(expectation, FieldValue):
                continue
            if plain(quote) in plain(expectation.value):
                return expectation
        return None

    def _beyond_quotes(self, quoted: Iterable[Expectation]) -> list[Expectation]:
        """Return, for each quoted text that stays, what else happened to it."""
        expectations = []
        for expectation in quoted:
            if isinstance(expectation, TextAppears) and not expectation.new:
                entry = self._what_happened_to(plain(expectation.text))
                if entry is not None:
                    expectations.append(entry.expectation)
        return expectations

    def _what_happened_to(self, text: str) -> Difference | None:
        for kind in BEYOND_TEXT:
            if kind is Moved and not self.selection.has_a_word_for(Moved):
                continue
            for entry in self._of_kind(kind):
                if text in plain(entry.words):
                    return entry
        return None

    # ---- what else it is about ---------------------------------------------------------

    def _spoken_of(self) -> list[Expectation]:
        """Return the differences that the assertion shares words, numbers or stems with."""
        selection = self.selection
        spoken = [entry for entry in self.seen if selection.speaks_of(entry)]
        spoken.sort(key=lambda entry: -selection.score(entry))
        entries = spoken[:MOST_SPOKEN_OF]
        for kind in (Order, Scrolled, Moved, Look, ElementState):
            if selection.has_a_word_for(kind):
                entries += self._related(kind)[: MOST[kind]]
        if selection.has_a_word_for(TextDisappears):
            entries += self._of_kind(TextDisappears)[:MOST_GONE]
        return [entry.expectation for entry in entries]

    def _related(self, kind: type) -> list[Difference]:
        """Return the differences of one kind that concern a quote, a named thing or the target."""
        entries = self._of_kind(kind)
        if kind in (Order, Scrolled):
            return entries
        related = [entry for entry in entries if self.selection.is_related(entry)]
        if not related and len(entries) <= MOST[Moved]:
            return entries
        return related

    def _plainest(self) -> list[Expectation]:
        """Return the differences that speak for themselves, of the first kind that has any."""
        for kind in PLAINEST:
            entries = self._of_kind(kind)
            if kind is TextAppears:
                entries = [entry for entry in entries if worded(entry.words)] or entries
            if entries:
                return [entry.expectation for entry in entries[: MOST[kind]]]
        return []

    def _without_effect(self) -> list[Expectation]:
        """Return what to expect of an action that changes nothing but, at most, pixels."""
        if self.change.before.screenshot != self.change.after.screenshot:
            return [PictureChanged()]
        remaining: list[Expectation] = []
        for line in readable_lines(self.change.after, self.change.action):
            lasting = plain(line.text) not in self.volatile
            if lasting and self.selection.names(line.text):
                remaining.append(TextRemains(text=line.text))
        return remaining[:MOST_REMAINING]
