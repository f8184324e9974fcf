"""A network namespace and Chromium's own sandbox around the browser, where the machine lets an ordinary user have them.

The flags of sandbox.py hold back what a page can do by itself; this holds back what it could do with a hole in the browser.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Isolation(NamedTuple):
    executable: str
    sandboxed: bool  # Chromium's own sandbox can be used as well


@cache
def namespace() -> tuple[str, ...]:
    """The command that runs another one without a network; () where the machine has none."""
    command = (
        ("unshare", "--net", "--")
        if os.geteuid() == 0
        else ("unshare", "--user", "--map-current-user", "--net", "--")
    )
    try:
        done = subprocess.run([*command, "true"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return command if done.returncode == 0 else ()


def isolate(executable: str, folder: Path) -> Isolation:
    """The executable to start in place of `executable`: itself, or a wrapper in `folder`. Chromium has no sandbox for root."""
    if not namespace():
        return Isolation(executable, sandboxed=False)
    wrapper = folder / "browser"
    wrapper.write_text(
        f'#!/bin/sh\nexec {shlex.join(namespace())} {shlex.quote(executable)} "$@"\n'
    )
    wrapper.chmod(0o700)
    if not os.access(wrapper, os.X_OK):  # a temporary folder on which nothing may be executed
        return Isolation(executable, sandboxed=False)
    return Isolation(str(wrapper), sandboxed=os.geteuid() != 0)
