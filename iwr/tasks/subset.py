"""A part of a data set: tasks of some classes, a sample, the first few."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.config import DataConfig
from iwr.digests import digest
from iwr.errors import ConfigError, DataError
from iwr.records import Classification, Task

CLASSES = tuple(Classification.model_fields)
"""What `data.where` can ask for."""


def subset(tasks: Sequence[Task], data: DataConfig) -> tuple[Task, ...]:
    """Return the tasks that the settings ask for, in the order of the data set.

    First `data.where`, then `data.sample`, then `data.limit`. A sample depends on the ids and the
    seed alone. Raise ConfigError for an unknown class, DataError when no task is left.
    """
    _check_classes(data)
    chosen = [task for task in tasks if _fits(task, data.where)]
    if tasks and not chosen:
        raise DataError(f"no task fits {describe(data)}", hint=_values(tasks, data))
    if data.sample is not None:
        chosen = _sample(chosen, data.sample, data.sample_seed)
    return tuple(chosen[: data.limit])


def _sample(tasks: Sequence[Task], count: int, seed: int) -> list[Task]:
    """Return `count` tasks in their order, those whose hashes with the seed are the lowest.

    A task that joins the data set displaces at most one.
    """

    def place(task: Task) -> str:
        return digest(seed, task.id)

    drawn = sorted(tasks, key=place)[:count]
    ids = {task.id for task in drawn}
    return [task for task in tasks if task.id in ids]


def describe(data: DataConfig) -> str:
    """Return the settings that leave tasks out, as on a command line; "" where none does."""
    parts = []
    for key, value in data.where.items():
        parts.append(f"data.where.{key}={value}")
    if data.sample is not None:
        parts.append(f"data.sample={data.sample}")
        parts.append(f"data.sample_seed={data.sample_seed}")
    if data.limit is not None:
        parts.append(f"data.limit={data.limit}")
    return " ".join(parts)


def _check_classes(data: DataConfig) -> None:
    """Raise ConfigError, naming the classes, for one that tasks do not have."""
    for key in data.where:
        if key not in CLASSES:
            hint = f"choose {', '.join(CLASSES)}"
            raise ConfigError(f"data.where.{key}: tasks have no such class", hint=hint)


def _fits(task: Task, where: dict[str, str]) -> bool:
    """Return whether a task has all these classes."""
    classes = task.classification.model_dump()
    return where.items() <= classes.items()


def _values(tasks: Sequence[Task], data: DataConfig) -> str:
    """Return the values that tasks have, for each class that is asked for."""
    lines = []
    for key in data.where:
        values = set()
        for task in tasks:
            value = getattr(task.classification, key)
            values.add(value or "(none)")
        lines.append(f"{key}: {', '.join(sorted(values))}")
    return "; ".join(lines)
