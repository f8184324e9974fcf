"""A page under test in a window, to try by hand: the sandbox of scoring, the clock of real time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from iwr.browser.chromium import Budget, Chromium, Site, Tab
from iwr.browser.launch import DISPLAY
from iwr.config import BrowserConfig, Environment
from iwr.errors import BrowserError
from iwr.records import PageEvent

SECONDS = 24 * 3600.0  # that a person may look


class VisiblePage(NamedTuple):
    """A page, its viewport in CSS pixels, and the browser that shows it."""

    site: Site
    width: int
    height: int
    config: BrowserConfig


def require_display(environment: Environment) -> None:
    """Raise BrowserError when there is no screen to show a window on."""
    if not any(environment.inherited.get(name) for name in DISPLAY[:2]):
        raise BrowserError(
            "there is no display for a window",
            hint="run it on a machine with a screen, through `ssh -X`, or under xvfb-run",
        )


async def show(
    page: VisiblePage,
    environment: Environment,
    opened: Callable[[Tab], Awaitable[None]],
    *,
    visible: bool = True,
) -> list[PageEvent]:
    """Show a page until its window is closed; `opened` is called as soon as it can be used.

    Return what the page wrote to its console and asked for in vain. `visible=False` leaves the
    window away. Raises PageError, BrowserError.
    """
    from playwright.async_api import Error

    chromium = Chromium(page.config, environment, visible=visible)
    async with chromium:
        budget = Budget(SECONDS)
        async with chromium.open(
            page.site, page.width, page.height, real_time=True, budget=budget
        ) as tab:
            await opened(tab)
            with suppress(Error):  # the whole browser was closed
                if not tab.page.is_closed():
                    await tab.page.wait_for_event("close", timeout=0)
            return tab.log.events
