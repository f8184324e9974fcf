"""Names of repeats: a model that is asked several times keeps each pass under a name of its own.

The first pass has the name of the model, so that a run without repeats looks as it always did.
"""

from __future__ import annotations

import re

NAME = re.compile(r"(?P<model>.+)\.repeat-(?P<number>[0-9]+)")


def name_of_pass(model: str, number: int) -> str:
    """Return the name of a pass; they are numbered from 1."""
    if number == 1:
        return model
    return f"{model}.repeat-{number}"


def model_of(name: str) -> str:
    """Return the name of the model of which this is a pass."""
    match = NAME.fullmatch(name)
    if match is None:
        return name
    return match["model"]


def number_of(name: str) -> int:
    """Return the number of a pass, from 1."""
    match = NAME.fullmatch(name)
    if match is None:
        return 1
    return int(match["number"])
