"""What generation took, by model: costs.json, and the table `Generation` of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from iwr.records import Generation, Session, Task
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths

Cost = dict[str, Any]
"""What costs.json holds of a model: {model, engine, answers, truncated, truncated_share,
prompt_tokens, completion_tokens, request_seconds, seconds, start_seconds, tokens_per_second,
gpu_hours}.

`request_seconds` is summed over the answers that are on disk; requests run side by side, so it is
more than the time on the clock. The keys behind it come from the engines' sessions, in which an
answer that was requested again counts again: `seconds` of answering and `start_seconds` of
starting, `tokens_per_second` that one engine wrote while it answered, and `gpu_hours` of all its
GPUs, starts included. They are None where no session is recorded.
"""

COLUMNS = {
    "engine": "Engine",
    "answers": "Answers",
    "truncated": "Truncated",
    "truncated_share": "Truncated, share",
    "prompt_tokens": "Prompt tokens",
    "completion_tokens": "Answer tokens",
    "request_seconds": "Request seconds",
    "seconds": "Seconds",
    "start_seconds": "Start seconds",
    "tokens_per_second": "Tokens per second",
    "gpu_hours": "GPU-hours",
}
FORMATS = {
    "truncated_share": ".1%",
    "tokens_per_second": ",.1f",
    "gpu_hours": ",.2f",
}
NOTE = (
    "Request seconds are summed over requests, which run side by side: they exceed the time on the "
    "clock. Seconds and start seconds are times on the clock, of all servers together; GPU-hours "
    "include both."
)


def costs(
    models: Mapping[str, Sequence[str]],
    tasks: Sequence[Task],
    paths: RunPaths,
) -> list[Cost]:
    """Return a row for each model that wrote something, over all its repeats.

    `models` are by name, with the names of their repeats. Baselines cost nothing and are left out.
    """
    rows = []
    for model, names in models.items():
        answers = _answers(names, tasks, paths)
        answer_cost = _answer_cost(answers)
        if answer_cost["completion_tokens"]:
            engine_cost = _engine_cost(_sessions(model, paths))
            rows.append({"model": model, **answer_cost, **engine_cost})
    return rows


def _answers(
    names: Sequence[str],
    tasks: Sequence[Task],
    paths: RunPaths,
) -> list[Generation]:
    """Return the records of a model's answers, as far as there are any."""
    answers = []
    for name in names:
        for task in tasks:
            answer = readable(paths.task(name, task.id).generation, Generation)
            if answer:
                answers.append(answer)
    return answers


def _sessions(model: str, paths: RunPaths) -> list[Session]:
    """Return the sessions of a model's servers."""
    sessions = []
    for path in paths.sessions(model):
        session = readable(path, Session)
        if session:
            sessions.append(session)
    return sessions


def _answer_cost(answers: Sequence[Generation]) -> Cost:
    """Return the sums over the answers on disk."""
    cost: Cost = {
        "engine": None,
        "answers": 0,
        "truncated": 0,
        "truncated_share": None,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "request_seconds": 0,
    }
    for answer in answers:
        usage = answer.usage
        cost["engine"] = cost["engine"] or answer.engine
        cost["answers"] += answer.seconds is not None
        cost["truncated"] += answer.truncated
        cost["prompt_tokens"] += usage.prompt_tokens or 0
        cost["completion_tokens"] += usage.completion_tokens or 0
        cost["request_seconds"] += answer.seconds or 0
    if cost["answers"]:
        cost["truncated_share"] = cost["truncated"] / cost["answers"]
    return cost


def _engine_cost(sessions: Sequence[Session]) -> Cost:
    """Return the sums over all sessions; None where none is recorded."""
    if not sessions:
        return dict.fromkeys(("seconds", "start_seconds", "tokens_per_second", "gpu_hours"))
    seconds = sum(session.seconds for session in sessions)
    tokens = sum(session.completion_tokens for session in sessions)
    return {
        "seconds": seconds,
        "start_seconds": sum(session.start_seconds for session in sessions),
        "tokens_per_second": tokens / seconds if seconds else None,
        "gpu_hours": sum(session.gpu_hours for session in sessions),
    }


def cost_cells(cost: Cost) -> dict[str, str]:
    """Return a row under `COLUMNS`, as text."""
    cells = {}
    for key in COLUMNS:
        value = cost[key]
        if value is None:
            cells[key] = "-"
        elif isinstance(value, str):
            cells[key] = value
        else:
            cells[key] = format(value, FORMATS.get(key, ",.0f"))
    return cells
