"""What a page complains of and asks for in vain: console messages, errors, refused requests.

The texts are the page's: hostile, so they are cut, and after MOST_EVENTS nothing is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.records import PageEvent

if TYPE_CHECKING:
    from playwright.async_api import ConsoleMessage, Page

MOST_EVENTS = 100
LONGEST = 500  # characters of one text
KEPT = ("error", "warning")
LOAD_FAILURE = "Failed to load resource"  # Chromium's words for a request that is kept by itself


class EventLog:
    """The events of one page, in their order. `step` is the step that they belong to."""

    def __init__(self) -> None:
        self.step = 0
        self.events: list[PageEvent] = []

    def add(self, kind: str, text: str) -> None:
        """Keep an event of the current step."""
        if len(self.events) < MOST_EVENTS:
            # a page may log halves of surrogate pairs, which no file can hold
            words = text[:LONGEST].encode("utf-8", "replace").decode()
            event = PageEvent(step=self.step, kind=kind, text=words)
            self.events.append(event)

    def watch(self, page: Page) -> None:
        """Keep what `page` writes to its console; js/guard.js writes uncaught errors there."""
        page.on("console", self._note_message)

    def _note_message(self, message: ConsoleMessage) -> None:
        """Keep a console message that is of a kept kind and not about a refused address."""
        text = message.text
        if message.type in KEPT and not text.startswith(LOAD_FAILURE):
            self.add(message.type, text)
