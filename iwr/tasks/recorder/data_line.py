"""The line of a recorded task in `data.jsonl`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from iwr.records import ActionType
from iwr.runs.files import write_atomic
from iwr.tasks.recorder.script import Script, ScriptAction


def write_line(
    data_root: Path,
    task_id: str,
    script: Script,
    environment: str,
) -> None:
    """Put the task's line into `data.jsonl`, in place of one with the same id or at the end.

    `environment` is the name and version of the browser. All other lines stay as they are; only
    "\\n" ends a line, since JSON may contain any other line separator.
    """
    file = data_root / "data.jsonl"
    content = file.read_bytes() if file.is_file() else b""
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    value = _task_line(task_id, script, environment)
    line = json.dumps(value, ensure_ascii=False).encode("utf-8")
    ids = [_id_of(old) for old in lines]
    if task_id in ids:
        lines[ids.index(task_id)] = line
    else:
        lines.append(line)
    write_atomic(file, b"\n".join(lines) + b"\n")


def _task_line(task_id: str, script: Script, environment: str) -> dict[str, Any]:
    """Return the task as a line of the data set."""
    return {
        "id": task_id,
        "classification": script.classification.model_dump(exclude_none=True),
        "recording_details": {
            "resolution": script.resolution,
            "environment": environment,
        },
        "source_website": script.source_website or task_id,
        "action_sequence": [_action(action) for action in script.actions],
    }


def _action(action: ScriptAction) -> dict[str, Any]:
    """Return an entry of `action_sequence`; an option of a list box is recorded as text."""
    names = {"description", "text", "key", "direction"}
    parameters = action.model_dump(include=names, exclude_none=True)
    if action.pages is not None:
        parameters["scroll_page"] = f"{action.pages:g}"
    if action.type is ActionType.CLICK and action.option:
        parameters["text"] = action.option
    return {
        "type": str(action.type),
        "parameters": parameters,
        "visual_evaluation_flag": action.checkpoint,
        "logical_assertion": action.assertion,
    }


def _id_of(line: bytes) -> str | None:
    """Return the id on a line; None for a broken line, which `iwr validate` reports."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return str(value.get("id"))
