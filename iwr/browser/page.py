"""One open page: load it, wait until it is still, look at it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from iwr.browser.deadlines import Budget
from iwr.browser.dialogs import DialogHandler
from iwr.browser.events import EventLog
from iwr.browser.guarded import BrowserHealth, GuardedPage, Navigated
from iwr.browser.network import RequestInterceptor
from iwr.browser.settling import EFFECT_SECONDS, HORIZON, Part, settle
from iwr.browser.site import ORIGIN
from iwr.config import BrowserConfig
from iwr.errors import PageError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

LOADED = """() => document.readyState === 'complete'
    || new Promise((done) => addEventListener('load', () => done(true)))"""


class Tab(GuardedPage):
    """One open page and its network."""

    def __init__(
        self,
        browser: BrowserHealth,
        interceptor: RequestInterceptor,
        page: Page,
        cdp: CDPSession,
        config: BrowserConfig,
        budget: Budget,
        real_time: bool,
    ):
        super().__init__(browser, page, cdp, config, budget)
        self.interceptor = interceptor
        self.real_time = real_time
        self.unsettled_reason: str | None = None  # of the last `settle`
        self.effects_pending = False  # after it

    @property
    def refused(self) -> Counter[str]:
        """Requests that were refused, by kind."""
        return self.interceptor.refused

    @property
    def log(self) -> EventLog:
        """What the page wrote to its console, and the addresses that were refused."""
        return self.interceptor.log

    @property
    def dialogs(self) -> DialogHandler:
        """Native dialogs of the page, and the answers planned for them."""
        return self.interceptor.dialogs

    async def load(self) -> None:
        """Open the page. Raises PageError when it hangs, crashes or reloads without end."""
        # not goto's own wait for `load`: it never ends for a page that leaves while it loads
        opening = self.page.goto(f"{ORIGIN}/", wait_until="commit", timeout=0)
        await self.call(opening, "loading", self.limits.load)
        loop = asyncio.get_running_loop()
        end = loop.time() + self.limits.load
        while (left := end - loop.time()) > 0.1:
            with suppress(Navigated):
                await self.evaluate(LOADED, seconds=left)
                return
        raise PageError("the page reloads without end")

    async def settle(self, horizon: float = HORIZON, *, part: Part = "all") -> bool:
        """Wait until the page is still, `horizon` virtual ms on or more.

        Return False when it was not still after `browser.settle_seconds`, or when effects of the
        last action are still to come at the cap; `unsettled_reason` then says which. After the
        part "horizon" `effects_pending` says whether the part "effects" remains.
        """
        cap = self.config.settle_seconds * self.limits.crowd
        if self.real_time:
            cap += EFFECT_SECONDS
        stillness = await settle(
            self, self.interceptor, cap, horizon, real_time=self.real_time, part=part
        )
        self.unsettled_reason = stillness.reason
        self.effects_pending = stillness.pending
        return stillness.reason is None
