"""The only way in and out of a page: requests to its site are answered, all others refused.

Interception alone does not isolate (workers, error pages, downloads and WebRTC bypass it). The
flags in launch.py, which leave the browser without a network, are the other half.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from iwr.browser.dialogs import DialogHandler
from iwr.browser.site import ORIGIN, Response, Site, serve

if TYPE_CHECKING:
    from playwright.async_api import (
        BrowserContext,
        Download,
        Page,
        Request,
        Route,
        WebSocketRoute,
    )

MOST_REQUESTS = 1_000  # later ones are never answered
HTML = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
NOT_FOUND = Response(404, {"content-type": "text/plain"}, b"")


class RequestInterceptor:
    """One page's network.

    `refused` counts by kind: the resource type, or file, popup, download, websocket.
    """

    def __init__(self, site: Site, most_bytes: int):
        self.site = site
        self.document = site.document(most_bytes)
        self.dialogs = DialogHandler()
        self.refused: Counter[str] = Counter()
        self.in_flight = 0  # requests that arrived and are not answered yet
        self._requests = 0
        self._page: Page | None = None

    async def install(self, context: BrowserContext) -> None:
        """Answer all requests of the context's pages. To be called before a page is opened."""
        await context.route("**/*", self._handle)
        await context.route_web_socket("**/*", self._close_socket)

    def watch(self, context: BrowserContext, page: Page) -> None:
        """Close pop-ups of `page`, answer its dialogs and cancel its downloads."""
        self._page = page
        context.on("page", self._close_popup)
        page.on("dialog", self.dialogs.handle)
        page.on("download", self._cancel)

    async def _handle(self, route: Route, request: Request) -> None:
        self._requests += 1
        if self._requests > MOST_REQUESTS:
            self.refused[request.resource_type] += 1
            return
        self.in_flight += 1
        try:
            await self._answer(route, request)
        finally:
            self.in_flight -= 1

    async def _answer(self, route: Route, request: Request) -> None:
        response = self._look_up(request)
        # the page may be gone; an error raised here would surface in an unrelated call
        with _playwright_errors_ignored():
            if response:
                status, headers, body = response
                await route.fulfill(status=status, headers=headers, body=body)
            elif request.is_navigation_request():
                # "aborted" leaves the page where it is; others show the browser's error page
                await route.abort("aborted")
            else:
                await route.abort("blockedbyclient")

    def _look_up(self, request: Request) -> Response | None:
        """Return the site's response to a request; None refuses it."""
        url = urlsplit(request.url)
        navigates = request.is_navigation_request()
        if f"{url.scheme}://{url.netloc}" != ORIGIN:
            kind = "navigation" if navigates else request.resource_type
            self.refused[kind] += 1
            return None
        if url.path in ("/", "/index.html"):
            return Response(200, HTML, self.document)
        file = self.site.asset(request.url)
        if file:
            return serve(file, request.headers.get("range"))
        self.refused["file"] += 1
        return None if navigates else NOT_FOUND

    async def _close_socket(self, socket: WebSocketRoute) -> None:
        self.refused["websocket"] += 1
        with _playwright_errors_ignored():
            await socket.close()

    async def _close_popup(self, page: Page) -> None:
        if page is self._page:
            return
        self.refused["popup"] += 1
        with _playwright_errors_ignored():
            await page.close()

    async def _cancel(self, download: Download) -> None:
        self.refused["download"] += 1
        with _playwright_errors_ignored():
            await download.cancel()


def _playwright_errors_ignored() -> suppress:
    from playwright.async_api import Error

    return suppress(Error)
