"""Progress of long stages: a bar with rate and time left on a terminal, plain lines elsewhere (SLURM logs, CI)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

QUIET = 10.0  # seconds

Step = Callable[[str], None]
"""Call it once for each finished item, with a few words about that item."""

Progress = Callable[[str, int], AbstractContextManager[Step]]
"""`with progress(label, total) as step:` — what stages are given, so they never know where they print."""


@contextmanager
def show(label: str, total: int) -> Iterator[Step]:
    """Progress on standard error, as fits where it goes."""
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
    """A line an item; where items only repeat the words of the last line, one every QUIET seconds."""
    started, done = time.monotonic(), 0
    said, words = -QUIET, ""

    def step(note: str) -> None:
        nonlocal done, said, words
        done += 1
        seconds = time.monotonic() - started
        if note == words and done < total and seconds - said < QUIET:
            return
        said, words = seconds, note
        left = (
            f", {seconds / done * (total - done):.0f} s left"
            if done < total
            else f", {seconds:.0f} s"
        )
        print(f"{label} {done}/{total}: {note}{left}", file=sys.stderr, flush=True)

    yield step
