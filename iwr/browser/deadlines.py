"""How long a page may take: a deadline for each call into it, and a budget for all calls."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

from iwr.config import BrowserConfig

LARGEST_STRETCH = 4.0


class Limits(NamedTuple):
    """Deadlines in seconds."""

    load: float  # opening a page
    call: float  # one call into it
    close: float
    crowd: float  # factor by which a crowded machine stretches them

    @classmethod
    def of(cls, config: BrowserConfig) -> Limits:
        """Return the configured limits, stretched by the machine's load.

        On a crowded machine a slow page is not the page's fault.
        """
        crowd = crowding()
        seconds = crowd * config.page_seconds
        return cls(load=seconds / 4, call=seconds / 10, close=seconds / 10, crowd=crowd)


def crowding() -> float:
    """Return the load per CPU core, between 1 and `LARGEST_STRETCH`."""
    load_per_core = os.getloadavg()[0] / (os.cpu_count() or 1)
    return min(LARGEST_STRETCH, max(1.0, load_per_core))


@dataclass
class Budget:
    """Time that all calls into one page may still take together."""

    left: float  # seconds of a machine that is not crowded
