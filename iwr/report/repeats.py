"""The table of models that were asked each task several times."""

from __future__ import annotations

from iwr.report.summary import format_score
from iwr.scores.repeats import Repeats

HEADERS = ("Model", "Repeats", "Final by repeat", "Spread", "pass@1", "pass@k", "pass^k")
NOTE = (
    "Each repeat asks all tasks with a seed of its own. Spread: standard deviation of Final over "
    "repeats. k is the number of repeats; pass@1: an answer passes all steps; pass@k: at least one "
    "of k answers does; pass^k: all of them do."
)


def cells(row: Repeats) -> list[str]:
    """Return a row under `HEADERS`."""
    finals = [format_score(final) for final in row.finals]
    shares = (row.pass_at[0], row.pass_at[-1], row.pass_all[-1])
    return [
        row.model,
        str(len(finals)),
        ", ".join(finals),
        format_score(row.spread),
        *map(format_score, shares),
    ]
