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
from iwr.browser.events import EventLog
from iwr.browser.inlined import Document, moved_out
from iwr.browser.site import ORIGIN, Response, Site, serve, too_large

if TYPE_CHECKING:
    from playwright.async_api import (
        BrowserContext,
        Download,
        Page,
        Request,
        Route,
        WebSocketRoute,
    )

MOST_WITH_MEDIA = 10  # times as large as a page alone may be
MOST_REQUESTS = 1_000  # later ones are never answered
HTML = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
NOT_FOUND = Response(404, {"content-type": "text/plain"}, b"")


class RequestInterceptor:
    """One page's network.

    `refused` counts by kind: the resource type, or file, popup, download, websocket. `log` has the
    addresses, and what the page writes to its console.
    """

    def __init__(self, site: Site, most_bytes: int):
        self.site = site
        self.document = _document(site, most_bytes)
        self.dialogs = DialogHandler()
        self.log = EventLog()
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
        self.log.watch(page)

    async def _handle(self, route: Route, request: Request) -> None:
        """Answer or refuse one request, and count those that are under way."""
        self._requests += 1
        if self._requests > MOST_REQUESTS:
            self._refuse(request.resource_type, request.url)
            return
        self.in_flight += 1
        try:
            await self._answer(route, request)
        finally:
            self.in_flight -= 1

    async def _answer(self, route: Route, request: Request) -> None:
        """Answer one request with what the site has."""
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
        origin = f"{url.scheme}://{url.netloc}"
        navigates = request.is_navigation_request()
        if origin != ORIGIN:
            kind = request.resource_type
            if navigates:
                kind = "navigation"
            self._refuse(kind, request.url)
            return None
        if url.path in ("/", "/index.html"):
            return Response(200, HTML, self.document.html)
        if url.path in self.document.media:
            return self.document.media[url.path]
        file = self.site.asset(request.url)
        if file:
            byte_range = request.headers.get("range")
            return serve(file, byte_range)
        self._refuse("file", request.url)
        if navigates:
            return None
        return NOT_FOUND

    def _refuse(self, kind: str, url: str) -> None:
        """Count a request that is refused, and keep its address."""
        self.refused[kind] += 1
        self.log.add(f"refused {kind}", url)

    async def _close_socket(self, socket: WebSocketRoute) -> None:
        """Refuse a web socket."""
        self._refuse("websocket", socket.url)
        with _playwright_errors_ignored():
            await socket.close()

    async def _close_popup(self, page: Page) -> None:
        """Close a window that the page opened."""
        if page is self._page:
            return
        self._refuse("popup", page.url)
        with _playwright_errors_ignored():
            await page.close()

    async def _cancel(self, download: Download) -> None:
        """Cancel a download, and count it."""
        self._refuse("download", download.url)
        with _playwright_errors_ignored():
            await download.cancel()


def _document(site: Site, most: int) -> Document:
    """Return the page as it is served. Raises PageError where it has more than `most` bytes.

    Large media inside the page do not count: they are served on their own.
    """
    source = site.document(MOST_WITH_MEDIA * most)
    if len(source) <= most:
        return Document(source, {})
    document = moved_out(source)
    if len(document.html) > most:
        raise too_large(len(document.html), most)
    return document


def _playwright_errors_ignored() -> suppress:
    """Return a context that drops what Playwright raises once a page is gone."""
    from playwright.async_api import Error

    return suppress(Error)
