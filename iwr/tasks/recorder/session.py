"""The two passes over a script.

The first is filmed in real time for people and models, the second is replayed for the checkpoints
and the contract, with the clock and the actions of scoring.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, Protocol

from iwr.browser.page_state import HOOK, WALK, Snapshot, parse
from iwr.errors import ActionError, DataError, PageError
from iwr.tasks.recorder.dialog_box import draw_dialog
from iwr.tasks.recorder.film_clock import FilmClock
from iwr.tasks.recorder.input import RecordedInput
from iwr.tasks.recorder.perform import Performer, TargetObserver
from iwr.tasks.recorder.screencast import Painted, Screencast
from iwr.tasks.recorder.script import Script, ScriptAction

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

    from iwr.browser.chromium import Chromium
    from iwr.browser.dialogs import OpenedDialog
    from iwr.browser.page import Tab
    from iwr.browser.site import Site

OPENING_SECONDS = 0.7
"""Of the untouched page, before the mouse moves."""
CLOSING_SECONDS = 0.7
FRAMES = {"format": "jpeg", "quality": 90}


class ReplayObserver(TargetObserver, Protocol):
    """Is told of everything in a replay."""

    def begin(
        self,
        tab: Tab,
        action: ScriptAction,
        before: Snapshot,
    ) -> None:
        """Take note of an action that begins."""

    def end(self, after: Snapshot) -> None:
        """Take note of the state after the action."""


class FrameGrabber:
    """Collects the frames that a tab paints. Times are seconds since the epoch."""

    def __init__(self, cdp: CDPSession):
        self.frames: list[Painted] = []
        self._cdp = cdp
        self._acknowledgements: set[asyncio.Future[Any]] = set()
        cdp.on("Page.screencastFrame", self._keep)

    def _keep(self, event: dict[str, Any]) -> None:
        image = base64.b64decode(event["data"])
        self.frames.append(Painted(event["metadata"]["timestamp"], image))
        session = {"sessionId": event["sessionId"]}
        reply = self._cdp.send("Page.screencastFrameAck", session)
        sending = asyncio.ensure_future(reply)
        self._acknowledgements.add(sending)
        sending.add_done_callback(self._acknowledgements.discard)

    async def start(self, tab: Tab) -> None:
        """Begin to receive frames."""
        await tab.call(self._cdp.send("Page.startScreencast", FRAMES), "starting the screencast")

    async def stop(self, tab: Tab) -> None:
        """Stop and wait for what is under way."""
        await tab.call(self._cdp.send("Page.stopScreencast"), "stopping the screencast")
        await asyncio.gather(*self._acknowledgements, return_exceptions=True)

    def frames_of(self, clock: FilmClock) -> list[Painted]:
        """Return the frames with their times in the film."""
        return [Painted(clock.at(frame.time), frame.image) for frame in self.frames]


async def film(
    chromium: Chromium,
    site: Site,
    script: Script,
    pace: float,
    seed: int | None,
) -> Screencast:
    """Record `script` performed on `site` in real time.

    Raises DataError naming the action that cannot be performed.
    """
    width, height = script.size
    async with chromium.open(site, width, height, real_time=True) as tab:
        first = Painted(0.0, await tab.screenshot())
        cdp = await tab.page.context.new_cdp_session(tab.page)
        grabber = FrameGrabber(cdp)
        await grabber.start(tab)
        person = RecordedInput(
            tab,
            script.size,
            site.assets,
            pace,
            seed,
        )

        async def show(dialog: OpenedDialog) -> None:
            box = await draw_dialog(chromium, dialog, width)
            await person.answer(box)

        tab.dialogs.before_reply = show
        await person.pause(OPENING_SECONDS)
        for step, action in enumerate(script.actions, 1):
            await _naming(action, step, person.perform(action))
        await person.pause(CLOSING_SECONDS)
        await grabber.stop(tab)
    frames = grabber.frames_of(person.clock)
    return Screencast(
        script.size,
        [first, *frames],
        person.pointers,
        person.clicks,
        person.clock.now(),
        person.overlays,
    )


async def replay(
    chromium: Chromium,
    site: Site,
    script: Script,
    observer: ReplayObserver | None = None,
) -> AsyncIterator[bytes]:
    """Yield screenshots (PNG) of the opened page and of the state after each action.

    Raises DataError for an action that cannot be performed, and for a state that never settles.
    """
    async with chromium.open(site, *script.size, scripts=[HOOK]) as tab:
        performer = Performer(
            tab,
            script.size,
            site.assets,
            observer,
        )
        await _naming(None, 0, _settle(tab))
        page = await snapshot_of(tab)
        yield page.screenshot
        for step, action in enumerate(script.actions, 1):
            if observer:
                observer.begin(tab, action, page)
            await _naming(action, step, _perform(performer, action))
            page = await snapshot_of(tab)
            if observer:
                observer.end(page)
            yield page.screenshot


async def snapshot_of(tab: Tab) -> Snapshot:
    """Return what is on the page now."""
    walk = await tab.evaluate(WALK)
    screenshot = await tab.screenshot()
    return parse(walk, screenshot)


async def _perform(performer: Performer, action: ScriptAction) -> None:
    await performer.perform(action)
    await _settle(performer.tab)
    performer.check_dialogs()


async def _settle(tab: Tab) -> None:
    if await tab.settle():
        return
    raise ActionError(
        f"the page does not come to rest afterwards ({tab.unsettled_reason}), "
        "so no screenshot of it can be repeated"
    )


async def _naming(action: ScriptAction | None, step: int, work: Awaitable[None]) -> None:
    """Await `work`; its ActionError or PageError becomes a DataError that names the action."""
    try:
        await work
    except (ActionError, PageError) as error:
        name = "the opened page"
        if action:
            name = f"action {step} ({action.type}: {action.description})"
        hint = error.hint or "correct the script or the page"
        raise DataError(f"{name}: {error}", hint=hint) from error
