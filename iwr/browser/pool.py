"""Several browsers, one page each.

A page that breaks its browser harms no other page, and is tried again in a fresh browser.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from iwr.browser.chromium import Budget, Chromium, NotOpened, Site, Tab
from iwr.config import BrowserConfig, Environment
from iwr.errors import BrowserError, PageError

log = logging.getLogger(__name__)
T = TypeVar("T")
SHARES = (2 / 3, 1 / 3)
"""Of the page's seconds, for each attempt; the second also has what the first leaves."""


class Pool:
    """`config.contexts` slots, each with a driver and a browser of its own.

    A browser is replaced when it breaks or after `config.recycle` pages.
    """

    def __init__(self, config: BrowserConfig, environment: Environment):
        self.version = ""  # of the browser, once one was started
        self._config = config
        self._slots = [_Slot(config, environment) for _ in range(config.contexts)]
        self._free: asyncio.Queue[_Slot] = asyncio.Queue()

    async def __aenter__(self) -> Pool:
        """Make all slots free. A browser starts when a slot is first used."""
        for slot in self._slots:
            self._free.put_nowait(slot)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all browsers."""
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def run(
        self,
        work: Callable[[Tab], Awaitable[T]],
        site: Site,
        width: int,
        height: int,
        *,
        real_time: bool = False,
        scripts: Sequence[str] = (),
    ) -> T:
        """Return what `work` returns for a freshly opened page, as soon as a slot is free.

        When the browser fails, `work` is done again from the start in a new one. Raises what
        `work` raises; PageError when the page breaks every browser although others work;
        BrowserError when no browser works.
        """
        slot = await self._free.get()
        budget = Budget(0)
        failures: list[BrowserError] = []
        try:
            for share in SHARES:
                budget.left += share * self._config.page_seconds
                chromium = await slot.ready()
                self.version = chromium.version
                opened = chromium.open(
                    site, width, height, real_time=real_time, scripts=scripts, budget=budget
                )
                try:
                    async with opened as tab:
                        return await work(tab)
                except BrowserError as error:
                    chromium.broken = True
                    failures.append(error)
                    _log_attempt(len(failures), site, error)
            raise await self._failure(slot, failures)
        finally:
            self._free.put_nowait(slot)

    async def _failure(self, slot: _Slot, failures: list[BrowserError]) -> Exception:
        """Return the error of a page that no browser could show.

        Raises BrowserError when a fresh browser shows no empty page either.
        """
        fresh = await slot.ready()
        await fresh.probe()
        last = failures[-1]
        if any(isinstance(failure, NotOpened) for failure in failures):
            return last
        failure = PageError(f"the page breaks the browser: {last}")
        failure.__cause__ = last
        return failure


def _log_attempt(attempt: int, site: Site, error: BrowserError) -> None:
    """Log why a page is opened again."""
    log.warning("attempt %d of %d on %s: %s", attempt, len(SHARES), site.page, error)


class _Slot:
    """A place for one browser, which is replaced when it is broken or old."""

    def __init__(self, config: BrowserConfig, environment: Environment):
        self._config = config
        self._environment = environment
        self._start: asyncio.Future[Chromium] | None = None
        self._pages = 0

    async def ready(self) -> Chromium:
        """Return a browser that is neither broken nor old.

        Raises BrowserError when none starts.
        """
        if self._start and self._start.done() and self._is_worn(self._start):
            await self.close()
        if self._start is None:
            chromium = Chromium(self._config, self._environment)
            self._start = asyncio.ensure_future(chromium.__aenter__())
            self._pages = 0
        self._pages += 1
        # a run that is cancelled meanwhile leaves no half-started browser
        return await asyncio.shield(self._start)

    def _is_worn(self, start: asyncio.Future[Chromium]) -> bool:
        """Return whether the browser showed enough pages, broke, or did not start."""
        if self._pages >= self._config.recycle:
            return True
        return start.exception() is not None or start.result().broken

    async def close(self) -> None:
        """End the browser, if one was started."""
        start, self._start = self._start, None
        if start is None:
            return
        with suppress(BrowserError):  # it never started, which its caller was told
            chromium = await start
            await chromium.__aexit__()
