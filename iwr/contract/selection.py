"""Which of the observed differences an assertion is about.

No sentence is understood here: a difference matters when the assertion quotes it, shares words or
numbers with it, or has a word for its kind.
"""

from __future__ import annotations

import math
import re

from iwr.browser.snapshot import Node
from iwr.contract.difference import Difference
from iwr.contract.geometry import center_of
from iwr.contract.reading import plain, quotes, words
from iwr.contract.schema import (
    Box,
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
"""Kind of a difference -> the stems by which an assertion asks for it."""
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
        self.sentence = plain(assertion)
        self.quotes = quotes(assertion)
        self.target = target
        rest = assertion
        for quote in self.quotes:
            rest = rest.replace(quote, " ")
        self.words = set(words(rest)) - COMMON

    def has_a_word_for(self, kind: type) -> bool:
        """Return whether the assertion asks for a kind of difference."""
        stems = STEMS.get(kind)
        return stems is not None and stems.search(self.sentence) is not None

    def is_related(self, difference: Difference) -> bool:
        """Return whether a difference concerns a quote, a named thing or the target itself."""
        text = plain(difference.words)
        if any(plain(quote) in text for quote in self.quotes):
            return True
        if self._shared(difference.words) > 0:
            return True
        return self.target is not None and difference.box == self.target.box

    def speaks_of(self, difference: Difference) -> bool:
        """Return whether the assertion has most words, or a number, of a text or value."""
        expectation = difference.expectation
        if isinstance(expectation, TextDisappears):
            if not self.has_a_word_for(TextDisappears):
                return False
        elif not isinstance(expectation, TextAppears | FieldValue):
            return False
        if self._shared(difference.words) >= SPOKEN_SHARE:
            return True
        return self._shares_a_number(difference.words)

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

    def names(self, text: str) -> bool:
        """Return whether the assertion shares a word with a text."""
        return self._shared(text) > 0

    def _shared(self, text: str) -> float:
        """Return the part of the telling words of a text that the assertion has too, 0..1."""
        telling = [word for word in words(text) if word not in COMMON]
        if not telling:
            return 0.0
        shared = [word for word in telling if word in self.words]
        return len(shared) / len(telling)

    def _shares_a_number(self, text: str) -> bool:
        numbers = {word for word in words(text) if word[0].isdigit()}
        return not numbers.isdisjoint(self.words)
