"""What a page under test may load: itself, its task's assets, and the files it brings along."""

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
    """The answer to one request of a page."""

    status: int  # of HTTP
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Site:
    """The files of one page under test, read when the page asks for them.

    Nothing outside of its folders is served, and nothing through links.
    """

    page: Path  # index.html
    assets: Path | None = None  # folder; its files appear under /assets/
    beside: Path | None = None  # folder; its files appear beside the page

    def document(self, most: int) -> bytes:
        """Return the page with the placeholder of the assets' folder resolved.

        Raises PageError above `most` bytes, DataError when the page cannot be read.
        """
        try:
            size = self.page.stat().st_size
            if size > most:
                raise too_large(size, most)
            source = self.page.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {self.page}: {error.strerror}") from error
        return _resolved(source)

    def asset(self, url: str) -> Path | None:
        """Return the file behind a URL.

        None for anything but a regular file inside the assets folder or beside the page, reached
        without `..` or links.
        """
        parts = urlsplit(url)
        path = unquote(parts.path)
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN or "\0" in path:
            return None
        asset = path.removeprefix("/assets/")
        if asset != path:
            file = _inside(self.assets, asset)
            if file:
                return file
        return _inside(self.beside, path.removeprefix("/"))


def too_large(size: int, most: int) -> PageError:
    """Return the error for a page of so many bytes."""
    return PageError(
        f"the page has {size:,} bytes; at most {most:,} are opened",
        hint="photos that are written into the page do not count; browser.page_bytes raises this",
    )


def _inside(folder: Path | None, name: str) -> Path | None:
    """Return the regular file of this name in a folder, reached without `..` or links."""
    names = name.split("/")
    if folder is None or not {"", ".", ".."}.isdisjoint(names):
        return None
    file = folder.resolve().joinpath(*names)
    if not file.is_file() or file.resolve() != file:
        return None
    return file


def serve(file: Path, byte_range: str | None) -> Response:
    """Return a file, or the part of it that a Range header names (media is read in pieces).

    Raises OSError when the file cannot be read.
    """
    kind, _ = mimetypes.guess_type(file.name)
    headers = {
        "content-type": kind or "application/octet-stream",
        "accept-ranges": "bytes",
        "cache-control": "no-store",
    }
    match = RANGE.fullmatch(byte_range or "")
    if match is None:
        return _serve_whole(file, headers)
    return _serve_part(file, match, headers)


def _serve_part(file: Path, byte_range: re.Match[str], headers: dict[str, str]) -> Response:
    """Return the bytes from the first to the last one of a range, both included.

    A range without an end goes to the end of the file; long ones are cut, players ask again.
    """
    size = file.stat().st_size
    start = int(byte_range[1])
    last = size - 1
    if byte_range[2]:
        last = min(int(byte_range[2]), last)
    last = min(last, start + RANGE_BYTES - 1)
    if start > last:
        headers["content-range"] = f"bytes */{size}"
        return Response(416, headers, b"")
    with file.open("rb") as stream:
        stream.seek(start)
        body = stream.read(last - start + 1)
    headers["content-range"] = f"bytes {start}-{last}/{size}"
    return Response(206, headers, body)


def _serve_whole(file: Path, headers: dict[str, str]) -> Response:
    """Return a whole file, or that it is too large. Placeholders in texts are resolved."""
    size = file.stat().st_size
    if size > LARGEST_FILE:
        return Response(413, headers, b"")
    body = file.read_bytes()
    if headers["content-type"].startswith("text/"):  # style sheets and scripts, too
        body = _resolved(body)
    return Response(200, headers, body)


def _resolved(source: bytes) -> bytes:
    """Return a text with the placeholder of the assets' folder resolved."""
    return source.replace(PLACEHOLDER, f"{ORIGIN}/assets".encode())
