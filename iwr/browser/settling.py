"""Wait until a page is still, without sleeping: its virtual clock is moved on.

Only real work (loading, decoding) takes real time. `horizon` is how far virtual time moves at
least: a state is looked at as it is one second after the action that led to it, or later, when
timers and animations that the action set off are still to come (js/clock.js, up to five seconds).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from iwr.browser.guarded import GuardedPage, Navigated
from iwr.browser.network import RequestInterceptor

if TYPE_CHECKING:
    from playwright.async_api import Frame

HORIZON = 1000.0  # ms of virtual time
EFFECT_SECONDS = 5.0  # after an action, in which its timers are waited for; as in js/clock.js
MOST_FRAMES = 10  # with a clock of their own
SETTLE = """async ([horizon, patience]) => {
  const clock = window[Symbol.for("iwr.clock")];
  if (!clock) return {reason: null, wild: true};
  return {reason: await clock.settle(horizon, patience), wild: clock.clock.wild};
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
) -> str | None:
    """Move the page on until it is still; return why it is not, else None.

    `cap` is in seconds. Raises PageError or BrowserError.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + cap
    reason = "the page is replaced without end"
    while (left := end - loop.time()) > 0:
        try:
            seconds = left + page.limits.call
            state = await page.evaluate(SETTLE, [horizon, left * 1000], seconds=seconds)
            await _settle_foreign_frames(page, horizon, end - loop.time())
        except Navigated:
            await asyncio.sleep(0.01)
            continue
        if state["reason"]:
            return str(state["reason"])
        if interceptor.in_flight:
            reason = "requests of the page are not answered"
            await asyncio.sleep(0.005)
            continue
        if state["wild"] or real_time:
            return await _difference(page, end)
        return None
    return reason


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


async def _difference(page: GuardedPage, end: float) -> str | None:
    """Wait for two equal screenshots, 100 ms apart; return a reason when there are none.

    This is for pages that no clock of ours moves: workers and real time.
    """
    loop = asyncio.get_running_loop()
    before = await page.screenshot()
    while loop.time() < end:
        await asyncio.sleep(0.1)
        after = await page.screenshot()
        if after == before:
            return None
        before = after
    return "two screenshots 100 ms apart differ"
