"""The two passes over a script: filmed in real time for people and models, then replayed for the checkpoints."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from iwr.browser import input as actions
from iwr.errors import ActionError, DataError, PageError
from iwr.records import ActionType
from iwr.tasks.recorder.input import Hand, find, wheel
from iwr.tasks.recorder.screencast import Painted, Screencast
from iwr.tasks.recorder.script import Script, ScriptAction

if TYPE_CHECKING:
    from iwr.browser.chromium import Chromium, Site, Tab

OPENING_SECONDS = 0.7  # the untouched page, before the hand moves
CLOSING_SECONDS = 0.7


async def shoot(
    chromium: Chromium, site: Site, script: Script, pace: float, seed: int | None
) -> Screencast:
    """Films `script` performed on `site`. Raises DataError naming the action that cannot be performed."""
    async with chromium.open(site, *script.size, real_time=True) as tab:
        camera = await tab.page.context.new_cdp_session(tab.page)
        frames = [Painted(0.0, await tab.screenshot())]
        acknowledged: set[asyncio.Future[Any]] = set()

        def caught(event: dict[str, Any]) -> None:
            frames.append(Painted(event["metadata"]["timestamp"], base64.b64decode(event["data"])))
            answer = asyncio.ensure_future(
                camera.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})
            )
            acknowledged.add(answer)
            answer.add_done_callback(acknowledged.discard)

        camera.on("Page.screencastFrame", caught)
        await tab.call(
            camera.send("Page.startScreencast", {"format": "jpeg", "quality": 90}),
            "starting the camera",
        )
        hand = Hand(tab, script.size, pace, seed)
        await hand.wait(OPENING_SECONDS)
        for step, action in enumerate(script.actions, 1):
            await _or_data_error(hand.act(action), step, action)
        await hand.wait(CLOSING_SECONDS)
        await tab.call(camera.send("Page.stopScreencast"), "stopping the camera")
        await asyncio.gather(*acknowledged, return_exceptions=True)
        frames = [Painted(hand.clock.at(frame.time), frame.image) for frame in frames]
        return Screencast(script.size, frames, hand.pointers, hand.clicks, hand.clock.films[-1])


async def replay(chromium: Chromium, site: Site, script: Script) -> AsyncIterator[bytes]:
    """Screenshots (PNG) of the opened page and after each action, with the clock and the actions that scoring uses.

    Raises DataError for an action that cannot be performed, and for a state that never comes to rest.
    """
    async with chromium.open(site, *script.size) as tab:
        await _or_data_error(_still(tab), 0, None)
        yield await tab.screenshot()
        for step, action in enumerate(script.actions, 1):
            await _or_data_error(_act(tab, action, script.size[1]), step, action)
            yield await tab.screenshot()


async def _act(tab: Tab, action: ScriptAction, height: int) -> None:
    target = await find(tab, action.target) if action.target else None
    match action.type:
        case ActionType.CLICK if target:
            await actions.click(tab, target)
        case ActionType.TYPE if target:
            await actions.type_text(tab, target, action.text or "")
        case ActionType.PRESS:
            await actions.press(tab, action.key or "")
        case ActionType.SCROLL:
            await actions.scroll(tab, 0, wheel(action, height), target)
    await _still(tab)


async def _still(tab: Tab) -> None:
    if not await tab.settle():
        raise ActionError(
            "the page does not come to rest afterwards, so no screenshot of it can be repeated"
        )


async def _or_data_error(work: Any, step: int, action: ScriptAction | None) -> None:
    try:
        await work
    except (ActionError, PageError) as error:
        name = (
            f"action {step} ({action.type}: {action.description})" if action else "the opened page"
        )
        raise DataError(
            f"{name}: {error}", hint=error.hint or "correct the script or the page"
        ) from error
