"""The two passes over a script.

The first is filmed in real time for people and models, the second is replayed for the checkpoints
and the contract, with the clock and the actions of scoring.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from iwr.browser.page_state import HOOK, Snapshot
from iwr.browser.states import State, settled_state
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

Result = TypeVar("Result")

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
        """Keep a frame and acknowledge it: Chromium sends no further one before that."""
        image = base64.b64decode(event["data"])
        seconds = event["metadata"]["timestamp"]
        self.frames.append(Painted(seconds, image))
        session = {"sessionId": event["sessionId"]}
        reply = self._cdp.send("Page.screencastFrameAck", session)
        sending = asyncio.ensure_future(reply)
        self._acknowledgements.add(sending)
        sending.add_done_callback(self._forget)

    def _forget(self, sending: asyncio.Future[Any]) -> None:
        """Drop an acknowledgement that was sent, or could not be: the page was closed."""
        self._acknowledgements.discard(sending)
        if not sending.cancelled():
            sending.exception()

    async def start(self, tab: Tab) -> None:
        """Begin to receive frames. Raises PageError, BrowserError."""
        start = self._cdp.send("Page.startScreencast", FRAMES)
        await tab.call(start, "starting the screencast")

    async def stop(self, tab: Tab) -> None:
        """Stop and wait for what is under way. Raises PageError, BrowserError."""
        stop = self._cdp.send("Page.stopScreencast")
        await tab.call(stop, "stopping the screencast")
        self._cdp.remove_listener("Page.screencastFrame", self._keep)
        await asyncio.gather(*self._acknowledgements, return_exceptions=True)

    def frames_of(self, clock: FilmClock) -> list[Painted]:
        """Return the frames with their times in the film."""
        frames = []
        for frame in self.frames:
            seconds = clock.at(frame.time)
            frames.append(Painted(seconds, frame.image))
        return frames


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
        size=script.size,
        frames=[first, *frames],
        pointers=person.pointers,
        clicks=person.clicks,
        seconds=person.clock.now(),
        overlays=person.overlays,
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
        state = await _naming(None, 0, _settled(tab, None))
        yield state.shown.screenshot
        for step, action in enumerate(script.actions, 1):
            before = state.rest
            if observer:
                observer.begin(tab, action, before)
            state = await _naming(action, step, _perform(performer, action, before))
            if observer:
                observer.end(state.shown)
            yield state.shown.screenshot


async def _perform(performer: Performer, action: ScriptAction, before: Snapshot) -> State:
    """Return the state after an action. Raises ActionError, PageError, BrowserError."""
    await performer.perform(action)
    state = await _settled(performer.tab, before)
    performer.check_dialogs()
    return state


async def _settled(tab: Tab, before: Snapshot | None) -> State:
    """Return the state of a page at rest. Raises ActionError when it does not come to rest."""
    state = await settled_state(tab, before)
    if tab.unsettled_reason is None:
        return state
    raise ActionError(
        f"the page does not come to rest afterwards ({tab.unsettled_reason}), "
        "so no screenshot of it can be repeated"
    )


async def _naming(action: ScriptAction | None, step: int, work: Awaitable[Result]) -> Result:
    """Await `work`; its ActionError or PageError becomes a DataError that names the action."""
    try:
        return await work
    except (ActionError, PageError) as error:
        name = "the opened page"
        if action:
            name = f"action {step} ({action.type}: {action.description})"
        hint = error.hint or "correct the script or the page"
        raise DataError(f"{name}: {error}", hint=hint) from error
