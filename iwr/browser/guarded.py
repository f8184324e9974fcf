"""Calls into a page that nobody trusts: each has a deadline, and each failure names its side."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from iwr.browser.deadlines import Budget, Limits
from iwr.config import BrowserConfig
from iwr.errors import BrowserError, PageError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Error, Frame, Page

T = TypeVar("T")
DYING_SECONDS = 0.5  # a browser that is ending fails its pages first and is gone only then


class BrowserHealth(Protocol):
    """What a page needs to know of its browser, to tell whose failure a failed call is."""

    @property
    def killed_for_memory(self) -> bool:
        """Whether the page's process was killed because it used too much memory."""

    async def alive(self) -> bool:
        """Return whether the browser still answers."""


class Navigated(PageError):
    """The document was replaced while a script ran in it: call again."""


class GuardedPage:
    """A Playwright page whose calls end in time.

    A call raises PageError for what the page does wrong, BrowserError for what the browser does.
    """

    def __init__(
        self,
        browser: BrowserHealth,
        page: Page,
        cdp: CDPSession,
        config: BrowserConfig,
        budget: Budget,
    ):
        self.browser = browser
        self.page = page
        self.config = config
        self.limits = Limits.of(config)
        self.stuck = False  # a call was given up
        self._cdp = cdp
        self._budget = budget
        self._end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        page.on("crash", lambda _: self._note_end("crashed"))
        page.on("close", lambda _: self._note_end("closed itself"))

    def _note_end(self, how: str) -> None:
        """Keep how the page ended; what follows from it does not replace that."""
        if not self._end.done():
            self._end.set_result(how)

    async def screenshot(self) -> bytes:
        """Return a PNG of the viewport. The same state gives the same bytes."""
        options = {"format": "png", "optimizeForSpeed": True}
        capture = self._cdp.send("Page.captureScreenshot", options)
        reply = await self.call(capture, "a screenshot")
        return base64.b64decode(reply["data"])

    async def evaluate(
        self,
        script: str,
        arg: object = None,
        *,
        frame: Frame | None = None,
        seconds: float | None = None,
    ) -> Any:
        """Return the result of a JavaScript function in the page or one of its frames."""
        target = frame or self.page
        return await self.call(target.evaluate(script, arg), "a script", seconds)

    async def call(self, work: Awaitable[T], what: str, seconds: float | None = None) -> T:
        """Return the result of any Playwright call on this page.

        `what` names the call in error messages; `seconds` replaces the usual deadline.
        Raises PageError or BrowserError.
        """
        deadline = seconds or self.limits.call
        left = self._budget.left * self.limits.crowd
        deadline = min(deadline, left)
        task = asyncio.ensure_future(work)
        task.add_done_callback(_retrieve_exception)
        await self._wait(task, deadline)
        if task.done() and not task.cancelled():
            return await self._result(task, what)
        if self._end.done():
            raise await self._ending()
        raise await self._timeout(what, deadline)

    async def interrupt(self) -> None:
        """Free a page from an endless loop, so that it can be closed."""
        from playwright.async_api import Error

        with suppress(Error, TimeoutError):
            async with asyncio.timeout(0.5):
                await self._cdp.send("Runtime.terminateExecution")

    async def _wait(self, task: asyncio.Future[T], deadline: float) -> None:
        """Wait for the call or the end of the page, and charge the time to the budget."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        either: set[asyncio.Future[Any]] = {task, self._end}
        try:
            await asyncio.wait(either, timeout=deadline, return_when=asyncio.FIRST_COMPLETED)
        finally:
            seconds = loop.time() - start
            self._budget.left -= seconds / self.limits.crowd
            if not task.done():
                self.stuck = True
                task.cancel()

    async def _result(self, task: asyncio.Future[T], what: str) -> T:
        """Return the result of a finished call. Raises PageError, BrowserError."""
        from playwright.async_api import Error

        try:
            return task.result()
        except Error as error:
            raise await self._failure(error, what) from error

    async def _failure(self, error: Error, what: str) -> PageError | BrowserError:
        """Return whose failure an error of Playwright is, by its message."""
        message = first_line(error)
        if self._end.done() or "crashed" in message or "closed" in message:
            return await self._ending()
        if "context was destroyed" in message or "Frame was detached" in message:
            return Navigated(f"the page was replaced during {what}")
        await asyncio.sleep(DYING_SECONDS)
        if not await self.browser.alive():
            return BrowserError(f"the browser died during {what}: {message}")
        return PageError(f"{what}: {message}")

    async def _ending(self) -> PageError | BrowserError:
        """Return why the page is gone: the browser died, too much memory, or by itself."""
        # a dying browser reports that its pages closed before it reports that it died
        if not await self.browser.alive():
            return BrowserError("the browser died")
        if self.browser.killed_for_memory:
            return PageError(f"the page used more than {self.config.renderer_mb} MB of memory")
        how = "crashed"
        if self._end.done():
            how = self._end.result()
        return PageError(f"the page {how}")

    async def _timeout(self, what: str, seconds: float) -> PageError | BrowserError:
        """Attribute a call without an answer: to the page as long as the browser answers."""
        if not await self.browser.alive():
            return BrowserError(f"the browser stopped answering during {what}")
        if self._budget.left <= 0:
            return PageError("the page used up the time that one page may take")
        return PageError(f"the page hangs: {what} took more than {seconds:.1f} s")


def _retrieve_exception(task: asyncio.Future[Any]) -> None:
    """Keep asyncio from reporting the exception of a call that was given up."""
    if not task.cancelled():
        task.exception()


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message that is not blank, else its class name."""
    for line in str(error).splitlines():
        if line.strip():
            return line.strip()
    return type(error).__name__
