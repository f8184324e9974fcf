"""Media that a page holds inside itself, moved out before it is served.

A large body jams the browser's driver, so photos that are written into a large page become files.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from iwr.browser.site import LARGEST_FILE, ORIGIN, Response

MEDIA = re.compile(
    rb"data:((?:image|video|audio|font)/[\w.+-]+);base64,([A-Za-z0-9+/]{100000,}={0,2})"
)
PATH = "/inlined/"


class Document(NamedTuple):
    """A page as it is served, and the media that were moved out of it, by path."""

    html: bytes
    media: dict[str, Response]


def moved_out(source: bytes) -> Document:
    """Return a page whose large media are files of its own origin."""
    media: dict[str, Response] = {}

    def replace(match: re.Match[bytes]) -> bytes:
        body = _decoded(match[2])
        if body is None or len(body) > LARGEST_FILE:
            return match[0]
        path = f"{PATH}{len(media) + 1}"
        headers = {"content-type": match[1].decode(), "cache-control": "no-store"}
        media[path] = Response(200, headers, body)
        return f"{ORIGIN}{path}".encode()

    html = MEDIA.sub(replace, source)
    return Document(html, media)


def _decoded(text: bytes) -> bytes | None:
    """Return what base64 stands for; None where it is damaged."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
