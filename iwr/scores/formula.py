"""The only weights of the benchmark (IWR-Bench, arXiv 2509.24709, section on metrics; all scores in [0, 1]).

    low   = mean over checkpoints of the mean of the protocol's low-level metrics
    high  = mean over checkpoints of the judge's rubric / 100
    VFS   = (low + high) / 2; low alone where the protocol has no high-level score
    IFS   = passed steps / all steps
    Final = 0.7 IFS + 0.3 VFS

None means "could not be computed". Whatever depends on it is None as well: nothing is ever replaced by 0.
"""

from __future__ import annotations

from collections.abc import Iterable

IFS_WEIGHT, VFS_WEIGHT = 0.7, 0.3
LOW_WEIGHT, HIGH_WEIGHT = 0.5, 0.5
TEXT = f"Final = {IFS_WEIGHT} IFS + {VFS_WEIGHT} VFS; VFS = {LOW_WEIGHT} low + {HIGH_WEIGHT} high, or low alone"

Score = float | None


def mean(values: Iterable[Score]) -> Score:
    """Plain mean; None for no values, or when one of them is None."""
    known: list[float] = []
    for value in values:
        if value is None:
            return None
        known.append(value)
    return sum(known) / len(known) if known else None


def ifs(passed: int, steps: int) -> float:
    """Interactive functionality: credited steps out of all steps."""
    return passed / steps


def high(rubric_total: int) -> float:
    """The judge's points, 0..100, as a score."""
    return rubric_total / 100


def vfs(low: Score, high: Score, *, has_high: bool) -> Score:
    """Visual fidelity. `has_high`: whether the protocol counts the judge's rubric."""
    if not has_high:
        return low
    return None if low is None or high is None else LOW_WEIGHT * low + HIGH_WEIGHT * high


def final(ifs: Score, vfs: Score) -> Score:
    return None if ifs is None or vfs is None else IFS_WEIGHT * ifs + VFS_WEIGHT * vfs
