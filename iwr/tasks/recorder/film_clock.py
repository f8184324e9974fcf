"""The time of a film, which is that of a machine that is never busy."""

from __future__ import annotations

import asyncio
import time

BUSY_SECONDS = 0.05


class FilmClock:
    """Counts seconds into the film.

    Pauses count as they were meant, work between them as at most BUSY_SECONDS. So a busy machine,
    which stretches both, still makes a recording of natural speed.
    """

    def __init__(self) -> None:
        self._walls = [time.time()]
        self._films = [0.0]

    def now(self) -> float:
        """Return the current time of the film, seconds."""
        work = time.time() - self._walls[-1]
        return self._films[-1] + min(work, BUSY_SECONDS)

    async def sleep(self, seconds: float) -> None:
        """Sleep, and let the film go on by exactly as much."""
        self._mark(self.now())
        await asyncio.sleep(seconds)
        self._mark(self._films[-1] + seconds)

    def _mark(self, film: float) -> None:
        """Note which moment of the film this moment is."""
        self._walls.append(time.time())
        self._films.append(film)

    def at(self, wall: float) -> float:
        """Return the time in the film of a time since the epoch."""
        import numpy as np

        return float(np.interp(wall, self._walls, self._films))
