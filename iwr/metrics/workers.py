"""Threads that decode ahead of the model, never by more than a fixed number of items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def available_cores() -> int:
    """Cores that this process may use, which on a shared node are fewer than the machine has."""
    return len(os.sched_getaffinity(0))


def ordered_map(work: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """`map(work, items)` in threads, results in order, at most `ahead` items begun and not yet taken."""
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(min(ahead, available_cores()), thread_name_prefix="decode") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
