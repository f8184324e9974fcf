"""What is pending: a record's fingerprint tells whether it was made from today's inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from iwr.errors import StaleRunError
from iwr.records import Fingerprint, Record
from iwr.runs.files import readable

R = TypeVar("R", bound=Record)

RETRIED = ("failed", "unscored")
"""Statuses that say that the infrastructure, not the model, failed: the work is tried again."""


def differing_keys(old: Fingerprint, new: Fingerprint) -> list[str]:
    """Return the sorted keys whose values differ or that only one of the two has."""
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def check_same_settings(path: Path, old: Fingerprint, new: Fingerprint) -> None:
    """Raise StaleRunError, naming what differs, unless a record was made under these settings."""
    changes = []
    for key in differing_keys(old, new):
        changes.append(f"{key}: {old.get(key, '(none)')} -> {new.get(key, '(none)')}")
    if changes:
        raise StaleRunError(
            f"{path} was made under other settings ({'; '.join(changes)})",
            hint="restore these settings to resume, set run.on_change=overwrite to redo what they "
            "affect, or choose a new run.name",
        )


def is_pending(
    path: Path,
    kind: type[R],
    fingerprint: Fingerprint,
    on_change: str,
    intact: Callable[[R], bool] = lambda _: True,
) -> bool:
    """Return whether the record at `path` must be made, or made again.

    That is so when it is absent, damaged, failed, not `intact`, or made from other inputs.
    Keys named `input.*` are contents made by an earlier stage: when they change, the work is
    pending again. All other keys are settings: when they change, StaleRunError is raised unless
    `on_change` is "overwrite". `kind` has the fields `status` and `fingerprint`.
    """
    record: Any = readable(path, kind)
    if record is None:
        return True
    if on_change != "overwrite":
        check_same_settings(path, _settings(record.fingerprint), _settings(fingerprint))
    if record.status in RETRIED or record.fingerprint != fingerprint:
        return True
    return not intact(record)


def _settings(fingerprint: Fingerprint) -> Fingerprint:
    """Return a fingerprint without the contents that earlier stages made."""
    return {key: value for key, value in fingerprint.items() if not key.startswith("input.")}
