"""What a page under test may load: itself and the files in its task's assets folder. Nothing else exists."""

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


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Site:
    page: Path  # index.html
    assets: Path | None = None  # folder; its files appear under /assets/

    def document(self, most: int) -> bytes:
        """The page with the assets' placeholder resolved. Raises PageError above `most` bytes, DataError when unreadable."""
        try:
            size = self.page.stat().st_size
            if size > most:
                raise PageError(f"the page has {size:,} bytes; at most {most:,} are opened")
            return self.page.read_bytes().replace(PLACEHOLDER, f"{ORIGIN}/assets".encode())
        except OSError as error:
            raise DataError(f"cannot read {self.page}: {error.strerror}") from error

    def asset(self, url: str) -> Path | None:
        """The file behind a URL; None for anything but a regular file inside the assets folder, reached without `..` or links."""
        parts = urlsplit(url)
        path = unquote(parts.path)
        if (
            f"{parts.scheme}://{parts.netloc}" != ORIGIN
            or not path.startswith("/assets/")
            or self.assets is None
            or "\0" in path
        ):
            return None
        names = path.removeprefix("/assets/").split("/")
        if any(name in ("", ".", "..") for name in names):
            return None
        root = self.assets.resolve()
        file = root.joinpath(*names)
        return file if file.is_file() and file.resolve() == file else None


def serve(file: Path, wanted: str | None) -> Reply:
    """A file, or the part of it that a Range header asks for (media files are read piece by piece)."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {"content-type": kind, "accept-ranges": "bytes", "cache-control": "no-store"}
    size = file.stat().st_size
    match = RANGE.fullmatch(wanted or "")
    if not match:
        return (
            Reply(200, headers, file.read_bytes())
            if size <= LARGEST_FILE
            else Reply(413, headers, b"")
        )
    start = int(match[1])
    end = min(int(match[2] or size - 1), start + RANGE_BYTES - 1, size - 1)
    if start > end:
        return Reply(416, headers | {"content-range": f"bytes */{size}"}, b"")
    with file.open("rb") as stream:
        stream.seek(start)
        return Reply(
            206,
            headers | {"content-range": f"bytes {start}-{end}/{size}"},
            stream.read(end - start + 1),
        )
