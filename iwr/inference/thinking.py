"""Drop what a model thought before it answered, whatever marks its family uses.

A mark inside of a page is text of that page: only marks before the first page open a thought.
"""

from __future__ import annotations

import re

from iwr.errors import GenerationError
from iwr.inference.documents import END_TAG, START_TAG

FIRST_MARK = re.compile(
    r"(?P<page>`{3,}|~{3,}|<!doctype\s+html|<html[\s>])"
    r"|<(?P<tag>think|thinking|analysis|reasoning)>"
    r"|◁(?P<kimi>think)▷",
    re.IGNORECASE,
)
STRUCTURE = re.compile(
    r"(?P<closing></think>|◁/think▷)"
    rf"|(?P<start>{START_TAG})|{END_TAG}"
    r"|^[ \t]*(?:`{3,}|~{3,})[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
"""Closing marks, and where a document begins and ends: a closing fence ends it, too."""


def without_thinking(reply: str) -> str:
    """Return the part of a reply behind its thoughts.

    Raise GenerationError when a thought is not closed.
    """
    text = reply[_end_of_marked_thoughts(reply) :]
    return text[_end_of_unmarked_thought(text) :]


def _end_of_marked_thoughts(reply: str) -> int:
    """Return where the last thought ends that precedes the first page."""
    end = 0
    while True:
        mark = FIRST_MARK.search(reply, end)
        if mark is None or mark["page"]:
            return end
        closing = f"</{mark['tag']}>" if mark["tag"] else "◁/think▷"
        place = reply.find(closing, mark.end())
        if place < 0:
            raise GenerationError(f"the reply ends while still thinking ({mark[0]} is not closed)")
        end = place + len(closing)


def _end_of_unmarked_thought(text: str) -> int:
    """Return where a thought ends that the chat template opened, so that it has no opening mark.

    A closing mark inside of a document belongs to that document, unless another one begins before
    the document ends: then it was a draft.
    """
    end = 0
    pending = 0  # end of a closing mark inside of a document
    is_open = False
    for match in STRUCTURE.finditer(text):
        if match["closing"]:
            if is_open:
                pending = match.end()
            else:
                end = match.end()
            continue
        is_open = match["start"] is not None
        if is_open and pending:
            end = pending
        pending = 0
    return end
