"""The operating system's view of a browser: find its processes, weigh them, end them. Linux only."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import ClassVar, NamedTuple

PROC = Path("/proc")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class Process(NamedTuple):
    pid: int
    parent: int
    group: int
    state: str  # Z: a zombie, already dead


def processes() -> list[Process]:
    pids = (int(entry.name) for entry in os.scandir(PROC) if entry.name.isdigit())
    return [process for pid in pids if (process := _process(pid))]


class _Recent:
    """Of a node with thousands of processes, several browsers share one look."""

    taken = -1.0
    processes: ClassVar[list[Process]] = []


def recent_processes(age: float = 1.0) -> list[Process]:
    """The processes as they were at most `age` seconds ago."""
    if time.monotonic() - _Recent.taken > age:
        _Recent.processes, _Recent.taken = processes(), time.monotonic()
    return _Recent.processes


def _process(pid: int) -> Process | None:
    try:
        fields = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:  # it ended meanwhile
        return None
    return Process(pid, int(fields[1]), int(fields[2]), fields[0])


def command_line(pid: int) -> list[str]:
    """Arguments of a process; [] when it is gone. Chromium's children join theirs with spaces."""
    try:
        return (PROC / str(pid) / "cmdline").read_text(errors="replace").replace("\0", " ").split()
    except OSError:
        return []


def resident_mb(pid: int) -> float:
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE_SIZE / 2**20
    except (OSError, IndexError):
        return 0.0


class BrowserProcesses:
    """A browser that was started with the argument `token`, and the driver that started it.

    The browser leads a process group of its own, which all its children share; the driver is our child.
    """

    def __init__(self, token: str):
        everything = {p.pid: p for p in processes()}
        self.browser = next(
            (
                pid
                for pid in everything
                if everything[pid].group == pid and token in command_line(pid)
            ),
            None,
        )
        self.driver = self._driver(everything)

    def _driver(self, everything: dict[int, Process]) -> int | None:
        pid = self.browser
        while pid in everything and everything[pid].parent != os.getpid():
            pid = everything[pid].parent
        return pid if pid in everything else None

    def recent(self) -> list[int]:
        """The browser's processes, as far as they are known without a new look."""
        return [p.pid for p in recent_processes() if p.group == self.browser]

    def kill_browser(self) -> None:
        """End the browser with all its children; remove the profile that it leaves behind."""
        profile = next(
            (
                a.partition("=")[2]
                for a in command_line(self.browser or 0)
                if a.startswith("--user-data-dir=")
            ),
            None,
        )
        for process in processes():
            if process.group == self.browser and process.state != "Z":
                kill(process.pid)
        if profile and "playwright" in Path(profile).name:
            shutil.rmtree(profile, ignore_errors=True)

    def kill_driver(self) -> None:
        if self.driver and (process := _process(self.driver)) and process.parent == os.getpid():
            kill(self.driver)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
