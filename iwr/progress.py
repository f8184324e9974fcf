"""Progress of long stages: a bar with the time left on a terminal, plain lines in logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

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
    yield lambda note: None


@contextmanager
def _bar(label: str, total: int) -> Iterator[Step]:
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
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(label, total=total, note="")
        yield lambda note: bar.update(task, advance=1, note=note)


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
