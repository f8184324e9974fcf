"""One observed change between two states of the true page."""

from __future__ import annotations

from typing import NamedTuple

from iwr.contract.schema import Box, Expectation, Target


class Difference(NamedTuple):
    """An expectation that was seen to hold: `words` say what it is about, `box` where it is."""

    expectation: Expectation
    words: str
    box: Box | None = None


def words_of(element: Target, *more: str) -> str:
    """Return what an element is called, for comparison with an assertion."""
    names = [element.label, element.name, element.picture]
    names += more
    return " ".join(filter(None, names))
