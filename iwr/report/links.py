"""Pictures and recordings of a run in the folder of its report, as hard links where possible."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from iwr.errors import DataError
from iwr.runs.files import part_of


class Stamp(NamedTuple):
    """Tells two versions of a file apart without reading them."""

    size: int  # bytes
    modified: int  # ns


def stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file; None when there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns)


def link_or_copy(source: Path, target: Path) -> None:
    """Put `source` under the name `target`: a hard link, or a copy on another file system.

    Nothing happens when it is there already. Raises DataError when the disk refuses.
    """
    try:
        if stamp(source) == stamp(target):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = part_of(target)
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copy2(source, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise DataError(
            f"cannot put {source} into the report: {error.strerror}",
            hint="free disk space or move run.root",
        ) from error
