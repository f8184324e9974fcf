"""Progress of long stages: a bar with the time left on a terminal, plain lines in logs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rich.progress

QUIET = 10.0  # seconds

Step = Callable[[str], None]
"""Call it once for each finished item, with a few words about that item."""

Progress = Callable[[str, int], AbstractContextManager[Step]]
"""`with progress(label, total) as step:` is how a stage reports, wherever that is printed."""


@contextmanager
def show(label: str, total: int) -> Iterator[Step]:
    """Show progress on standard error: a bar on a terminal, lines elsewhere."""
    with _bar(label, total) if sys.stderr.isatty() else _lines(label, total) as step:
        yield step


@contextmanager
def silent(label: str, total: int) -> Iterator[Step]:
    """Show nothing."""
    yield lambda note: None


class _Display:
    """All bars of this process, one a line: a terminal has room for one moving display."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bars = 0
        self._progress: rich.progress.Progress | None = None

    @contextmanager
    def shared(self) -> Iterator[rich.progress.Progress]:
        """Show the bars until the last of those who share them has finished."""
        with self._lock:
            self._bars += 1
            if self._progress is None:
                self._progress = _bars()
                self._progress.start()
            progress = self._progress
        try:
            yield progress
        finally:
            with self._lock:
                self._bars -= 1
                if not self._bars:
                    progress.stop()
                    self._progress = None


_display = _Display()


@contextmanager
def _bar(label: str, total: int) -> Iterator[Step]:
    """Show a bar on the terminal."""
    with _display.shared() as bars:
        task = bars.add_task(label, total=total, note="")
        yield lambda note: bars.update(task, advance=1, note=note)


def _bars() -> rich.progress.Progress:
    """Return an empty display of bars on standard error."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    return Progress(*columns, console=Console(stderr=True), transient=False)


@contextmanager
def _lines(label: str, total: int) -> Iterator[Step]:
    """Print a line for each item; where notes repeat, only one every QUIET seconds."""
    start = time.monotonic()
    last_line = -QUIET
    last_note = ""
    count = 0

    def step(note: str) -> None:
        nonlocal count, last_line, last_note
        count += 1
        seconds = time.monotonic() - start
        repeats = note == last_note and count < total
        if repeats and seconds - last_line < QUIET:
            return
        last_line = seconds
        last_note = note
        remaining = f"{seconds:.0f} s"
        if count < total:
            remaining = f"{seconds / count * (total - count):.0f} s left"
        print(f"{label} {count}/{total}: {note}, {remaining}", file=sys.stderr, flush=True)

    yield step
