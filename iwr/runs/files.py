"""Files written whole or not at all, under a temporary name first; locks between processes."""

from __future__ import annotations

import logging
import os
import re
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from filelock import BaseFileLock, FileLock, Timeout
from pydantic import ValidationError

from iwr.errors import DataError
from iwr.records import Record

log = logging.getLogger(__name__)


R = TypeVar("R", bound=Record)


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write `data` to `path` whole or not at all. Raise DataError when the disk refuses."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    temporary = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise DataError(
            f"cannot write {path}: {error.strerror}",
            hint="free disk space or choose another run.root",
        ) from error


def existing(folder: Path) -> Path:
    """Return `folder` or the nearest one above it that exists: the disk that its files will use."""
    folder = folder.absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder


def part_of(path: Path) -> Path:
    """Return a name beside `path` for an unfinished file, which no other process uses."""
    host = socket.gethostname()
    process = os.getpid()
    unique = uuid.uuid4().hex[:8]
    return path.with_name(f".{path.name}.{host}-{process}.{unique}.part")


def clear_parts(folder: Path) -> None:
    """Delete the unfinished files in `folder` whose writers, processes of this host, are gone."""
    host = re.escape(socket.gethostname())
    own_part = re.compile(rf"\..*\.{host}-(\d+)\.[^.]+\.part")
    for place, _, names in os.walk(folder):
        for name in names:
            owner = own_part.fullmatch(name)
            if owner and not Path("/proc", owner[1]).exists():
                Path(place, name).unlink(missing_ok=True)


@contextmanager
def exclusive(locks: Sequence[Path]) -> Iterator[None]:
    """Hold all `locks`, waiting for other holders. The end of the process releases them.

    Raise DataError where the file system refuses.
    """
    with ExitStack() as stack:
        for path in sorted(locks):
            lock = _acquire(path)
            stack.callback(lock.release)
        yield


def _acquire(path: Path) -> BaseFileLock:
    """Take a lock, waiting for it as long as it takes. Raise DataError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("waiting: another process works on %s", path.stem)
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        raise DataError(
            f"cannot lock {path}: {error}",
            hint="run.root must be writable and support file locks",
        ) from error
    return lock


def is_locked(path: Path) -> bool:
    """Return whether a process holds this lock now."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def write_record(path: Path, record: Record) -> None:
    """Write `record` as JSON, whole or not at all. Raise DataError when the disk refuses."""
    write_atomic(path, record.model_dump_json(indent=1) + "\n")


def read_record(path: Path, kind: type[R]) -> R | None:
    """Return the record at `path`, None if there is none. Raise DataError when it is damaged."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: not a valid {kind.__name__}: {_first_fault(error)}",
            hint="delete the file and run again",
        ) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _first_fault(error: ValidationError | UnicodeDecodeError) -> str:
    """Return "field: message" for the first field that is not valid."""
    if isinstance(error, UnicodeDecodeError):
        return f"file: {error}"
    fault = error.errors()[0]
    field = ".".join(map(str, fault["loc"])) or "file"
    return f"{field}: {fault['msg']}"


def readable(path: Path, kind: type[R]) -> R | None:
    """Return the record at `path`; None, with a warning, when it is damaged and must be redone."""
    try:
        return read_record(path, kind)
    except DataError as error:
        log.warning("%s; it will be made again", error)
        return None


def whole_png(path: Path) -> bool:
    """Return whether a PNG file is complete, from its first to its last bytes."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(-12, os.SEEK_END)
            end = file.read()
    except OSError:
        return False
    return start == b"\x89PNG\r\n\x1a\n" and end[4:8] == b"IEND"
