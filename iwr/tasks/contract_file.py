"""The contract of a task, which only recorded tasks have. It is never shown to a model."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from iwr.contract.schema import Contract
from iwr.tasks.files import FileError, optional_file

CONTRACT = "contract.json"
AGAIN = "write it again with `iwr record`"


def contract_of(folder: Path, count: int) -> Path | None:
    """Return the contract's file if there is one; it must have a step for each of the actions."""
    path = optional_file(folder, CONTRACT)
    if path is None:
        return None
    try:
        contract = Contract.model_validate_json(path.read_bytes())
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise FileError(path, f"{place}: {first['msg']}; {AGAIN}") from error
    steps = [entry.step for entry in contract.steps]
    if steps != list(range(1, count + 1)):
        raise FileError(path, f"does not describe the {count} actions of the task; {AGAIN}")
    return path
