"""The disk: whether the results and temporary files of a run find room."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from iwr.doctor.result import CheckResult, DoctorContext
from iwr.records import Task
from iwr.runs.files import existing

RECORDS_BYTES = 1e8
"""Of a run besides screenshots: records, logs, caches of metrics."""
SERVER_BYTES = 1e9
BROWSER_BYTES = 2e8
"""Temporary files: compile caches, profiles."""
COPIES = 2
"""Of each screenshot: the report may copy them."""


def space(context: DoctorContext) -> Iterator[CheckResult]:
    """Check the folders of the runs and of temporary files."""
    root = Path(context.config.run.root).expanduser().absolute()
    fix = "choose another run.root, or free space"
    size = run_bytes(context.loaded.tasks, len(context.models))
    yield _folder_result("run.root", root, size, fix)
    temporary_bytes = SERVER_BYTES if context.served else BROWSER_BYTES
    fix = "set IWR_TMP to another folder, or free space"
    yield _folder_result("temporary", temporary_folder(context), temporary_bytes, fix)


def temporary_folder(context: DoctorContext) -> Path:
    """Return the folder for temporary files, as the settings of the environment have it."""
    return Path(context.environment.temporary or tempfile.gettempdir())


def run_bytes(tasks: Sequence[Task], models: int) -> float:
    """Estimate the size of a run, in bytes, from the screenshots of its tasks."""
    screenshots = 0
    screenshot_bytes = 0
    states = 0
    for task in tasks:
        states += len(task.actions) + 1
        for path in task.checkpoints.values():
            screenshots += 1
            screenshot_bytes += path.stat().st_size
    mean = screenshot_bytes / max(screenshots, 1)
    return states * models * mean * COPIES + RECORDS_BYTES


def _folder_result(check: str, folder: Path, needed: float, fix: str) -> CheckResult:
    """Check that files can be written, locked and kept in `folder`, which may not exist yet.

    `needed`: bytes.
    """
    parent = existing(folder)
    try:
        with tempfile.TemporaryFile(dir=parent) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = shutil.disk_usage(parent).free
    except OSError as error:
        fix = f"{fix}; it must be writable and support file locks"
        return CheckResult(check, "fail", f"{parent}: {error.strerror}", fix)
    status = "ok"
    if free < needed:
        status = "fail"
    elif free < 2 * needed:
        status = "warn"
    return CheckResult(
        check,
        status,
        f"{folder}: {free / 1e9:.1f} GB free, about {needed / 1e9:.1f} needed",
        fix,
    )
