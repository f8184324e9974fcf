"""The only weights of the benchmark (IWR-Bench, arXiv 2509.24709, section on metrics).

    low   = mean over checkpoints of the mean of the protocol's low-level metrics
    high  = mean over checkpoints of the judge's rubric / 100
    VFS   = (low + high) / 2; low alone where the protocol has no high-level score
    IFS   = passed steps / all steps
    Final = 0.7 IFS + 0.3 VFS

All scores are in [0, 1]. None means "could not be computed". Whatever depends on it is None as
well: nothing is ever replaced by 0.
"""

from __future__ import annotations

from collections.abc import Iterable

IFS_WEIGHT, VFS_WEIGHT = 0.7, 0.3
LOW_WEIGHT, HIGH_WEIGHT = 0.5, 0.5
TEXT = (
    f"Final = {IFS_WEIGHT} IFS + {VFS_WEIGHT} VFS; "
    f"VFS = {LOW_WEIGHT} low + {HIGH_WEIGHT} high, or low alone"
)

Score = float | None


def mean(values: Iterable[Score]) -> Score:
    """Return the plain mean; None for no values, or when one of them is None."""
    total = 0.0
    count = 0
    for value in values:
        if value is None:
            return None
        total += value
        count += 1
    if not count:
        return None
    return total / count


def ifs(passed: int, steps: int) -> float:
    """Return the interactive functionality: credited steps out of all steps."""
    return passed / steps


def high(rubric_total: int) -> float:
    """Return the judge's points, 0 to 100, as a score."""
    return rubric_total / 100


def vfs(
    low: Score,
    high: Score,
    *,
    has_high: bool,
) -> Score:
    """Return the visual fidelity.

    `has_high`: whether the protocol counts the judge's rubric.
    """
    if not has_high:
        return low
    if low is None or high is None:
        return None
    return LOW_WEIGHT * low + HIGH_WEIGHT * high


def final(ifs: Score, vfs: Score) -> Score:
    """Return the score by which models are ranked."""
    if ifs is None or vfs is None:
        return None
    return IFS_WEIGHT * ifs + VFS_WEIGHT * vfs
