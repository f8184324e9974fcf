"""One open page, with a deadline on every call into it."""

from __future__ import annotations

import asyncio
import base64
import os
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from iwr.browser.network import RequestInterceptor
from iwr.browser.settling import HORIZON, Navigated, settle
from iwr.browser.site import ORIGIN
from iwr.config import BrowserConfig
from iwr.errors import BrowserError, PageError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Frame, Page

    from iwr.browser.chromium import Chromium

T = TypeVar("T")
LOADED = "() => document.readyState === 'complete' || new Promise((done) => addEventListener('load', () => done(true)))"


DYING = 0.5  # seconds: a browser that was told to end fails its pages first and is gone only then


class Limits(NamedTuple):
    """Deadlines, seconds."""

    load: float  # opening a page
    call: float  # one call into it
    close: float

    crowd: float  # by which they are stretched

    @classmethod
    def of(cls, config: BrowserConfig) -> Limits:
        """As configured, up to four times longer on a crowded machine: there a slow page is not the page's fault."""
        crowd = min(4.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))
        return cls(
            crowd * config.page_seconds / 4,
            crowd * config.page_seconds / 10,
            crowd * config.page_seconds / 10,
            crowd,
        )


@dataclass
class Budget:
    """What calls into one page may still take, all together."""

    left: float  # seconds of a machine that is not crowded


class Tab:
    """One open page. Every call has a deadline; what the page does wrong is a PageError, what the browser does wrong a BrowserError."""

    def __init__(
        self,
        chromium: Chromium,
        gate: RequestInterceptor,
        page: Page,
        cdp: CDPSession,
        real_time: bool,
        budget: Budget,
    ):
        self.page = page
        self.gate = gate
        self.limits = chromium.limits
        self.real_time = real_time
        self.stuck = False  # a call had to be given up
        self._chromium = chromium
        self._cdp = cdp
        self._budget = budget
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
        await self.call(
            self.page.goto(f"{ORIGIN}/", wait_until="commit", timeout=0),
            "loading",
            self.limits.load,
        )
        loop = asyncio.get_running_loop()
        end = loop.time() + self.limits.load
        while (left := end - loop.time()) > 0.1:
            with suppress(Navigated):
                return await self.evaluate(LOADED, seconds=left)
        raise PageError("the page reloads without end")

    async def settle(self, horizon: float = HORIZON) -> bool:
        """Waits until the page is still, `horizon` virtual ms on. False: it was not, when the cap was hit."""
        return await settle(self, self._chromium.config.settle_seconds * self.limits.crowd, horizon)

    async def screenshot(self) -> bytes:
        """PNG of the viewport. The same state gives the same bytes."""
        options = {"format": "png", "optimizeForSpeed": True}
        answer = await self.call(self._cdp.send("Page.captureScreenshot", options), "a screenshot")
        return base64.b64decode(answer["data"])

    async def evaluate(
        self,
        script: str,
        arg: Any = None,
        *,
        frame: Frame | None = None,
        seconds: float | None = None,
    ) -> Any:
        """Result of a JavaScript function in the page (or one of its frames)."""
        return await self.call((frame or self.page).evaluate(script, arg), "a script", seconds)

    async def call(self, work: Awaitable[T], what: str, seconds: float | None = None) -> T:
        """The result of any Playwright call on this page, under a deadline. Raises PageError, BrowserError."""
        loop = asyncio.get_running_loop()
        deadline = min(seconds or self.limits.call, self._budget.left * self.limits.crowd)
        task = asyncio.ensure_future(work)
        task.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # so that asyncio does not report what we gave up
        either: set[asyncio.Future[Any]] = {task, self._gone}
        start = loop.time()
        try:
            await asyncio.wait(either, timeout=deadline, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._budget.left -= (loop.time() - start) / self.limits.crowd
            if not task.done():
                self.stuck = True
                task.cancel()
        if task.done() and not task.cancelled():
            return await self._result(task, what)
        if self._gone.done():
            raise await self._loss()
        raise await self._blame(what, deadline)

    async def interrupt(self) -> None:
        """Frees a page from an endless loop, so that it can be closed."""
        from playwright.async_api import Error

        with suppress(Error, TimeoutError):
            async with asyncio.timeout(0.5):
                await self._cdp.send("Runtime.terminateExecution")

    async def _result(self, task: asyncio.Future[T], what: str) -> T:
        from playwright.async_api import Error

        try:
            return task.result()
        except Error as error:
            message = first_line(error)
            if self._gone.done() or "crashed" in message or "closed" in message:
                raise await self._loss() from error
            if "context was destroyed" in message or "Frame was detached" in message:
                raise Navigated(f"the page was replaced during {what}") from error
            await asyncio.sleep(DYING)
            if not await self._chromium.alive():
                raise BrowserError(f"the browser died during {what}: {message}") from error
            raise PageError(f"{what}: {message}") from error

    async def _loss(self) -> PageError | BrowserError:
        if (
            not await self._chromium.alive()
        ):  # its pages report that they closed before it reports that it died
            return BrowserError("the browser died")
        if self._chromium._overweight:
            return PageError(
                f"the page used more than {self._chromium.config.renderer_mb} MB of memory"
            )
        return PageError(f"the page {self._gone.result() if self._gone.done() else 'crashed'}")

    async def _blame(self, what: str, seconds: float) -> PageError | BrowserError:
        """A call was not answered in time: the page's fault as long as the browser itself answers."""
        if not await self._chromium.alive():
            return BrowserError(f"the browser stopped answering during {what}")
        if self._budget.left <= 0:
            return PageError("the page used up the time that one page may take")
        return PageError(f"the page hangs: {what} took more than {seconds:.1f} s")


def first_line(error: BaseException) -> str:
    return next(
        (line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__
    )
