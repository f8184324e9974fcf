"""Waiting until a page is still, without sleeping: the page's virtual clock is moved on, and only real work is waited for.

`horizon` is how far virtual time moves: a state is looked at as it is one second after the action that led to it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from iwr.errors import PageError

if TYPE_CHECKING:
    from playwright.async_api import Frame

    from iwr.browser.chromium import Tab

HORIZON = 1000.0  # ms of virtual time
SETTLE = """async ([horizon, patience]) => {
  const clock = window[Symbol.for("iwr.clock")];
  if (!clock) return {still: true, wild: true};
  return {still: await clock.settle(horizon, patience), wild: clock.clock.wild};
}"""
FOREIGN = (
    """() => { const clock = window[Symbol.for("iwr.clock")]; return !!clock && !clock.shared; }"""
)


async def settle(tab: Tab, cap: float, horizon: float = HORIZON) -> bool:
    """Moves the page on until it is still. False when it was not still after `cap` seconds. Raises PageError, BrowserError."""
    loop = asyncio.get_running_loop()
    end = loop.time() + cap
    while (left := end - loop.time()) > 0:
        try:
            state = await tab.evaluate(
                SETTLE, [horizon, left * 1000], seconds=left + tab.limits.call
            )
            await _settle_foreign_frames(tab, horizon, end - loop.time())
        except Navigated:
            await asyncio.sleep(0.01)
            continue
        if not state["still"]:
            return False
        if tab.gate.in_flight == 0:
            return await _equal_frames(tab, end) if state["wild"] or tab.real_time else True
        await asyncio.sleep(0.005)
    return False


class Navigated(PageError):
    """The document was replaced while a script ran in it: ask again."""


async def _settle_foreign_frames(tab: Tab, horizon: float, left: float) -> None:
    """Frames of another origin (data: URLs, sandboxed ones) have clocks of their own."""
    for frame in tab.page.frames[1:11]:
        if await _evaluate_in(tab, frame, FOREIGN, None) and left > 0:
            await _evaluate_in(tab, frame, SETTLE, [horizon, left * 1000], left)


async def _evaluate_in(
    tab: Tab, frame: Frame, script: str, arg: object, more: float = 0.0
) -> object:
    try:
        return await tab.evaluate(script, arg, frame=frame, seconds=tab.limits.call + more)
    except Navigated:
        return None  # the frame is gone


async def _equal_frames(tab: Tab, end: float) -> bool:
    """Where no clock of ours rules (workers, real time): two equal screenshots, 100 ms apart."""
    loop = asyncio.get_running_loop()
    before = await tab.screenshot()
    while loop.time() < end:
        await asyncio.sleep(0.1)
        after = await tab.screenshot()
        if after == before:
            return True
        before = after
    return False
