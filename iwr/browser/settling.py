"""Wait until a page is still, without sleeping: its virtual clock is moved on.

Only real work (loading, decoding) takes real time. `horizon` is how far virtual time moves at
least: a state is looked at as it is one second after the action that led to it, or later, when
timers and animations that the action set off are still to come (js/clock.js, up to five seconds).
The second part can be waited for on its own: states.py looks at the page before and after it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal, NamedTuple

from iwr.browser.frames import foreign_frames, in_frame
from iwr.browser.guarded import GuardedPage, Navigated
from iwr.browser.network import RequestInterceptor

HORIZON = 1000.0  # ms of virtual time
EFFECT_SECONDS = 5.0  # after an action, in which its timers are waited for; as in js/clock.js
SETTLE = """async ([horizon, patience, part]) => {
  const clock = window[Symbol.for("iwr.clock")];
  if (!clock) return {reason: null, pending: false, wild: true};
  return {...await clock.settle(horizon, patience, part), wild: clock.clock.wild};
}"""

Part = Literal["all", "horizon", "effects"]
"""What is waited for: the horizon, the pending effects of the last action, or one after another."""


class Stillness(NamedTuple):
    """How a page came to rest."""

    reason: str | None = None  # why it is not still
    pending: bool = False  # effects of the last action are still to come


async def settle(
    page: GuardedPage,
    interceptor: RequestInterceptor,
    cap: float,
    horizon: float = HORIZON,
    *,
    real_time: bool = False,
    part: Part = "all",
) -> Stillness:
    """Move the page on until it is still; `pending` is only told of the part "horizon".

    `cap` is in seconds. Raises PageError or BrowserError.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + cap
    reason = "the page is replaced without end"
    while (left := end - loop.time()) > 0:
        try:
            seconds = left + page.limits.call
            state: Any = await page.evaluate(SETTLE, [horizon, left * 1000, part], seconds=seconds)
            pending = await _settle_foreign_frames(page, horizon, end - loop.time(), part)
        except Navigated:
            await asyncio.sleep(0.01)
            continue
        if state["reason"]:
            return Stillness(str(state["reason"]))
        if interceptor.in_flight:
            reason = "requests of the page are not answered"
            await asyncio.sleep(0.005)
            continue
        if state["pending"] or pending:
            return Stillness(pending=True)
        if state["wild"] or real_time:
            return Stillness(await _difference(page, end))
        return Stillness()
    return Stillness(reason)


async def _settle_foreign_frames(
    page: GuardedPage, horizon: float, left: float, part: Part
) -> bool:
    """Settle frames of another origin (data: URLs, sandboxed ones): they have their own clocks.

    Return whether effects are pending in one of them.
    """
    pending = False
    if left <= 0:
        return False
    for frame in await foreign_frames(page):
        seconds = left + page.limits.call
        state = await in_frame(page, frame, SETTLE, [horizon, left * 1000, part], seconds)
        pending = pending or bool(state and state["pending"])
    return pending


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
