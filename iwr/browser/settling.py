"""Wait until a page is still, without sleeping: its virtual clock is moved on.

Only real work (loading, decoding) takes real time. `horizon` is how far virtual time moves: a
state is looked at as it is one second after the action that led to it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from iwr.browser.guarded import GuardedPage, Navigated
from iwr.browser.network import RequestInterceptor

if TYPE_CHECKING:
    from playwright.async_api import Frame

HORIZON = 1000.0  # ms of virtual time
MOST_FRAMES = 10  # with a clock of their own
SETTLE = """async ([horizon, patience]) => {
  const clock = window[Symbol.for("iwr.clock")];
  if (!clock) return {still: true, wild: true};
  return {still: await clock.settle(horizon, patience), wild: clock.clock.wild};
}"""
FOREIGN = """() => {
  const clock = window[Symbol.for("iwr.clock")];
  return !!clock && !clock.shared;
}"""


async def settle(
    page: GuardedPage,
    interceptor: RequestInterceptor,
    cap: float,
    horizon: float = HORIZON,
    *,
    real_time: bool = False,
) -> bool:
    """Move the page on until it is still; False when it was not after `cap` seconds.

    Raises PageError or BrowserError.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + cap
    while (left := end - loop.time()) > 0:
        try:
            seconds = left + page.limits.call
            state = await page.evaluate(SETTLE, [horizon, left * 1000], seconds=seconds)
            await _settle_foreign_frames(page, horizon, end - loop.time())
        except Navigated:
            await asyncio.sleep(0.01)
            continue
        if not state["still"]:
            return False
        if interceptor.in_flight:
            await asyncio.sleep(0.005)
            continue
        if state["wild"] or real_time:
            return await _equal_screenshots(page, end)
        return True
    return False


async def _settle_foreign_frames(page: GuardedPage, horizon: float, left: float) -> None:
    """Settle frames of another origin (data: URLs, sandboxed ones): they have their own clocks."""
    for frame in page.page.frames[1 : 1 + MOST_FRAMES]:
        if left > 0 and await _evaluate_in(page, frame, FOREIGN, None):
            await _evaluate_in(page, frame, SETTLE, [horizon, left * 1000], left)


async def _evaluate_in(
    page: GuardedPage, frame: Frame, script: str, arg: object, more: float = 0.0
) -> object:
    """Return the script's result in `frame`; None when the frame is gone."""
    try:
        return await page.evaluate(script, arg, frame=frame, seconds=page.limits.call + more)
    except Navigated:
        return None


async def _equal_screenshots(page: GuardedPage, end: float) -> bool:
    """Wait for two equal screenshots, 100 ms apart.

    This is for pages that no clock of ours moves: workers and real time.
    """
    loop = asyncio.get_running_loop()
    before = await page.screenshot()
    while loop.time() < end:
        await asyncio.sleep(0.1)
        after = await page.screenshot()
        if after == before:
            return True
        before = after
    return False
