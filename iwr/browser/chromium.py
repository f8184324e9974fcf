"""A browser for pages that nobody trusts: no network, no shared state, a deadline on every call, killed when it no longer closes.

    async with Chromium(config.browser, environment) as chromium:
        async with chromium.open(Site(page, assets), 1280, 720) as tab:
            await tab.settle()
            png = await tab.screenshot()

A page that hangs, crashes or asks for too much raises PageError; a browser that fails raises BrowserError. `pool.py` drives many.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from iwr.browser.isolation import Isolation, isolate
from iwr.browser.network import RequestInterceptor
from iwr.browser.page import Budget, Limits, Tab, first_line
from iwr.browser.processes import BrowserProcesses, command_line, kill, resident_mb
from iwr.browser.scripts import script
from iwr.browser.site import Site
from iwr.config import BrowserConfig, Environment
from iwr.errors import BrowserError

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

__all__ = ["Budget", "Chromium", "NotOpened", "Site", "Tab"]

log = logging.getLogger(__name__)

SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START = (
    1_750_000_000_000  # the date at which every page opens, ms since 1970: 2025-06-15 15:06:40 UTC
)
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "FONTCONFIG_PATH",
    "FONTCONFIG_FILE",
)  # to the browser; no keys
OPEN_SECONDS = 30.0  # for an empty tab
LAUNCH_SECONDS = 60.0
WATCH_SECONDS = 0.2  # between two looks at the memory of the browser's processes

FLAGS = [
    # no network: a proxy where nothing listens, no names, no peer connections
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy",
    "--dns-prefetch-disable",
    # one state, one image: nothing moves or is decoded on its own
    "--disable-smooth-scrolling",
    "--disable-checker-imaging",
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--autoplay-policy=user-gesture-required",
    # the last --blink-settings wins: the first four are Playwright's, the fifth keeps GIFs (and SMIL) at their first frame
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4,imageAnimationPolicy=2",
    "--js-flags=--max-old-space-size=512",
]
REMOVED_FLAGS = [
    "--disable-ipc-flooding-protection",
    "--disable-popup-blocking",
]  # Playwright's: they open the gates to floods


def find_executable(config: BrowserConfig, environment: Environment) -> str | None:
    """The browser to start; None leaves the choice to Playwright. Raises BrowserError when a named one is not there."""
    named = config.executable or environment.chromium
    if named and not (Path(named).is_file() or shutil.which(named)):
        raise BrowserError(
            f"no browser at {named}", hint="correct browser.executable or IWR_CHROMIUM"
        )
    return (
        shutil.which(named)
        if named
        else next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)
    )


class NotOpened(BrowserError):
    """Not even an empty tab opened, so no page can have caused it."""


class Chromium:
    """One driver, one browser. `broken`: it must be replaced."""

    def __init__(self, config: BrowserConfig, environment: Environment):
        self.config = config
        self.broken = False
        self.version = ""
        self._environment = environment
        self._executable = find_executable(config, environment)
        self._token = f"--iwr={uuid.uuid4().hex}"
        self._overweight = False  # a page was killed for its memory

    @property
    def limits(self) -> Limits:
        return Limits.of(self.config)

    async def __aenter__(self) -> Chromium:
        from playwright.async_api import Error, async_playwright

        self._playwright: Playwright = await async_playwright().start()
        self._folder = tempfile.TemporaryDirectory(
            prefix="iwr-browser-", dir=self._environment.temporary
        )
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
                hint="install one (apt install chromium, or `playwright install chromium`), or set IWR_CHROMIUM",
            ) from error
        self.version = f"Chromium {self._browser.version}"
        self._processes = BrowserProcesses(self._token)
        self._browser.on("disconnected", lambda _: setattr(self, "broken", True))
        self._watchdog = asyncio.create_task(self._watch_memory())
        return self

    async def _launch(self) -> Browser:
        executable = self._executable or self._playwright.chromium.executable_path
        if not Path(executable).is_file():
            raise FileNotFoundError(f"no browser at {executable}")
        cage = (
            isolate(executable, Path(self._folder.name))
            if self.config.namespace
            else Isolation(executable, sandboxed=False)
        )
        return await self._playwright.chromium.launch(
            executable_path=cage.executable,
            chromium_sandbox=cage.sandboxed,
            args=[*FLAGS, self._token],
            ignore_default_args=REMOVED_FLAGS,
            env={
                name: value
                for name, value in self._environment.inherited.items()
                if name in PASSED_ON
            },
        )

    async def __aexit__(self, *_: object) -> None:
        self._watchdog.cancel()
        if not self.broken:
            await self._bounded(self._browser.close())
        if self.broken:
            self._processes.kill_browser()
        await self._bounded(self._playwright.stop())
        self._processes.kill_browser()
        self._processes.kill_driver()
        self._folder.cleanup()
        self.broken = True

    async def alive(self) -> bool:
        """Whether the browser (not a page in it) still answers."""
        return not self.broken and await self._bounded(self._monitor.send("Browser.getVersion"))

    async def _bounded(self, call: Awaitable[object]) -> bool:
        """Waits for a call that should not fail. False, and the browser counts as broken, when it does or takes too long."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(self.limits.close):
                await call
        except (Error, TimeoutError) as error:
            log.debug("browser call failed: %s", first_line(error))
            self.broken = True
            return False
        return True

    async def probe(self) -> None:
        """Raises BrowserError unless an empty page opens and can be looked at."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(OPEN_SECONDS):
                page = await self._browser.new_page()
                await page.screenshot()
                await page.close()
        except (Error, TimeoutError) as error:
            self.broken = True
            raise BrowserError(f"the browser shows no page: {first_line(error)}") from error

    async def _watch_memory(self) -> None:
        """Ends a page's process that grows beyond the cap, and the whole browser when another of its processes does."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for pid in self._processes.recent():
                if resident_mb(pid) < self.config.renderer_mb:
                    continue
                self._overweight = True
                if "--type=renderer" in command_line(pid):
                    kill(pid)
                else:
                    self.broken = True
                    self._processes.kill_browser()

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
        """A loaded page in a viewport of `width` x `height` CSS pixels, in a context of its own.

        `scripts` run in every frame before the page's own. `real_time` leaves the page its natural clock, for recordings.
        `budget` is what the page may take in all; None: `config.page_seconds`.
        Raises PageError when the page is too large, or hangs or crashes on load, BrowserError when the browser fails.
        """
        gate = RequestInterceptor(site, self.config.page_bytes)
        tab = await self._new_tab(
            gate, width, height, real_time, scripts, budget or Budget(self.config.page_seconds)
        )
        try:
            await tab._load()
            yield tab
        finally:
            await self._close(tab)

    async def _new_tab(
        self,
        gate: RequestInterceptor,
        width: int,
        height: int,
        real_time: bool,
        scripts: Sequence[str],
        budget: Budget,
    ) -> Tab:
        from playwright.async_api import Error

        if self.broken:
            raise NotOpened("the browser is broken")
        self._overweight = False
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                context = await self._browser.new_context(
                    viewport={"width": width, "height": height},
                    locale="en-US",
                    timezone_id="UTC",
                    color_scheme="light",
                    service_workers="block",
                    accept_downloads=False,
                )
                context.set_default_timeout(self.limits.call * 1000)
                await gate.guard(context)
                await context.add_init_script(";\n".join([*scripts, *_own_scripts(real_time)]))
                page = await context.new_page()
                cdp = await context.new_cdp_session(page)
                if not real_time:
                    await cdp.send("Animation.setPlaybackRate", {"playbackRate": 0})
        except (Error, TimeoutError) as error:
            self.broken = True
            raise NotOpened(f"the browser opens no page: {first_line(error)}") from error
        gate.watch(context, page)
        return Tab(self, gate, page, cdp, real_time, budget)

    async def _close(self, tab: Tab) -> None:
        if not self.broken and tab.stuck:
            await tab.interrupt()
        if not self.broken:
            await self._bounded(tab.page.context.close())
        if self.broken:
            self._processes.kill_browser()


def _own_scripts(real_time: bool) -> list[str]:
    virtual = "false" if real_time else "true"
    clock = script("clock.js").replace("__VIRTUAL__", virtual).replace("__START__", str(START))
    return [script("guard.js"), clock]
