"""The only way in and out of a page: answers requests from its site, refuses and counts everything else.

Interception alone does not isolate (workers, error pages, downloads and WebRTC pass it by); the flags in sandbox.py,
which leave the browser without a network, are the other half.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from iwr.browser.site import ORIGIN, Reply, Site, serve

if TYPE_CHECKING:
    from playwright.async_api import (
        BrowserContext,
        Dialog,
        Download,
        Page,
        Request,
        Route,
        WebSocketRoute,
    )

MOST_REQUESTS = 1_000  # later ones are never answered
MOST_DIALOGS = 50  # the page then waits for ever, and the caller's deadline ends it


class RequestInterceptor:
    """One page's network. `refused` counts by kind: the resource type, or file, popup, download, websocket."""

    def __init__(self, site: Site, most_bytes: int):
        self.site = site
        self.document = site.document(most_bytes)
        self.refused: Counter[str] = Counter()
        self.in_flight = 0  # requests that arrived and are not answered yet
        self._requests = 0
        self._dialogs = 0
        self._page: Page | None = None

    async def guard(self, context: BrowserContext) -> None:
        await context.route("**/*", self._answer)
        await context.route_web_socket("**/*", self._close_socket)

    def watch(self, context: BrowserContext, page: Page) -> None:
        self._page = page
        context.on("page", self._close_popup)
        page.on("dialog", self._accept)
        page.on("download", self._cancel)

    async def _answer(self, route: Route, request: Request) -> None:
        self._requests += 1
        if self._requests > MOST_REQUESTS:
            self.refused[request.resource_type] += 1
            return
        self.in_flight += 1
        try:
            await self._reply(route, request)
        finally:
            self.in_flight -= 1

    async def _reply(self, route: Route, request: Request) -> None:
        reply = self._look_up(request)
        with (
            _playwright_errors_ignored()
        ):  # the page may be gone already; an error raised here would surface in an unrelated call
            if reply:
                await route.fulfill(status=reply.status, headers=reply.headers, body=reply.body)
            else:
                # an aborted navigation leaves the page where it is, a failed one would show the browser's error page
                await route.abort(
                    "aborted" if request.is_navigation_request() else "blockedbyclient"
                )

    def _look_up(self, request: Request) -> Reply | None:
        url = urlsplit(request.url)
        if f"{url.scheme}://{url.netloc}" != ORIGIN:
            self.refused[
                "navigation" if request.is_navigation_request() else request.resource_type
            ] += 1
            return None
        if url.path in ("/", "/index.html"):
            return Reply(
                200,
                {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"},
                self.document,
            )
        file = self.site.asset(request.url)
        if file:
            return serve(file, request.headers.get("range"))
        self.refused["file"] += 1
        return (
            None
            if request.is_navigation_request()
            else Reply(404, {"content-type": "text/plain"}, b"")
        )

    async def _close_socket(self, socket: WebSocketRoute) -> None:
        self.refused["websocket"] += 1
        with _playwright_errors_ignored():
            await socket.close()

    async def _close_popup(self, page: Page) -> None:
        if page is not self._page:
            self.refused["popup"] += 1
            with _playwright_errors_ignored():
                await page.close()

    async def _cancel(self, download: Download) -> None:
        self.refused["download"] += 1
        with _playwright_errors_ignored():
            await download.cancel()

    async def _accept(self, dialog: Dialog) -> None:
        self._dialogs += 1
        if self._dialogs <= MOST_DIALOGS:
            with _playwright_errors_ignored():
                await dialog.accept(dialog.default_value)


def _playwright_errors_ignored():
    from contextlib import suppress

    from playwright.async_api import Error

    return suppress(Error)
