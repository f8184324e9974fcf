"""Names of repeats: a model that is asked several times has a name for each of them.

The first repeat has the name of the model, so that a run without repeats looks as it always did.
"""

from __future__ import annotations

import re

NAME = re.compile(r"(?P<model>.+)\.repeat-(?P<number>[0-9]+)")


def name_of_repeat(model: str, number: int) -> str:
    """Return the name of a repeat; they are numbered from 1."""
    if number == 1:
        return model
    return f"{model}.repeat-{number}"


def model_of(name: str) -> str:
    """Return the name of the model of which this is a repeat."""
    match = NAME.fullmatch(name)
    if match is None:
        return name
    return match["model"]


def number_of(name: str) -> int:
    """Return the number of a repeat, from 1."""
    match = NAME.fullmatch(name)
    if match is None:
        return 1
    return int(match["number"])
