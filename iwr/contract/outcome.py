"""The answer to one expectation, and what it is asked of."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from iwr.browser.snapshot import Snapshot
from iwr.contract.reading import Passage, occurrences
from iwr.contract.schema import PerformedAction, Place, Point, Target


class Answer(StrEnum):
    """Undecided: nothing on the page tells it, or too many elements could be meant."""

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
        return occurrences(self.before, text, place, self.action)

    def read_after(self, text: str, place: Place | None = None) -> list[Passage]:
        """Return where a text can be read afterwards; what the action typed does not count."""
        return occurrences(self.after, text, place, self.action)

    @property
    def scroll(self) -> tuple[int, int]:
        """By how much the page scrolled, (dx, dy) in pixels."""
        x, y = self.before.scroll
        new_x, new_y = self.after.scroll
        return new_x - x, new_y - y

    def way(self, old: Point, new: Point) -> Point:
        """Return by how much something moved on the page, (dx, dy) in pixels.

        `old` and `new` are its places in the viewport.
        """
        dx, dy = self.scroll
        x, y = old
        new_x, new_y = new
        across = new_x - x + dx
        along = new_y - y + dy
        return across, along


def yes(reason: str) -> Outcome:
    """Return that an expectation is met."""
    return Outcome(Answer.YES, reason)


def no(reason: str) -> Outcome:
    """Return that an expectation is not met."""
    return Outcome(Answer.NO, reason)


def undecided(reason: str) -> Outcome:
    """Return that there is no telling whether an expectation is met."""
    return Outcome(Answer.UNDECIDED, reason)


def title_of(target: Target | None, text: str | None = None) -> str:
    """Return how a text or an element is called in a reason."""
    if text:
        return repr(text)
    if target is None:
        return "the element"
    names = (target.label, target.name, target.placeholder, target.picture, target.kind)
    name = next(filter(None, names), "the element")
    return repr(name)


def with_not(value: bool, word: str) -> str:
    """Return `word`, or its contrary."""
    return word if value else f"not {word}"
