"""A network namespace and Chromium's own sandbox around the browser, where the machine has them.

The flags in launch.py restrain what a page can do by itself; this restrains what it could do
through a security hole in the browser.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

PROBE_SECONDS = 10


class Isolation(NamedTuple):
    executable: str
    sandboxed: bool  # Chromium's own sandbox can be used as well


@cache
def namespace() -> tuple[str, ...]:
    """Return the command that runs another one without a network; () when the machine has none."""
    command: tuple[str, ...] = ("unshare", "--net", "--")
    if os.geteuid() != 0:
        command = ("unshare", "--user", "--map-current-user", "--net", "--")
    try:
        probe = subprocess.run([*command, "true"], capture_output=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return command if probe.returncode == 0 else ()


def isolate(executable: str, folder: Path) -> Isolation:
    """Return the executable to start in place of `executable`: itself, or a wrapper in `folder`.

    Chromium has no sandbox for root.
    """
    if not namespace():
        return Isolation(executable, sandboxed=False)
    command = f"{shlex.join(namespace())} {shlex.quote(executable)}"
    wrapper = folder / "browser"
    wrapper.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    wrapper.chmod(0o700)
    if not os.access(wrapper, os.X_OK):  # a temporary folder on which nothing may be executed
        return Isolation(executable, sandboxed=False)
    return Isolation(str(wrapper), sandboxed=os.geteuid() != 0)
