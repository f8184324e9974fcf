"""Native dialogs (alert, confirm, prompt, beforeunload) and their answers.

A native dialog blocks its page until it is answered. Unless an answer is planned, each is accepted
as it is: a confirm with OK, a prompt with the text that it already holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from playwright.async_api import Dialog

MOST_DIALOGS = 50  # the page then waits for ever, and the caller's deadline ends it


class DialogReply(NamedTuple):
    """To one dialog. `text` goes into a prompt; None keeps the text that the prompt holds."""

    accept: bool = True
    text: str | None = None


class OpenedDialog(NamedTuple):
    """A dialog that the page opened, and how it is answered."""

    kind: str  # alert | confirm | prompt | beforeunload
    message: str
    text: str  # in a prompt's field when it is answered
    reply: DialogReply


class DialogHandler:
    """Answers the dialogs of one page. `opened` are those since the last `plan`.

    `before_reply` runs while the dialog is open; a recording shows it to the viewer meanwhile.
    """

    def __init__(self) -> None:
        self.opened: list[OpenedDialog] = []
        self.before_reply: Callable[[OpenedDialog], Awaitable[None]] | None = None
        self._replies: deque[DialogReply] = deque()
        self._count = 0

    def plan(self, replies: Iterable[DialogReply] = ()) -> None:
        """Set the answers to the next dialogs, in the order in which they open."""
        self._replies = deque(replies)
        self.opened = []

    @property
    def unused(self) -> int:
        """How many planned answers no dialog has asked for yet."""
        return len(self._replies)

    async def handle(self, dialog: Dialog) -> None:
        """Answer a dialog of the page."""
        from playwright.async_api import Error

        self._count += 1
        if self._count > MOST_DIALOGS:
            return
        reply = self._replies.popleft() if self._replies else DialogReply()
        text = dialog.default_value if reply.text is None else reply.text
        opened = OpenedDialog(dialog.type, dialog.message, text, reply)
        self.opened.append(opened)
        with suppress(Error):  # the page may be gone
            if self.before_reply:
                await self.before_reply(opened)
            if reply.accept:
                await dialog.accept(text)
            else:
                await dialog.dismiss()
