"""Film a script being performed: real Chromium, real time, no network but the page and its assets."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import TYPE_CHECKING, Any

from iwr.browser.site import ORIGIN, Site, serve
from iwr.errors import BrowserError, DataError
from iwr.tasks.film import Film, Painted
from iwr.tasks.hand import Hand
from iwr.tasks.script import Script

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

OPENING_SECONDS = 0.8  # the untouched page, before the hand moves
CLOSING_SECONDS = 0.8
LARGEST_PAGE = 5_000_000  # bytes


async def film(site: Site, script: Script, executable: str | None, pace: float, seed: int | None) -> Film:
    """Open `site`, perform `script` with a visible hand, and return what was caught.

    Raises DataError naming the action that cannot be performed, BrowserError when Chromium fails.
    """
    from playwright.async_api import Error, async_playwright

    width, height = script.size
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable)
            page = await browser.new_page(viewport={"width": width, "height": height}, service_workers="block")
            await _serve(page, site)
            await page.goto(f"{ORIGIN}/", wait_until="load")
            caught = await _perform(page, script, pace, seed)
            await browser.close()
            return caught
    except Error as error:
        raise BrowserError(f"recording failed: {str(error).splitlines()[0]}", hint="`iwr doctor` checks the browser") from error


async def _serve(page: Page, site: Site) -> None:
    document = site.document(LARGEST_PAGE)

    async def answer(route: Route) -> None:
        url = route.request.url
        if url == f"{ORIGIN}/":
            await route.fulfill(body=document, content_type="text/html; charset=utf-8")
        elif file := site.asset(url):
            reply = serve(file, route.request.headers.get("range"))
            await route.fulfill(status=reply.status, headers=reply.headers, body=reply.body)
        else:
            await route.abort()

    await page.context.route("**/*", answer)


async def _perform(page: Page, script: Script, pace: float, seed: int | None) -> Film:
    frames: list[Painted] = [Painted(0.0, await page.screenshot(type="jpeg", quality=90))]
    camera = await page.context.new_cdp_session(page)
    acknowledged: set[asyncio.Task[Any]] = set()

    def caught(event: dict[str, Any]) -> None:
        frames.append(Painted(event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        task = asyncio.ensure_future(camera.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]}))
        acknowledged.add(task)
        task.add_done_callback(acknowledged.discard)

    camera.on("Page.screencastFrame", caught)
    await camera.send("Page.startScreencast", {"format": "jpeg", "quality": 90, "maxWidth": script.size[0], "maxHeight": script.size[1]})
    start = time.time()
    hand = Hand(page, script.size, pace, seed)
    await hand.wait(OPENING_SECONDS)
    for step, action in enumerate(script.actions, 1):
        try:
            await hand.act(action)
        except DataError as error:
            raise DataError(f"action {step} ({action.type}): {error}", hint=error.hint) from error
    await hand.wait(CLOSING_SECONDS)
    end = time.time()
    await camera.send("Page.stopScreencast")
    await asyncio.gather(*acknowledged, return_exceptions=True)
    return Film(script.size, frames, hand.pointers, hand.clicks, start, end)
