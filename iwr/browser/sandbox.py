"""A browser for pages that nobody trusts: no network, no shared state, a deadline on every call, killed when it no longer closes.

    async with Chromium(config.browser, environment) as chromium:
        async with chromium.open(Site(page, assets), 1280, 720) as tab:
            await tab.settle()
            png = await tab.screenshot()

A page that hangs, crashes or asks for too much raises PageError; a browser that fails raises BrowserError. `pool.py` drives many.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import shutil
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from iwr.browser import settle as settling
from iwr.browser.gate import Gate
from iwr.browser.processes import BrowserProcesses, command_line, kill, resident_mb
from iwr.browser.site import ORIGIN, Site
from iwr.config import BrowserConfig, Environment
from iwr.errors import BrowserError, PageError

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, CDPSession, Frame, Page, Playwright

__all__ = ["Chromium", "Limits", "Site", "Tab"]

log = logging.getLogger(__name__)
T = TypeVar("T")

SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START = 1_750_000_000_000  # the date at which every page opens, ms since 1970: 2025-06-15 15:06:40 UTC
LOADED = "() => document.readyState === 'complete' || new Promise((done) => addEventListener('load', () => done(true)))"
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
    # the last --blink-settings wins: the first four are Playwright's
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4,imageAnimationPolicy=2",
    "--js-flags=--max-old-space-size=512",
]
REMOVED_FLAGS = ["--disable-ipc-flooding-protection", "--disable-popup-blocking"]  # Playwright's: they open the gates to floods


class Limits(NamedTuple):
    """Deadlines, seconds."""

    load: float  # opening a page
    call: float  # one call into it
    close: float
    page: float  # all calls of one page together

    @classmethod
    def of(cls, config: BrowserConfig) -> Limits:
        return cls(config.page_seconds / 4, config.page_seconds / 10, config.page_seconds / 10, config.page_seconds)


def find_executable(config: BrowserConfig, environment: Environment) -> str | None:
    """The browser to start; None leaves the choice to Playwright. Raises BrowserError when a named one is not there."""
    named = config.executable or environment.chromium
    if named and not (Path(named).is_file() or shutil.which(named)):
        raise BrowserError(f"no browser at {named}", hint="correct browser.executable or IWR_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)


class Chromium:
    """One driver, one browser. `broken`: it must be replaced."""

    def __init__(self, config: BrowserConfig, environment: Environment):
        self.config = config
        self.limits = Limits.of(config)
        self.broken = False
        self.version = ""
        self._executable = find_executable(config, environment)
        self._token = f"--iwr={uuid.uuid4().hex}"
        self._overweight = False  # a page was killed for its memory

    async def __aenter__(self) -> Chromium:
        from playwright.async_api import Error, async_playwright

        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                self._playwright: Playwright = await async_playwright().start()
                self._browser: Browser = await self._playwright.chromium.launch(
                    executable_path=self._executable, args=[*FLAGS, self._token], ignore_default_args=REMOVED_FLAGS
                )
        except (Error, TimeoutError, OSError) as error:
            BrowserProcesses(self._token).kill()
            raise BrowserError(
                f"the browser does not start: {_first_line(error)}",
                hint="install one (apt install chromium, or `playwright install chromium`), or set IWR_CHROMIUM",
            ) from error
        self.version = f"Chromium {self._browser.version}"
        self._processes = BrowserProcesses(self._token)
        self._monitor = await self._browser.new_browser_cdp_session()
        self._browser.on("disconnected", lambda _: setattr(self, "broken", True))
        self._watchdog = asyncio.create_task(self._watch_memory())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watchdog.cancel()
        if not self.broken:
            await self._bounded(self._browser.close())
        if self.broken:
            self._processes.kill()
        await self._bounded(self._playwright.stop())
        self._processes.kill()
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
            log.debug("browser call failed: %s", _first_line(error))
            self.broken = True
            return False
        return True

    async def probe(self) -> None:
        """Raises BrowserError unless an empty page opens and can be looked at."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(self.limits.load):
                page = await self._browser.new_page()
                await page.screenshot()
                await page.close()
        except (Error, TimeoutError) as error:
            self.broken = True
            raise BrowserError(f"the browser shows no page: {_first_line(error)}") from error

    async def _watch_memory(self) -> None:
        """Ends a page's process that grows beyond the cap, and the whole browser when another of its processes does."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for pid in self._processes.group():
                if resident_mb(pid) < self.config.renderer_mb:
                    continue
                self._overweight = True
                if "--type=renderer" in command_line(pid):
                    kill(pid)
                else:
                    self.broken = True
                    self._processes.kill()

    @asynccontextmanager
    async def open(
        self, site: Site, width: int, height: int, *, real_time: bool = False, scripts: Sequence[str] = ()
    ) -> AsyncIterator[Tab]:
        """A loaded page in a viewport of `width` x `height` CSS pixels, in a context of its own.

        `scripts` run in every frame before the page's own. `real_time` leaves the page its natural clock, for recordings.
        Raises PageError when the page is too large, or hangs or crashes on load, BrowserError when the browser fails.
        """
        gate = Gate(site, self.config.page_bytes)
        tab = await self._new_tab(gate, width, height, real_time, scripts)
        try:
            await tab._load()
            yield tab
        finally:
            await self._close(tab)

    async def _new_tab(self, gate: Gate, width: int, height: int, real_time: bool, scripts: Sequence[str]) -> Tab:
        from playwright.async_api import Error

        if self.broken:
            raise BrowserError("the browser is broken")
        self._overweight = False
        try:
            async with asyncio.timeout(self.limits.load):
                context = await self._browser.new_context(
                    viewport={"width": width, "height": height}, locale="en-US", timezone_id="UTC", color_scheme="light",
                    service_workers="block", accept_downloads=False,
                )  # fmt: skip
                context.set_default_timeout(self.limits.call * 1000)
                await gate.guard(context)
                await context.add_init_script("\n".join([*scripts, *_own_scripts(real_time)]))
                page = await context.new_page()
                cdp = await context.new_cdp_session(page)
                if not real_time:
                    await cdp.send("Animation.setPlaybackRate", {"playbackRate": 0})
        except (Error, TimeoutError) as error:
            self.broken = True
            raise BrowserError(f"the browser opens no page: {_first_line(error)}") from error
        gate.watch(context, page)
        return Tab(self, gate, context, page, cdp, real_time)

    async def _close(self, tab: Tab) -> None:
        if not self.broken and tab.stuck:
            await self._bounded_quietly(tab._cdp.send("Runtime.terminateExecution"), 0.5)
        if not self.broken:
            await self._bounded(tab._context.close())
        if self.broken:
            self._processes.kill()

    async def _bounded_quietly(self, call: Awaitable[object], seconds: float) -> None:
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(seconds):
                await call
        except (Error, TimeoutError):
            return


class Tab:
    """One open page. Every call has a deadline; what the page does wrong is a PageError, what the browser does wrong a BrowserError."""

    def __init__(self, chromium: Chromium, gate: Gate, context: BrowserContext, page: Page, cdp: CDPSession, real_time: bool):
        self.page = page
        self.gate = gate
        self.limits = chromium.limits
        self.real_time = real_time
        self.stuck = False  # a call had to be given up
        self._chromium = chromium
        self._context = context
        self._cdp = cdp
        self._left = chromium.limits.page
        self._gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        page.on("crash", lambda _: self._lost("crashed"))
        page.on("close", lambda _: self._lost("closed itself"))

    @property
    def refused(self) -> Counter[str]:
        """Requests that were refused, by kind."""
        return self.gate.refused

    def _lost(self, how: str) -> None:
        if not self._gone.done():
            self._gone.set_result(how)

    async def _load(self) -> None:
        # not goto's own wait for `load`: it never ends for a page that tries to leave while it loads
        await self.call(self.page.goto(f"{ORIGIN}/", wait_until="commit", timeout=0), "loading", self.limits.load)
        await self.evaluate(LOADED, seconds=self.limits.load)

    async def settle(self, horizon: float = settling.HORIZON) -> bool:
        """Waits until the page is still, `horizon` virtual ms on. False: it was not, when the cap was hit."""
        return await settling.settle(self, self._chromium.config.settle_seconds, horizon)

    async def screenshot(self) -> bytes:
        """PNG of the viewport. The same state gives the same bytes."""
        options = {"format": "png", "optimizeForSpeed": True}
        answer = await self.call(self._cdp.send("Page.captureScreenshot", options), "a screenshot")
        return base64.b64decode(answer["data"])

    async def evaluate(self, script: str, arg: Any = None, *, frame: Frame | None = None, seconds: float | None = None) -> Any:
        """Result of a JavaScript function in the page (or one of its frames)."""
        return await self.call((frame or self.page).evaluate(script, arg), "a script", seconds)

    async def call(self, work: Awaitable[T], what: str, seconds: float | None = None) -> T:
        """The result of any Playwright call on this page, under a deadline. Raises PageError, BrowserError."""
        loop = asyncio.get_running_loop()
        deadline = min(seconds or self.limits.call, self._left)
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # so that asyncio does not report what we gave up
        either: set[asyncio.Future[Any]] = {task, self._gone}
        start = loop.time()
        try:
            await asyncio.wait(either, timeout=deadline, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._left -= loop.time() - start
            if not task.done():
                self.stuck = True
                task.cancel()
        if task.done() and not task.cancelled():
            return self._result(task, what)
        if self._gone.done():
            raise self._loss()
        raise await self._blame(what, deadline)

    def _result(self, task: asyncio.Future[T], what: str) -> T:
        from playwright.async_api import Error

        try:
            return task.result()
        except Error as error:
            message = _first_line(error)
            if self._gone.done() or "crashed" in message or "closed" in message:
                raise self._loss() from error
            if "context was destroyed" in message or "Frame was detached" in message:
                raise settling.Navigated(f"the page was replaced during {what}") from error
            raise PageError(f"{what}: {message}") from error

    def _loss(self) -> PageError | BrowserError:
        if self._chromium.broken:
            return BrowserError("the browser died")
        if self._chromium._overweight:
            return PageError(f"the page used more than {self._chromium.config.renderer_mb} MB of memory")
        return PageError(f"the page {self._gone.result() if self._gone.done() else 'crashed'}")

    async def _blame(self, what: str, seconds: float) -> PageError | BrowserError:
        """A call was not answered in time: the page's fault as long as the browser itself answers."""
        if not await self._chromium.alive():
            return BrowserError(f"the browser stopped answering during {what}")
        if self._left <= 0:
            return PageError(f"the page used up its {self.limits.page:g} s")
        return PageError(f"the page hangs: {what} took more than {seconds:.1f} s")


def _own_scripts(real_time: bool) -> list[str]:
    folder = files("iwr.browser")
    clock = (folder / "clock.js").read_text().replace("__VIRTUAL__", "false" if real_time else "true").replace("__START__", str(START))
    return [(folder / "guard.js").read_text(), clock]


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
