"""A browser for pages that nobody trusts.

It has no network and no shared state; every call has a deadline, and a browser that no longer
closes is killed.

    async with Chromium(config.browser, environment) as chromium:
        async with chromium.open(Site(page, assets), 1280, 720) as tab:
            await tab.settle()
            png = await tab.screenshot()

A page that hangs, crashes or asks for too much raises PageError; a browser that fails raises
BrowserError. `pool.py` drives several browsers.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from iwr.browser.deadlines import Budget, Limits
from iwr.browser.guarded import first_line
from iwr.browser.launch import find_executable, launch
from iwr.browser.network import RequestInterceptor
from iwr.browser.page import Tab
from iwr.browser.processes import BrowserProcesses, arguments, kill, resident_mb
from iwr.browser.scripts import script
from iwr.browser.site import Site
from iwr.config import BrowserConfig, Environment
from iwr.errors import BrowserError

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Playwright

__all__ = ["Budget", "Chromium", "NotOpened", "Site", "Tab", "find_executable"]

log = logging.getLogger(__name__)

START = 1_750_000_000_000  # date at which every page opens, ms since 1970: 2025-06-15 15:06:40 UTC
OPEN_SECONDS = 30.0  # for an empty tab
LAUNCH_SECONDS = 60.0
WATCH_SECONDS = 0.2  # between two looks at the memory of the browser's processes


class NotOpened(BrowserError):
    """Not even an empty tab opened, so no page can have caused it."""


class Chromium:
    """One driver and one browser. `broken`: it must be replaced; `visible`: it has a window."""

    def __init__(self, config: BrowserConfig, environment: Environment, *, visible: bool = False):
        self.config = config
        self.broken = False
        self.killed_for_memory = False  # the page that is open, or was last
        self.version = ""
        self.processes: BrowserProcesses
        self._environment = environment
        self._visible = visible
        self._executable = find_executable(config, environment)
        self._token = f"--iwr={uuid.uuid4().hex}"

    @property
    def limits(self) -> Limits:
        """The deadlines of calls, as the settings give them."""
        return Limits.of(self.config)

    async def __aenter__(self) -> Chromium:
        """Start the driver and the browser. Raises BrowserError, and leaves nothing running."""
        from playwright.async_api import Error, async_playwright

        self._playwright: Playwright = await async_playwright().start()
        temporary = self._environment.temporary
        self._folder = tempfile.TemporaryDirectory(prefix="iwr-browser-", dir=temporary)
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                self._browser: Browser = await self._launch()
                self._monitor = await self._browser.new_browser_cdp_session()
        except (Error, TimeoutError, OSError) as error:
            BrowserProcesses(self._token).kill_browser()
            await self._bounded(self._playwright.stop())
            self._folder.cleanup()
            raise BrowserError(
                f"the browser does not start: {first_line(error)}",
                hint="install one (apt install chromium, or `playwright install chromium`), "
                "or set IWR_CHROMIUM",
            ) from error
        self.version = f"Chromium {self._browser.version}"
        self.processes = BrowserProcesses(self._token)
        self._browser.on("disconnected", lambda _: self._mark_broken())
        self._watchdog = asyncio.create_task(self._watch_memory())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the browser, by force when it does not close in time."""
        self._watchdog.cancel()
        if not self.broken:
            await self._bounded(self._browser.close())
        if self.broken:
            self.processes.kill_browser()
        await self._bounded(self._playwright.stop())
        self.processes.kill_browser()
        self.processes.kill_driver()
        self._folder.cleanup()
        self.broken = True

    async def alive(self) -> bool:
        """Return whether the browser (not a page in it) still answers."""
        if self.broken:
            return False
        return await self._bounded(self._monitor.send("Browser.getVersion"))

    async def probe(self) -> None:
        """Raise BrowserError unless an empty page opens and can be looked at."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(OPEN_SECONDS):
                page = await self._browser.new_page()
                await page.screenshot()
                await page.close()
        except (Error, TimeoutError) as error:
            self.broken = True
            raise BrowserError(f"the browser shows no page: {first_line(error)}") from error

    @asynccontextmanager
    async def open(
        self,
        site: Site,
        width: int,
        height: int,
        *,
        real_time: bool = False,
        scripts: Sequence[str] = (),
        budget: Budget | None = None,
    ) -> AsyncIterator[Tab]:
        """Open a page in a viewport of `width` x `height` CSS pixels, in a context of its own.

        `scripts` run in every frame before the page's own. `real_time` leaves the page its natural
        clock, for recordings. `budget` is the time that the page may take in all; None:
        `config.page_seconds`. Raises PageError when the page is too large, or hangs or crashes on
        load, BrowserError when the browser fails.
        """
        interceptor = RequestInterceptor(site, self.config.page_bytes)
        budget = budget or Budget(self.config.page_seconds)
        all_scripts = [*scripts, *_own_scripts(real_time)]
        init_script = ";\n".join(all_scripts)
        tab = await self._new_tab(interceptor, width, height, real_time, init_script, budget)
        try:
            await tab.load()
            yield tab
        finally:
            await self._close(tab)

    async def _launch(self) -> Browser:
        """Start the browser's processes, in a folder of their own."""
        folder = Path(self._folder.name)
        return await launch(
            self._playwright,
            self._executable,
            self._token,
            folder,
            self.config,
            self._environment,
            visible=self._visible,
        )

    def _mark_broken(self) -> None:
        """Note that the browser went away by itself."""
        self.broken = True

    async def _bounded(self, call: Awaitable[object]) -> bool:
        """Wait for a call that should not fail.

        Return False when it fails or takes too long; the browser then counts as broken.
        """
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(self.limits.close):
                await call
        except (Error, TimeoutError) as error:
            log.debug("browser call failed: %s", first_line(error))
            self.broken = True
            return False
        return True

    async def _watch_memory(self) -> None:
        """Kill a page's process above the cap, and the browser when another of its processes is."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for process in self.processes.members():
                if resident_mb(process) < self.config.renderer_mb:
                    continue
                self.killed_for_memory = True
                if "--type=renderer" in arguments(process):
                    kill(process)
                else:
                    self.broken = True
                    self.processes.kill_browser()

    async def _new_tab(
        self,
        interceptor: RequestInterceptor,
        width: int,
        height: int,
        real_time: bool,
        init_script: str,
        budget: Budget,
    ) -> Tab:
        """Open an empty tab. Raises NotOpened: no page can have caused a failure here."""
        from playwright.async_api import Error

        if self.broken:
            raise NotOpened("the browser is broken")
        self.killed_for_memory = False
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                context = await self._new_context(width, height)
                await interceptor.install(context)
                await context.add_init_script(init_script)
                page = await context.new_page()
                cdp = await context.new_cdp_session(page)
                if not real_time:
                    await cdp.send("Animation.setPlaybackRate", {"playbackRate": 0})
        except (Error, TimeoutError) as error:
            self.broken = True
            raise NotOpened(f"the browser opens no page: {first_line(error)}") from error
        interceptor.watch(context, page)
        return Tab(self, interceptor, page, cdp, self.config, budget, real_time)

    async def _new_context(self, width: int, height: int) -> BrowserContext:
        """Open a context in which every page meets the same language, time zone and colours."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-US",
            timezone_id="UTC",
            color_scheme="light",
            service_workers="block",
            accept_downloads=False,
        )
        context.set_default_timeout(self.limits.call * 1000)
        return context

    async def _close(self, tab: Tab) -> None:
        """Close a tab with its context; end the browser when that does not work."""
        if not self.broken and tab.stuck:
            await tab.interrupt()
        if not self.broken:
            await self._bounded(tab.page.context.close())
        if self.broken:
            self.processes.kill_browser()


def _own_scripts(real_time: bool) -> list[str]:
    """Return what runs before every script of a page: the guard, and the clock."""
    virtual = "true"
    if real_time:
        virtual = "false"
    clock = script("clock.js")
    clock = clock.replace("__VIRTUAL__", virtual)
    clock = clock.replace("__START__", str(START))
    return [script("guard.js"), clock]
