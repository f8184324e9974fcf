"""Compile caches, kept from one server to the next of the same model, vLLM and kind of GPU.

To compile takes minutes of each start. A cache names files by their full paths, so it cannot be
copied; it belongs to one server at a time, behind a lock that ends with the process. Servers that
run at once get caches of their own, by number. A cache is trusted when its server came up: what a
start leaves that was killed in the middle is thrown away.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from iwr.digests import digest

log = logging.getLogger(__name__)

MOST = 8  # caches of one model that are kept, so servers at once that find one
MARK = "whole"


class CompileCache:
    """A folder that this process alone uses until `release`."""

    def __init__(self, folder: Path, lock: FileLock):
        self.folder = folder
        self._lock = lock

    def trust(self) -> None:
        """Tell that the server is up, so that all of the cache is written."""
        (self.folder / MARK).touch()

    def release(self) -> None:
        """Let other processes use it."""
        self._lock.release()


def claim(root: Path, *parts: str) -> CompileCache | None:
    """Return a cache below `root` for what `parts` name; None when all are taken or none can be.

    The file system may refuse folders or locks.
    """
    name = digest(*parts)[:16]
    for number in range(MOST):
        folder = root / f"{name}-{number}"
        lock = FileLock(f"{folder}.lock")
        try:
            root.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
            _clean(folder)
        except Timeout:
            continue
        except OSError as error:
            lock.release()
            log.warning("compile caches are not kept: %s", error)
            return None
        return CompileCache(folder, lock)
    return None


def _clean(folder: Path) -> None:
    """Empty a folder that is not whole, and mark it as in use."""
    mark = folder / MARK
    if not mark.exists():
        shutil.rmtree(folder, ignore_errors=True)
    mark.unlink(missing_ok=True)
    folder.mkdir(exist_ok=True)
