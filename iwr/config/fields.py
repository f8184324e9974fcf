"""How a setting is declared: its default, the values it may have, the results that depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, field, fields
from enum import Enum
from typing import Any, NamedTuple


class Result(Enum):
    """What a stage leaves behind, and what a setting can thus change."""

    ANSWERS = "answers"  # of a model: pages, or the words of a judge model
    ROLLOUTS = "rollouts"
    SCORES = "scores"


class Limits(NamedTuple):
    """The values that a setting may have; `between`, `above` and `one_of` make them."""

    least: float | None = None
    above: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    def fault(self, value: object) -> str | None:
        """Return what is wrong with a value; None when it is right or not set."""
        if isinstance(value, str):
            return self._fault_of_text(value)
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return self._fault_of_number(value)
        return None

    def _fault_of_text(self, text: str) -> str | None:
        """Return what is wrong with a text; None for one of the choices."""
        if not self.choices or text in self.choices:
            return None
        *others, last = self.choices
        return f"must be {', '.join(others)} or {last}"

    def _fault_of_number(self, number: float) -> str | None:
        """Return what is wrong with a number; None: nothing."""
        if number != number:
            return "must be a number"
        if self.least is not None and number < self.least:
            return f"must be at least {self.least:,}"
        if self.above is not None and number <= self.above:
            return f"must be more than {self.above:,}"
        if self.most is not None and number > self.most:
            return f"must be at most {self.most:,}"
        return None


ANY = Limits()


def between(least: float, most: float) -> Limits:
    """Return the limits of numbers from `least` to `most`, both included."""
    return Limits(least=least, most=most)


def above(number: float, most: float) -> Limits:
    """Return the limits of numbers above `number`, up to `most`."""
    return Limits(above=number, most=most)


def one_of(*choices: str) -> Limits:
    """Return the limits of a text that must be one of at least two choices."""
    return Limits(choices=choices)


class Mark(NamedTuple):
    """What is declared about a setting beside its type and default."""

    affects: tuple[Result, ...]
    limits: Limits


MARK = "mark"
"""Key of a field's metadata."""


def affects_answers(default: Any = MISSING, limits: Limits = ANY) -> Any:
    """Declare a setting that answers of models depend on."""
    return _setting(default, limits, Result.ANSWERS)


def affects_rollouts(default: Any = MISSING, limits: Limits = ANY) -> Any:
    """Declare a setting that rollouts depend on."""
    return _setting(default, limits, Result.ROLLOUTS)


def affects_scores(default: Any = MISSING, limits: Limits = ANY) -> Any:
    """Declare a setting that scores depend on, but no rollout."""
    return _setting(default, limits, Result.SCORES)


def affects_rollouts_and_scores(default: Any = MISSING, limits: Limits = ANY) -> Any:
    """Declare a setting that rollouts depend on, and scores beside that."""
    return _setting(default, limits, Result.ROLLOUTS, Result.SCORES)


def affects_nothing(default: Any = MISSING, limits: Limits = ANY) -> Any:
    """Declare a setting that no result depends on."""
    return _setting(default, limits)


def _setting(default: Any, limits: Limits, *affects: Result) -> Field[Any]:
    """Return the field of a setting. Without a default it must be given.

    A default that can be called makes the value: `list`, or a schema.
    """
    metadata = {MARK: Mark(affects, limits)}
    declared: Field[Any]
    if callable(default):
        declared = field(default_factory=default, metadata=metadata)
    else:
        declared = field(default=default, metadata=metadata)
    return declared


def mark_of(declared: Field[Any]) -> Mark:
    """Return the mark of a field. Raise KeyError when none of these functions made it."""
    mark: Mark = declared.metadata[MARK]
    return mark


def settings_of(config: object, result: Result) -> Iterator[tuple[str, object]]:
    """Yield the name and value of each setting of one schema that a result depends on."""
    for declared in fields(config):  # type: ignore[arg-type]
        if result in mark_of(declared).affects:
            yield declared.name, getattr(config, declared.name)
