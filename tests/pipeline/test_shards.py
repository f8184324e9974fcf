"""Shards: a balanced, complete, repeatable cut."""

import random

from iwr.pipeline.shards import cost, cut


def real_spread(seed=0) -> dict[str, float]:
    """Return the costs of 113 tasks with the benchmark's spread.

    4 to 25 actions (1,001 in all), recordings of 10 s to 2 minutes.
    """
    draw = random.Random(seed)
    return {
        f"task_{i}": cost(
            min(120, 8 + draw.lognormvariate(3.2, 0.6)), min(25, 4 + round(draw.expovariate(1 / 5)))
        )
        for i in range(113)
    }


def test_every_task_is_in_exactly_one_shard():
    costs = real_spread()
    for shards in (1, 2, 8, 32, 200):
        members = cut(costs, shards)
        assert len(members) == shards
        assert sorted(task for shard in members for task in shard) == sorted(costs)


def test_the_cut_does_not_depend_on_the_order_of_arrival():
    costs = real_spread()
    shuffled = list(costs.items())
    random.Random(1).shuffle(shuffled)
    assert cut(dict(shuffled), 8) == cut(costs, 8)


def imbalance(costs: dict[str, float], shards: int) -> float:
    """Return the largest load of a shard in units of the mean load."""
    loads = [sum(costs[task] for task in shard) for shard in cut(costs, shards)]
    return max(loads) * shards / sum(loads)


def test_shards_are_balanced():
    spreads = [real_spread(seed) for seed in range(5)]
    for shards, limit in ((2, 1.02), (8, 1.15), (32, 1.35)):
        assert max(imbalance(costs, shards) for costs in spreads) <= limit
