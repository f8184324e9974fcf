"""Which tasks belong to which shard. Every process computes the same cut, in whatever order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iwr.records import Task

SECONDS_PER_ACTION = 2.0
"""Cost of judging one action against watching one second of video, measured on the samples."""


def cost(video_seconds: float, actions: int) -> float:
    """Return the relative cost of a task, in seconds of video."""
    return video_seconds + SECONDS_PER_ACTION * actions


def cut(costs: Mapping[str, float], shards: int) -> list[list[str]]:
    """Return the task ids of each shard.

    The dearest task goes first, always to the cheapest shard so far (Graham's LPT rule: the
    largest shard is at most 4/3 of the best possible one). Ties fall by id and by shard number.
    """
    loads = [0.0] * shards
    members: list[list[str]] = [[] for _ in range(shards)]
    dearest_first = sorted(sorted(costs), key=costs.__getitem__, reverse=True)
    for task in dearest_first:
        lightest = loads.index(min(loads))
        loads[lightest] += costs[task]
        members[lightest].append(task)
    return members


def cut_evenly(tasks: Sequence[Task], shards: int) -> list[list[str]]:
    """Return the task ids of every shard, balanced by length of recording and number of actions."""
    if shards == 1:
        return [[task.id for task in tasks]]
    from iwr.inference.video import stated_seconds

    costs = {}
    for task in tasks:
        seconds = stated_seconds(task.video)
        costs[task.id] = cost(seconds, len(task.actions))
    return cut(costs, shards)
