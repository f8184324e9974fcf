"""The process between us and a model server: it ends the server's whole tree however we die.

    python guard.py SECONDS COMMAND…

It runs COMMAND in a session of its own and watches standard input, a pipe from us. At its end (we closed it, or were
killed), and when the command ends by itself, the command gets SIGTERM and, after SECONDS, every process that ever
descended from it SIGKILL. As "child sub-reaper" the guard inherits processes whose parents died, so none escapes. Exits
with the command's code (128 + signal for a signal). Uses the standard library alone: it must start fast and survive.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
THREADS = 14  # of the fields in /proc/*/stat behind the process group: proc(5)


def processes() -> dict[int, tuple[int, int]]:
    """Living processes of this machine: pid -> (parent, process group). A zombie is alive as long as threads of it are: until then
    its children are still its own."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent, group, *rest = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if state not in "ZX" or int(rest[THREADS]) > 1:
            found[int(entry.name)] = (int(parent), int(group))
    return found


def descendants(root: int) -> set[int]:
    """Living children, grandchildren … of `root`."""
    alive = processes()
    found: set[int] = set()
    layer = {root}
    while layer:
        layer = {pid for pid, (parent, _) in alive.items() if parent in layer} - found
        found |= layer
    return found


def end_tree(root: int, seconds: float) -> None:
    """SIGTERM to the children of `root`, which end their own; SIGKILL to all that is left after `seconds`."""
    asked: set[int] = set()
    deadline = time.monotonic() + seconds
    empty = 0
    while empty < 2:  # twice: a process that changes its parent meanwhile may be missed by one look
        alive = descendants(root)
        empty = 0 if alive else empty + 1
        if time.monotonic() > deadline:
            _signal(alive, signal.SIGKILL)
        else:
            children = {pid for pid, (parent, _) in processes().items() if parent == root}
            _signal(children - asked, signal.SIGTERM)
            asked |= children
        _reap()
        time.sleep(0.05)
    _reap()


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _reap() -> None:
    """Collect children that ended, adopted ones included."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main(arguments: list[str]) -> int:
    seconds, command = float(arguments[0]), arguments[1:]
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))

    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: libc.prctl(
            PR_SET_PDEATHSIG, signal.SIGTERM
        ),  # in case the guard itself is killed
    )
    try:
        while server.poll() is None and os.getppid() == parent:
            # the parent is looked at too: a fork of it may hold the pipe open
            if select.select([0], [], [], 0.25)[0] and not os.read(0, 1):
                break
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        code = server.poll()
        end_tree(os.getpid(), seconds)
    if code is None:
        return 143
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
