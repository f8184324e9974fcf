"""Which of the observed differences an assertion is about.

No sentence is understood here: a difference matters when the assertion quotes it, shares words or
numbers with it, or has a word for its kind.
"""

from __future__ import annotations

import math
import re

from iwr.browser.snapshot import Node
from iwr.contract.difference import Difference
from iwr.contract.geometry import center_of, same_row
from iwr.contract.reading import plain, quotes, words
from iwr.contract.schema import (
    Arrangement,
    Box,
    Contrast,
    ElementState,
    FieldValue,
    Look,
    Moved,
    Order,
    Scrolled,
    TextAppears,
    TextDisappears,
)

SPOKEN_SHARE = 0.6  # of the words of a text: with so many shared, the assertion speaks of it
REACH = 200.0  # pixels: what is so far from the target counts half
STEMS: dict[type, re.Pattern[str]] = {
    Moved: re.compile(
        r"\b(mov|shift|slid|drag|left|right|up\b|down\b|above|below|under\b|position|swap)"
    ),
    Scrolled: re.compile(r"\bscroll"),
    Order: re.compile(
        r"\b(sort|order|ascend|descend|alphabet|first|last|top\b|bottom|above|below|reorder|swap"
        r"|shuffl|second|third|between|beginning|ending|before\b|after\b|rank|highest|lowest)"
    ),
    Look: re.compile(
        r"\b(bold|struck|strik|cross|line-through|underlin|colou?r|highlight|dark|light|theme"
        r"|gr[ae]y|red\b|green|blue|yellow|orange|purple|white|black|fade|dim|fill|complet|done)"
    ),
    TextDisappears: re.compile(
        r"\b(only|no longer|remov|disappear|hid|filter|clos|delet|clear|gone|without|collaps"
        r"|dismiss|empty|vanish|left\b|not\b)"
    ),
    FieldValue: re.compile(r"\b(empty|emptied|blank|field|input|box|value|reset)"),
    ElementState: re.compile(
        r"\b(check|tick|mark|select|expand|collaps|enabl|disabl|press|toggl|turn|switch|activ"
        r"|open|clos|on\b|off\b)"
    ),
}
STEMS[Arrangement] = STEMS[Moved]
STEMS[Contrast] = STEMS[Look]
"""Kind of a difference -> the stems by which an assertion asks for it."""
EXCLUSIVE = re.compile(r"\b(only|just|nothing but|no other)\b")
COMMON = set(
    words(
        "the and text are appears appear shown show shows displayed display displays changes"
        " change with that from for this now new its has have was were been page button becomes"
        " become of to in on is it a an as at by be list item field"
    )
)
"""Words that say nothing about which difference is meant."""


class Selection:
    """What an assertion is about. `target` is the element that was acted on, as it was before."""

    def __init__(self, assertion: str, target: Node | None):
        self.everything = set(words(assertion))
        self.quotes = quotes(assertion)
        self.target = target
        rest = assertion
        for quote in self.quotes:
            rest = rest.replace(quote, " ")
        self.rest = plain(rest)
        self.words = set(words(rest)) - COMMON

    def has_a_word_for(self, kind: type) -> bool:
        """Return whether the assertion asks for a kind of difference."""
        stems = STEMS.get(kind)
        if stems is None:
            return False
        return stems.search(self.rest) is not None

    def is_related(self, difference: Difference) -> bool:
        """Return whether a difference concerns a quote, a named thing or the target itself."""
        text = plain(difference.words)
        for quote in map(plain, self.quotes):
            if quote in text:
                return True
        least = 0.0
        if isinstance(difference.expectation, Moved):
            least = SPOKEN_SHARE
        if self._shared(text) > least:
            return True
        if self.target is None:
            return False
        return difference.box == self.target.box

    def speaks_of(self, difference: Difference) -> bool:
        """Return whether the assertion has most words, or a number, of a text or value."""
        match difference.expectation:
            case TextAppears() | FieldValue():
                pass
            case TextDisappears() if self.has_a_word_for(TextDisappears):
                pass
            case _:
                return False
        text = difference.words
        if self._shared(text) >= SPOKEN_SHARE:
            return True
        if self.mentions(text):
            return True
        return self._shares_a_number(text)

    def score(self, difference: Difference) -> float:
        """Return how much the assertion is about a difference: more is better."""
        score = 2 * self._shared(difference.words)
        if self._shares_a_number(difference.words):
            score += 1
        return score + self.closeness(difference.box)

    def closeness(self, box: Box | None) -> float:
        """Return 1 at the target, towards 0 far from it."""
        if box is None or self.target is None:
            return 0.0
        distance = math.dist(self.target.center, center_of(box))
        return REACH / (REACH + distance)

    @property
    def is_exclusive(self) -> bool:
        """Whether nothing but what the assertion names may appear."""
        return EXCLUSIVE.search(self.rest) is not None

    def is_in_row(self, difference: Difference) -> bool:
        """Return whether a difference concerns something in the row of the target."""
        if difference.box is None or self.target is None:
            return False
        return same_row(self.target.box, difference.box)

    def mentions(self, text: str) -> bool:
        """Return whether the assertion has all words of a text, quoted or not."""
        parts = words(text)
        if not parts:
            return False
        return self.everything.issuperset(parts)

    def names(self, text: str) -> bool:
        """Return whether the assertion shares a word with a text."""
        return self._shared(text) > 0

    def _shared(self, text: str) -> float:
        """Return the part of the telling words of a text that the assertion has too, 0..1."""
        telling = [word for word in words(text) if word not in COMMON]
        if not telling:
            return 0.0
        count = 0
        for word in telling:
            count += word in self.words
        return count / len(telling)

    def _shares_a_number(self, text: str) -> bool:
        """Return whether the assertion has a number that is in a text, outside of quotes."""
        shared = self.words.intersection(words(text))
        return any(word[0].isdigit() for word in shared)
