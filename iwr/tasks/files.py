"""The files of one task: each exists, is inside the task's folder, and is what its name says."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from iwr.errors import DataError

STITCHED_FILE = re.compile(r"stitched_image.*\.(png|jpe?g)", re.IGNORECASE)
MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
LARGEST_WHOLE = 4 << 20
"""Bytes; larger files are sampled, see `content_digest`."""
BLOCK = 256 << 10
BLOCKS = 16
TAIL = 4096
"""Bytes at the end of an image in which its end mark is looked for."""


class FileError(DataError):
    """A file of a task cannot be used. `step` counts from 1, `field` is one of the task's line."""

    def __init__(
        self,
        file: Path,
        message: str,
        *,
        step: int | None = None,
        field: str | None = None,
    ):
        super().__init__(message)
        self.file = file
        self.step = step
        self.field = field


def content_digest(path: Path) -> str:
    """Return the sha256 of a file's size and content.

    Of a file above 4 MiB, 16 blocks of 256 KiB spread over it, both ends included, stand for the
    content. A video's index is at one of its ends and changes with any new encoding, so different
    recordings have different digests, while 2.7 GB of data are checked in a second.
    """
    size = path.stat().st_size
    sha = hashlib.sha256(size.to_bytes(8, "big"))
    with path.open("rb") as file:
        if size <= LARGEST_WHOLE:
            sha.update(file.read())
            return sha.hexdigest()
        for index in range(BLOCKS):
            file.seek((size - BLOCK) * index // (BLOCKS - 1))
            sha.update(file.read(BLOCK))
    return sha.hexdigest()


def inside(
    folder: Path,
    path: Path,
    *,
    empty: bool = False,
    step: int | None = None,
    field: str | None = None,
) -> Path:
    """Return `path` if it is a regular file inside the task's folder, links followed.

    `empty` allows a file without content. Raises FileError otherwise.
    """
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        missing = "is missing; add the file"
        raise FileError(
            path,
            missing,
            step=step,
            field=field,
        ) from error
    message = ""
    if not real.is_relative_to(folder.resolve()):
        message = (
            "leads out of the task's folder; put the file itself there "
            "(`cp -rL` replaces links by files)"
        )
    elif not real.is_file():
        message = "is not a regular file"
    elif not empty and real.stat().st_size == 0:
        message = "is empty; copy the file again"
    if message:
        raise FileError(
            path,
            message,
            step=step,
            field=field,
        )
    return path


def check_video(folder: Path, video: Path) -> None:
    """Raise FileError unless `video` begins like an MP4.

    To decode every recording would take minutes: `iwr validate` does, see `recordings`.
    """
    try:
        with inside(folder, video).open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise FileError(video, f"cannot be read: {error.strerror}") from error
    if head[4:8] not in MP4_BOXES:
        raise FileError(video, "is not an MP4 video; convert the recording to MP4")


def check_image(path: Path, *, step: int | None = None) -> None:
    """Raise FileError for an image whose header or end is broken.

    To decode every image would take minutes.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            kind = image.format
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            tail = file.read()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        message = "cannot be read as an image; copy the file again"
        raise FileError(path, message, step=step) from error
    if kind == "PNG" and b"IEND" not in tail:
        message = "is cut off (PNG without its end); copy the file again"
        raise FileError(path, message, step=step)


def stitched_of(folder: Path) -> tuple[Path, ...]:
    """Return the overview images of the assets, in the order of the numbers in their names."""
    candidates = (folder / "stitched_assets").glob("*")
    matches = [path for path in candidates if STITCHED_FILE.fullmatch(path.name)]
    paths = sorted(matches, key=_by_numbers)
    for path in paths:
        check_image(inside(folder, path))
    return tuple(paths)


def _by_numbers(path: Path) -> list[tuple[int, int | str]]:
    """Return a sort key that puts `image_10` after `image_9`."""
    key: list[tuple[int, int | str]] = []
    for part in re.split(r"(\d+)", path.name):
        if part.isdigit():
            key.append((0, int(part)))
        else:
            key.append((1, part))
    return key


def assets_of(folder: Path, assets: Path) -> list[Path]:
    """Return every file below `assets`. A file may be empty; no link may lead out."""
    if assets.is_symlink():
        inside(folder, assets)
    files = []
    for name, folders, names in os.walk(assets):
        parent = Path(name)
        linked_folders = [child for child in folders if (parent / child).is_symlink()]
        for child in names + linked_folders:
            files.append(inside(folder, parent / child, empty=True))
    return sorted(files)


def optional_file(folder: Path, name: str) -> Path | None:
    """Return a file that a task need not have."""
    path = folder / name
    if not path.is_file():
        return None
    return inside(folder, path)


def contents_of(folder: Path, files: Iterable[Path]) -> dict[str, str]:
    """Return the digest of each file by its name in the folder. Raises FileError."""
    contents = {}
    try:
        for file in dict.fromkeys(files):
            contents[file.relative_to(folder).as_posix()] = content_digest(file)
    except OSError as error:
        place = Path(error.filename or folder)
        raise FileError(place, f"cannot be read: {error.strerror}") from error
    return contents
