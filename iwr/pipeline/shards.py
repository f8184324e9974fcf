"""Which tasks belong to which shard. Every process computes the same cut, whatever order tasks arrive in."""

from __future__ import annotations

from collections.abc import Mapping

SECONDS_PER_ACTION = (
    2.0  # judging one action against watching one second of video, as measured on the samples
)


def cost(video_seconds: float, actions: int) -> float:
    """Relative cost of a task, in seconds of video."""
    return video_seconds + SECONDS_PER_ACTION * actions


def cut(costs: Mapping[str, float], shards: int) -> list[list[str]]:
    """Task ids of each shard. The dearest task goes first, always to the cheapest shard so far (Graham's LPT rule:
    the largest shard is at most 4/3 of the best possible one). Ties fall by id and by shard number."""
    loads = [0.0] * shards
    members: list[list[str]] = [[] for _ in range(shards)]
    for task in sorted(costs, key=lambda task: (-costs[task], task)):
        lightest = min(range(shards), key=lambda shard: (loads[shard], shard))
        loads[lightest] += costs[task]
        members[lightest].append(task)
    return members
