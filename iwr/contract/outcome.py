"""The answer to one expectation, and what it is asked of."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from iwr.browser.snapshot import Snapshot
from iwr.contract.reading import Passage, occurrences
from iwr.contract.schema import PerformedAction, Place, Target


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


class Outcome(NamedTuple):
    """An answer and the reason for it."""

    answer: Answer
    reason: str


class Transition(NamedTuple):
    """Two states of one page, and what was done between them."""

    before: Snapshot
    after: Snapshot
    action: PerformedAction | None = None

    def read_before(self, text: str, place: Place | None = None) -> list[Passage]:
        """Return where a text can be read before."""
        return occurrences(
            self.before,
            text,
            place,
            self.action,
        )

    def read_after(self, text: str, place: Place | None = None) -> list[Passage]:
        """Return where a text can be read afterwards; what the action typed does not count."""
        return occurrences(
            self.after,
            text,
            place,
            self.action,
        )

    @property
    def scroll(self) -> tuple[int, int]:
        """By how much the page scrolled, (dx, dy) in pixels."""
        old = self.before.scroll
        new = self.after.scroll
        return new[0] - old[0], new[1] - old[1]


def yes(reason: str) -> Outcome:
    return Outcome(Answer.YES, reason)


def no(reason: str) -> Outcome:
    return Outcome(Answer.NO, reason)


def undecided(reason: str) -> Outcome:
    return Outcome(Answer.UNDECIDED, reason)


def title_of(target: Target | None, text: str | None = None) -> str:
    """Return how a text or an element is called in a reason."""
    if text:
        return repr(text)
    if target is None:
        return "the element"
    name = target.label or target.name or target.placeholder or target.picture
    return repr(name or target.kind or "the element")


def with_not(value: bool, word: str) -> str:
    """Return `word`, or its contrary."""
    return word if value else f"not {word}"
