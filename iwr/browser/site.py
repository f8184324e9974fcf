"""What a page under test may load: itself and the files in its task's assets folder."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from iwr.errors import DataError, PageError

ORIGIN = "https://task.local"
PLACEHOLDER = b"__PLACEHOLDER_ASSETS_BASE_DIR__"
LARGEST_FILE = 20_000_000  # bytes served at once; larger bodies jam the browser's driver
RANGE = re.compile(r"bytes=(\d+)-(\d*)")
RANGE_BYTES = 2_000_000  # most of a media file per request


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Site:
    page: Path  # index.html
    assets: Path | None = None  # folder; its files appear under /assets/

    def document(self, most: int) -> bytes:
        """Return the page with the placeholder of the assets' folder resolved.

        Raises PageError above `most` bytes, DataError when the page cannot be read.
        """
        try:
            size = self.page.stat().st_size
            if size > most:
                raise PageError(f"the page has {size:,} bytes; at most {most:,} are opened")
            source = self.page.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {self.page}: {error.strerror}") from error
        return source.replace(PLACEHOLDER, f"{ORIGIN}/assets".encode())

    def asset(self, url: str) -> Path | None:
        """Return the file behind a URL.

        None for anything but a regular file inside the assets folder, reached without `..` or
        links.
        """
        parts = urlsplit(url)
        path = unquote(parts.path)
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN or "\0" in path:
            return None
        if self.assets is None or not path.startswith("/assets/"):
            return None
        names = path.removeprefix("/assets/").split("/")
        if not {"", ".", ".."}.isdisjoint(names):
            return None
        file = self.assets.resolve().joinpath(*names)
        if not file.is_file() or file.resolve() != file:
            return None
        return file


def serve(file: Path, byte_range: str | None) -> Response:
    """Return a file, or the part of it that a Range header names (media is read in pieces)."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {"content-type": kind, "accept-ranges": "bytes", "cache-control": "no-store"}
    size = file.stat().st_size
    match = RANGE.fullmatch(byte_range or "")
    if match is None:
        return _serve_whole(file, size, headers)
    start = int(match[1])
    end = min(int(match[2] or size - 1), start + RANGE_BYTES - 1, size - 1)
    if start > end:
        return Response(416, headers | {"content-range": f"bytes */{size}"}, b"")
    with file.open("rb") as stream:
        stream.seek(start)
        body = stream.read(end - start + 1)
    return Response(206, headers | {"content-range": f"bytes {start}-{end}/{size}"}, body)


def _serve_whole(file: Path, size: int, headers: dict[str, str]) -> Response:
    if size > LARGEST_FILE:
        return Response(413, headers, b"")
    return Response(200, headers, file.read_bytes())
