"""What stands under a table: how its scores were made, and why some are not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from iwr.config import ProtocolConfig
from iwr.records import ScoreStatus, TaskScore

LISTED_REASONS = 5


def caption(protocol: ProtocolConfig, scores: Sequence[TaskScore]) -> str:
    """Return which metrics made the low-level score, as they were measured, and what VFS is."""
    metrics = [_metric(name, scores) for name in protocol.low]
    low = " and ".join(metrics)
    if len(metrics) > 1:
        low = f"mean of {low}"
    high = "high-level = rubric of the judge"
    if not protocol.high:
        high = "no high-level score, so VFS = low-level"
    text = f"{protocol.name}: low-level = {low}; {high}"
    if protocol.note:
        text = f"{text}. {protocol.note}"
    return text


def _metric(name: str, scores: Sequence[TaskScore]) -> str:
    """Return a metric with what computed it in these scores.

    Scores under one protocol may come from several versions of a library.
    """
    engines = set()
    for score in scores:
        engine = score.engines.get(name)
        if engine is not None and _has_value(name, score):
            engines.add(engine)
    described = "not measured"
    if engines:
        described = "; ".join(sorted(engines))
    return f"{name} ({described})"


def _has_value(name: str, score: TaskScore) -> bool:
    """Return whether a metric was computed for any pair of a task."""
    return any(pair.metrics.get(name) is not None for pair in score.pairs)


def unscored_lines(scores: Sequence[TaskScore]) -> list[str]:
    """Return how many tasks are unscored for each reason, the most frequent first."""
    counts: Counter[str] = Counter()
    for score in scores:
        if score.status is ScoreStatus.UNSCORED:
            reason = score.reason or "no reason is recorded"
            counts[reason] += 1
    lines = []
    for reason, count in counts.most_common(LISTED_REASONS):
        noun = "tasks"
        if count == 1:
            noun = "task"
        lines.append(f"{count} {noun} unscored: {reason}")
    more = len(counts) - len(lines)
    if more:
        lines.append(f"{more} further reasons: tasks.jsonl of the report")
    return lines
