"""Several browsers, one page each: a page that breaks its browser harms nobody else, and is tried again in a fresh one."""

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
SHARES = (
    2 / 3,
    1 / 3,
)  # of the page's seconds, for each attempt; what the first leaves, the second has as well


class Pool:
    """`config.contexts` slots; each has a driver and browser of its own, replaced when it breaks or after `config.recycle` pages."""

    def __init__(self, config: BrowserConfig, environment: Environment):
        self._config = config
        self._environment = environment
        self._slots = [_Slot(config, environment) for _ in range(config.contexts)]
        self._free: asyncio.Queue[_Slot] = asyncio.Queue()
        self.version = ""  # of the browser, once one was started

    async def __aenter__(self) -> Pool:
        for slot in self._slots:
            self._free.put_nowait(slot)
        return self

    async def __aexit__(self, *_: object) -> None:
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
        """`work` done on a freshly opened page, as soon as a slot is free.

        When the browser fails, `work` is done again from the start in a new one. Raises what `work` raises; PageError when the
        page breaks every browser although others work; BrowserError when no browser works.
        """
        slot = await self._free.get()
        budget, failures = Budget(0), list[BrowserError]()
        try:
            for attempt, share in enumerate(SHARES, start=1):
                budget.left += share * self._config.page_seconds
                chromium = await slot.ready()
                self.version = chromium.version
                try:
                    async with chromium.open(
                        site, width, height, real_time=real_time, scripts=scripts, budget=budget
                    ) as tab:
                        return await work(tab)
                except BrowserError as error:
                    log.warning(
                        "attempt %d of %d on %s: %s", attempt, len(SHARES), site.page, error
                    )
                    chromium.broken = True
                    failures.append(error)
            await (await slot.ready()).probe()
            if any(isinstance(failure, NotOpened) for failure in failures):
                raise failures[-1]
            raise PageError(f"the page breaks the browser: {failures[-1]}") from failures[-1]
        finally:
            self._free.put_nowait(slot)


class _Slot:
    def __init__(self, config: BrowserConfig, environment: Environment):
        self._config = config
        self._environment = environment
        self._started: asyncio.Future[Chromium] | None = None
        self._pages = 0

    async def ready(self) -> Chromium:
        """A browser that is neither broken nor old. Raises BrowserError when none starts."""
        if (
            self._started
            and self._started.done()
            and (self._pages >= self._config.recycle or self._broken(self._started))
        ):
            await self.close()
        if self._started is None:
            self._started = asyncio.ensure_future(
                Chromium(self._config, self._environment).__aenter__()
            )
            self._pages = 0
        self._pages += 1
        return await asyncio.shield(
            self._started
        )  # a run that is cancelled meanwhile leaves no half-started browser

    @staticmethod
    def _broken(started: asyncio.Future[Chromium]) -> bool:
        return started.exception() is not None or started.result().broken

    async def close(self) -> None:
        started, self._started = self._started, None
        if started:
            with suppress(BrowserError):  # it never started, and whoever wanted it was told
                await (await started).__aexit__()
