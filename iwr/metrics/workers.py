"""Threads that decode ahead of the model, never by more than a fixed number of items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use: on a shared node fewer than the machine has."""
    return len(os.sched_getaffinity(0))


def ordered_map(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    ahead: int,
) -> Iterator[Result]:
    """Yield `work(item)` for each item, computed in threads, in order.

    At most `ahead` items are in progress or waiting to be taken.
    """
    pending: deque[Future[Result]] = deque()
    workers = min(ahead, available_cores())
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
