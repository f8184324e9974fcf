"""The process between iwr and a model server: it ends the server's whole process tree.

    python supervisor.py SECONDS COMMAND…

It runs COMMAND in a session of its own and watches standard input, a pipe from iwr. When the pipe
closes (iwr closed it, or was killed) and when the command ends by itself, the command gets SIGTERM
and, after SECONDS, each of its descendants SIGKILL. As "child subreaper" the supervisor inherits
processes whose parents died, so none escapes. It exits with the command's code, or with
128 + signal when a signal ended the command. It imports no module of iwr: it must start fast.
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

import psutil

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TERMINATED = 128 + signal.SIGTERM
POLL_SECONDS = 0.25  # between looks at the server and at the parent
SWEEP_SECONDS = 0.05  # between looks at a tree that is ending


def is_alive(process: psutil.Process) -> bool:
    """Return whether any thread of `process` lives.

    The kernel calls a process a zombie as soon as its first thread has ended. While other threads
    live it still owns its children.
    """
    try:
        if process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return True
        return int(process.num_threads()) > 1
    except psutil.NoSuchProcess:
        return False


def descendants(root: int, *, recursive: bool = True) -> set[psutil.Process]:
    """Return the living children of process `root`; with `recursive` their children, too."""
    try:
        children = psutil.Process(root).children(recursive=recursive)
    except psutil.NoSuchProcess:
        return set()
    return {child for child in children if is_alive(child)}


def end_tree(root: int, seconds: float) -> None:
    """Send SIGTERM to the children of `root`, and SIGKILL to all that lives after `seconds`.

    Return when nothing is left below `root`.
    """
    terminated: set[psutil.Process] = set()
    deadline = time.monotonic() + seconds
    empty_looks = 0
    while empty_looks < 2:  # one look may miss a process that changes its parent meanwhile
        tree = descendants(root)
        empty_looks = 0 if tree else empty_looks + 1
        if time.monotonic() > deadline:
            _send(tree, signal.SIGKILL)
        else:
            children = descendants(root, recursive=False)
            _send(children - terminated, signal.SIGTERM)
            terminated |= children
        _reap()
        time.sleep(SWEEP_SECONDS)
    _reap()


def _send(processes: set[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to the processes that still live."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _reap() -> None:
    """Collect children that ended, adopted ones included."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start the server; the kernel ends it when the supervisor itself is killed."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
    )


def _watch(server: subprocess.Popen[bytes], parent: int) -> None:
    """Return when the server ends, standard input closes, or `parent` dies.

    The parent is watched, too, because a fork of it may hold the pipe open.
    """
    while server.poll() is None and os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], POLL_SECONDS)
        if readable and not os.read(0, 1):
            return


def main(arguments: list[str]) -> int:
    """Supervise a command and return the exit code."""
    seconds = float(arguments[0])
    parent = os.getppid()
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda *_: sys.exit(TERMINATED))
    server = _start(arguments[1:])
    try:
        _watch(server, parent)
    finally:
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        code = server.poll()
        end_tree(os.getpid(), seconds)
    if code is None:
        return TERMINATED
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
