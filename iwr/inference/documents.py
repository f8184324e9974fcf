"""Where HTML documents begin and end in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

START_TAG = r"<!doctype\s+html|<html[\s>]"
END_TAG = r"</html\s*>"
START = re.compile(START_TAG, re.IGNORECASE)
BEGINS_WITH_START = re.compile(rf"\s*(?:<!--.*?-->\s*)*(?:{START_TAG})", re.IGNORECASE | re.DOTALL)
# a script may hold tags in strings; a line of fence marks ends it, because the reply goes on there
SCRIPT = r"<script\b.*?(?:</script\s*>|^[ \t]*(?:`{3}|~{3})|\Z)"
STRUCTURE = re.compile(
    rf"(?:{SCRIPT})|(?P<start>{START_TAG})|(?P<end>{END_TAG})",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)


class Span(NamedTuple):
    """A part of a text, as a slice."""

    start: int
    end: int


def has_start(text: str) -> bool:
    """Return whether a document begins somewhere in `text`."""
    return START.search(text) is not None


def begins(text: str) -> bool:
    """Return whether `text` is a document from its beginning; comments may precede it."""
    return BEGINS_WITH_START.match(text) is not None


def end_of_last(text: str) -> int | None:
    """Return where the last document in `text` ends, None when no end tag is outside of scripts."""
    end = None
    for match in STRUCTURE.finditer(text):
        if match["end"]:
            end = match.end()
    return end


def whole_documents(text: str) -> Iterator[Span]:
    """Yield the documents that end before another one begins."""
    start = None
    for match in STRUCTURE.finditer(text):
        if match["start"]:
            start = match.start()
        elif match["end"] and start is not None:
            yield Span(start, match.end())
            start = None
