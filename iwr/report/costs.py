"""What generation took, by model: costs.json, and the table `Generation` of the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iwr.records import Generation, Session, Task
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths

Cost = dict[str, Any]
"""{model, engine, answers, truncated, prompt_tokens, completion_tokens, request_seconds, seconds, start_seconds,
tokens_per_second, gpu_hours}: what costs.json holds.

`request_seconds` is summed over the answers that are on disk; requests run side by side, so it is more than the time on
the clock. The keys behind it come from the engines' sessions, in which an answer that was asked for again counts again:
`seconds` of answering and `start_seconds` of starting, `tokens_per_second` that one engine wrote while it answered, and
`gpu_hours` of all its GPUs, starts included. They are None where no session is recorded.
"""
COLUMNS = {
    "engine": "Engine",
    "answers": "Answers",
    "truncated": "Cut off",
    "prompt_tokens": "Prompt tokens",
    "completion_tokens": "Answer tokens",
    "request_seconds": "Request seconds",
    "seconds": "Seconds",
    "start_seconds": "Starting",
    "tokens_per_second": "Tokens a second",
    "gpu_hours": "GPU-hours",
}
FORMS = {"tokens_per_second": ",.1f", "gpu_hours": ",.2f"}
NOTE = (
    "Request seconds are summed over requests, which run side by side: they are more than the time on the clock. Seconds and"
    " starting are times on the clock, of all servers together; GPU-hours contain both."
)


def costs(models: Sequence[str], tasks: Sequence[Task], paths: RunPaths) -> list[Cost]:
    """A row for each model that wrote something; baselines cost nothing and are left out."""
    return [found for model in models if (found := _cost(model, tasks, paths))]


def _cost(model: str, tasks: Sequence[Task], paths: RunPaths) -> Cost | None:
    records = [
        record
        for task in tasks
        if (record := readable(paths.task(model, task.id).generation, Generation))
    ]
    written = sum(record.usage.completion_tokens or 0 for record in records)
    if not written:
        return None
    return {
        "model": model,
        "engine": next((record.engine for record in records if record.engine), None),
        "answers": sum(record.seconds is not None for record in records),
        "truncated": sum(record.truncated for record in records),
        "prompt_tokens": sum(record.usage.prompt_tokens or 0 for record in records),
        "completion_tokens": written,
        "request_seconds": sum(record.seconds or 0 for record in records),
        **_engine_cost(
            [session for path in paths.sessions(model) if (session := readable(path, Session))]
        ),
    }


def _engine_cost(sessions: Sequence[Session]) -> dict[str, float | None]:
    if not sessions:
        return dict.fromkeys(("seconds", "start_seconds", "tokens_per_second", "gpu_hours"))
    seconds = sum(session.seconds for session in sessions)
    return {
        "seconds": seconds,
        "start_seconds": sum(session.start_seconds for session in sessions),
        "tokens_per_second": sum(session.completion_tokens for session in sessions) / seconds
        if seconds
        else None,
        "gpu_hours": sum(session.gpu_hours for session in sessions),
    }


def cells(cost: Cost) -> dict[str, str]:
    """A row under `COLUMNS`, as text."""
    return {key: _shown(cost[key], FORMS.get(key, ",.0f")) for key in COLUMNS}


def _shown(value: Any, form: str) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else format(value, form)
