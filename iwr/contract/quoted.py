"""What is expected of the texts that an assertion quotes."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.browser.snapshot import TextLine
from iwr.contract.changes import differences, place_of, text_near
from iwr.contract.check import holds, is_new
from iwr.contract.check_texts import company_of
from iwr.contract.outcome import Transition
from iwr.contract.reading import (
    ALONE,
    Passage,
    common_group,
    passages,
    plain,
    plain_texts,
    readable_lines,
)
from iwr.contract.schema import (
    Count,
    Expectation,
    FieldValue,
    Place,
    TextAppears,
    TextDisappears,
    Verb,
)
from iwr.contract.selection import Selection

Passages = Sequence[Passage]


class QuotedTexts:
    """The quoted texts of one assertion. Texts in `volatile` are not demanded."""

    def __init__(self, change: Transition, selection: Selection, volatile: frozenset[str]):
        self.change = change
        self.selection = selection
        self.volatile = volatile

    def expectations(self) -> list[Expectation]:
        """Return that each quoted text comes, goes or can be read, as on the true page."""
        expectations: list[Expectation | None] = []
        for quote in self.selection.quotes:
            if not self._is_volatile(quote):
                expectations.append(self._about_quote(quote))
                expectations.append(self._moved_away(quote))
        return list(filter(None, expectations))

    def _is_volatile(self, quote: str) -> bool:
        """Return whether a quote is in a text that differs from one replay to the next."""
        name = plain(quote)
        return any(name in text for text in self.volatile)

    def _about_quote(self, quote: str) -> Expectation | None:
        """Return that a quote comes, goes or stays; None where the page never shows it."""
        before = self.change.read_before(quote)
        after = self.change.read_after(quote)
        if len(after) > len(before):
            return self._appearance(quote, before, after)
        if len(after) < len(before):
            is_gone = not after
            return TextDisappears(text=quote, quoted=True, all=is_gone)
        if not after:
            return self._value_with(quote)
        lasting = TextAppears(text=quote, quoted=True, new=False)
        return self._alone(quote) or lasting

    def _alone(self, quote: str) -> Expectation | None:
        """Return that a text appears or disappears on its own, though a longer one has it, too."""
        for kind in (TextAppears, TextDisappears):
            entry = kind(text=quote, quoted=True, place=ALONE)
            if is_new(entry, self.change):
                return entry
        return None

    def _moved_away(self, quote: str) -> Count | None:
        """Return that a quoted text that is dragged is moved, not copied."""
        action = self.change.action
        if action is None or action.verb is not Verb.DRAG:
            return None
        before = len(self.change.read_before(quote))
        after = len(self.change.read_after(quote))
        if before == 0 or after == 0:
            return None
        return Count(text=quote, before=before, after=after)

    def _value_with(self, quote: str) -> FieldValue | None:
        """Return that a field holds a quoted text, be it what was typed."""
        name = plain(quote)
        for difference in differences(self.change):
            expectation = difference.expectation
            if not isinstance(expectation, FieldValue):
                continue
            if name in plain(expectation.value):
                return expectation
        return None

    # ---- where a new text is read ------------------------------------------------------

    def _appearance(self, quote: str, before: Passages, after: Passages) -> TextAppears:
        """Return that a text can be read more often, at a place that tells it from the others."""
        fresh = _not_at(before, after) or after
        company = None
        if self.selection.is_exclusive:
            company = company_of(fresh[0], self.change)
        entry = TextAppears(text=quote, quoted=True, company=company)
        places = [self._spoken_place(fresh, quote)]
        if before:
            place = self._short_place(fresh[0])
            places.append(place)
        for place in filter(None, places):
            update = {"place": place}
            placed = entry.model_copy(update=update)
            if holds(placed, self.change):
                return placed
        surplus = len(after) - len(before)
        return entry.model_copy(update={"times": surplus})

    def _short_place(self, spot: Passage) -> Place | None:
        """Return what stands beside a short text that could be read elsewhere before."""
        first = spot.lines[0]
        return place_of(self.change.after, first, self._earlier_lines())

    def _earlier_lines(self) -> Sequence[TextLine]:
        """Return what could be read before."""
        return readable_lines(self.change.before, self.change.action)

    def _spoken_place(self, fresh: Passages, quote: str) -> Place | None:
        """Return the lasting text that the assertion names as the place of a new one."""
        names = self._mentioned_before(quote)
        page = self.change.after
        for spot in fresh:
            near = text_near(page, spot.lines[0], names)
            if not near:
                continue
            share = self._share_around(spot, near)
            return Place(near=near, share=share)
        return None

    def _share_around(self, spot: Passage, near: str) -> float:
        """Return how much of the viewport the smallest group takes that has both texts, 0..1."""
        page = self.change.after
        areas = []
        for anchor in passages(page.seen_lines, near):
            group = common_group(page, spot, anchor)
            areas.append(group.area)
        view = page.width * page.height
        return min(areas) / view

    def _mentioned_before(self, quote: str) -> set[str]:
        """Return the texts of the earlier state that the assertion has, outside of a quote."""
        content = plain(quote)
        names = set()
        for text in plain_texts(self._earlier_lines()):
            if text in content:
                continue
            if self.selection.mentions(text):
                names.add(text)
        return names


def _not_at(before: Passages, after: Passages) -> list[Passage]:
    """Return the later passages that stand where none stood earlier."""
    old = [passage.box for passage in before]
    return [passage for passage in after if passage.box not in old]
