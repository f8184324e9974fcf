"""A command line, sorted into what all models of a run share and what belongs to one model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from iwr.config.overrides import Assignment, assignment_of
from iwr.config.values import ValueFault, list_of
from iwr.errors import ConfigError


class CommandLine(NamedTuple):
    """The settings of a command, in the order in which they were given."""

    common: list[Assignment]
    of_models: list[Assignment]  # values below `model`, for each model of the command
    names: list[str] | None  # of `model=` or `models=`; None: neither was given

    def value(self, key: str) -> str | None:
        """Return the last text that was given for a common setting; None where there is none."""
        values = [each.text for each in self.common if each.key == key]
        return values[-1] if values else None

    def model_settings(self) -> list[list[str]]:
        """Return the settings of each model; without names there is one, the default."""
        values = texts(self.of_models)
        if self.names is None:
            return [values]
        return [[f"model={name}", *values] for name in self.names]


def split(arguments: Sequence[str]) -> CommandLine:
    """Sort the settings of a command line. Raise ConfigError for what is no setting."""
    common = []
    of_models = []
    names = None
    for argument in arguments:
        assignment = assignment_of(argument)
        key, text = assignment
        if key == "models" and text is not None:
            names = _names(text)
        elif key == "model" and text is not None:
            names = [text]
        elif key == "model" or key.startswith("model."):
            of_models.append(assignment)
        else:
            common.append(assignment)
    return CommandLine(common, of_models, names)


def texts(assignments: Sequence[Assignment]) -> list[str]:
    """Return assignments as they are written on a command line."""
    return [str(each) for each in assignments]


def _names(text: str) -> list[str] | None:
    """Return the models of `models=…`; None for null. Raise ConfigError."""
    if text == "null":
        return None
    try:
        return list_of(text)
    except ValueFault as fault:
        raise ConfigError(f"models={text}: {fault}") from fault
