"""The operating system's view of a browser: find its processes, weigh them, end them."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil

MEGABYTE = 2**20


class BrowserProcesses:
    """A browser that was started with the argument `token`, and the driver that started it.

    The driver is our child. The browser leads a process group, which all its children share.
    """

    def __init__(self, token: str):
        self.browser = _find_browser(token)
        self.driver = _find_driver(self.browser)
        self._profile = _find_profile(self.browser)

    def members(self) -> list[psutil.Process]:
        """Return the browser's processes, itself among them."""
        group = self.browser.pid if self.browser else None
        processes: list[psutil.Process] = []
        for pid in psutil.pids():
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                if os.getpgid(pid) == group:
                    processes.append(psutil.Process(pid))
        return processes

    def kill_browser(self) -> None:
        """End the browser with all its children; remove the profile that it leaves behind."""
        if self.browser is None or _is_reused(self.browser):
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.browser.pid, signal.SIGKILL)
        if self._profile:
            shutil.rmtree(self._profile, ignore_errors=True)

    def kill_driver(self) -> None:
        """End the driver, should it still run."""
        if self.driver:
            kill(self.driver)


def _find_browser(token: str) -> psutil.Process | None:
    """Return the leader of the process group among our descendants that has the argument."""
    for process in psutil.Process().children(recursive=True):
        with suppress(ProcessLookupError, psutil.Error):
            if os.getpgid(process.pid) == process.pid and token in arguments(process):
                return process
    return None


def _find_driver(browser: psutil.Process | None) -> psutil.Process | None:
    """Return the ancestor of the browser that is our child."""
    if browser is None:
        return None
    process: psutil.Process | None = browser
    with suppress(psutil.Error):
        while process and process.ppid() != os.getpid():
            process = process.parent()
        return process
    return None


def _find_profile(browser: psutil.Process | None) -> Path | None:
    """Return the folder that Playwright made for the browser's profile."""
    if browser is None:
        return None
    for argument in arguments(browser):
        name, _, folder = argument.partition("=")
        if name == "--user-data-dir" and "playwright" in Path(folder).name:
            return Path(folder)
    return None


def _is_reused(process: psutil.Process) -> bool:
    """Return whether another process has the number of an ended one."""
    return psutil.pid_exists(process.pid) and not process.is_running()


def arguments(process: psutil.Process) -> list[str]:
    """Return the arguments of a process; none when it is gone.

    Chromium's children join theirs with spaces.
    """
    try:
        return " ".join(process.cmdline()).split()
    except psutil.Error:
        return []


def resident_mb(process: psutil.Process) -> float:
    """Return the resident memory of a process in MB; 0 when it is gone."""
    try:
        return float(process.memory_info().rss) / MEGABYTE
    except psutil.Error:
        return 0.0


def kill(process: psutil.Process) -> None:
    """End a process at once, unless it is gone."""
    with suppress(psutil.NoSuchProcess):
        process.kill()
