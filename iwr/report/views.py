"""What the templates show of one task besides its steps: its place, its end, how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from iwr.records import Generation, Rollout, ScoreStatus, TaskScore
from iwr.report.steps import failing_step
from iwr.report.summary import ALL_PASSED, NO_PAGE, UNSCORED, cause_of

SIGNS = {
    ALL_PASSED: "✓",
    "page": "●",
    "action": "■",
    "assertion": "▲",
    NO_PAGE: "∅",
    UNSCORED: "?",
}


class Cell(NamedTuple):
    """One model's result on one task, in the list of all tasks."""

    url: str
    model: str
    text: str
    value: str  # to sort by
    sign: str
    cause: str
    outcome: str
    tint: str
    picture: str | None  # of the opened page, as an address from the index


class Neighbours(NamedTuple):
    """The names before and after one; None at the ends."""

    before: str | None
    after: str | None


def outcome(score: TaskScore) -> str:
    """Return how a task ended."""
    cause = cause_of(score)
    if score.status is ScoreStatus.OK and score.failed_step:
        return f"failed at step {score.failed_step}: {cause}"
    return cause


def page_url(score: TaskScore, rollout: Rollout | None = None) -> str:
    """Return the address of a page from the index, at the step that explains its score."""
    url = f"pages/{score.model}/{score.task}.html"
    step = failing_step(score, rollout)
    if step is None:
        return url
    return f"{url}#step-{step}"


def cell(score: TaskScore, url: str, picture: str | None) -> Cell:
    """Return a score as a cell of the list of all tasks."""
    text, value, tint = "–", "", ""
    if score.final is not None:
        text = f"{score.final:.2f}"
        value = str(score.final)
        tint = tint_of(score.final)
    cause = cause_of(score)
    return Cell(
        url=url,
        model=score.model,
        text=text,
        value=value,
        sign=SIGNS[cause],
        cause=cause,
        outcome=outcome(score),
        tint=tint,
        picture=picture,
    )


def tint_of(score: float) -> str:
    """Return the class of a score's background: s0 for 0 to s5 for 1."""
    return f"s{round(score * 5)}"


def answer_facts(record: Generation | None) -> dict[str, str]:
    """Return what is recorded about how a page was generated; only what is there."""
    if record is None:
        return {}
    facts: dict[str, object] = {
        "Engine": record.engine,
        "Finish reason": record.finish_reason,
        "Page extracted from": record.extraction,
        "Truncated": "yes" if record.truncated else None,
        "Prompt tokens": record.usage.prompt_tokens,
        "Answer tokens": record.usage.completion_tokens,
        "Frames delivered": _frames(record),
        "Sampling": _sampling(record),
        "Seconds": None if record.seconds is None else f"{record.seconds:.1f}",
    }
    return {name: str(value) for name, value in facts.items() if value is not None}


def _frames(record: Generation) -> str | None:
    """Return how many frames the model saw."""
    frames = record.frames
    if frames is None:
        return None
    if frames.unaudited:
        return f"not known of {frames.planned}, {frames.mode}: {frames.unaudited}"
    return f"{frames.delivered} of {frames.planned}, {frames.mode}"


def _sampling(record: Generation) -> str | None:
    """Return the values that sampled the answer."""
    values = [f"{name} {value:g}" for name, value in sorted(record.sampling.items())]
    return ", ".join(values) or None


def neighbours(names: Sequence[str], name: str) -> Neighbours:
    """Return the names before and after `name`."""
    index = list(names).index(name)
    before = names[index - 1] if index else None
    after = names[index + 1] if index + 1 < len(names) else None
    return Neighbours(before, after)
