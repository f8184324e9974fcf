"""Whatever happens to us, nothing that we started stays behind: real processes that resist."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path

import pytest

from iwr.inference.server import supervisor as guard

# a "server" that ignores SIGTERM, with a child in a session of its own and an orphan whose parent has gone
STUBBORN = textwrap.dedent("""
    import os, signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if len(sys.argv) == 2:
        subprocess.Popen([sys.executable, __file__, sys.argv[1], "child"], start_new_session=True)
        subprocess.run([sys.executable, __file__, sys.argv[1], "parent of an orphan"])
        open(sys.argv[1] + ".ready", "w").close()
    elif sys.argv[2] == "parent of an orphan":
        subprocess.Popen([sys.executable, __file__, sys.argv[1], "orphan"], start_new_session=True)
        sys.exit()
    time.sleep(600)
""")
# what stands in for `iwr`: starts the guard as Server does, then ends in one of five ways
OWNER = textwrap.dedent("""
    import subprocess, sys, time, pathlib
    guard, stubborn, marker, way = sys.argv[1:]
    words = [sys.executable, guard, "1", sys.executable, stubborn, marker]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)
    while not pathlib.Path(marker + ".ready").exists():
        time.sleep(0.05)
    print("ready", flush=True)
    if way == "end":
        process.stdin.close(); process.wait()
    elif way == "exception":
        raise RuntimeError("planned")
    else:
        time.sleep(600)
""")
WAYS = {
    "end": None,
    "exception": None,
    "interrupt": signal.SIGINT,
    "terminate": signal.SIGTERM,
    "kill": signal.SIGKILL,
}


def alive(marker: str) -> list[str]:
    """Command lines of living processes that carry the marker."""
    found = []
    for pid in guard.processes():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if marker in words and pid != os.getpid():
            found.append(words)
    return found


def gone(marker: str, seconds: float) -> list[str]:
    """What is still alive after at most `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := alive(marker)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.mark.parametrize("way", WAYS)
def test_no_process_survives(way, tmp_path):
    marker = str(tmp_path / uuid.uuid4().hex)
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    words = [
        sys.executable,
        "-c",
        OWNER,
        guard.__file__,
        str(tmp_path / "stubborn.py"),
        marker,
        way,
    ]
    owner = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert owner.stdout is not None and owner.stdout.readline() == "ready\n"
    assert len(alive(marker)) >= 4 or way == "end"
    if WAYS[way]:
        owner.send_signal(WAYS[way])
    owner.wait(20)
    assert gone(marker, 10) == []


def test_a_guard_that_is_killed_takes_a_willing_server_along(tmp_path):
    marker = str(tmp_path / uuid.uuid4().hex)
    words = [sys.executable, "-c", "import time; time.sleep(600)", marker]
    process = subprocess.Popen(
        [sys.executable, guard.__file__, "1", *words], stdin=subprocess.PIPE, start_new_session=True
    )
    while not any("-c" in line and "guard.py" not in line for line in alive(marker)):
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert gone(marker, 10) == []


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_the_guard_ends_as_its_command_ended(code, expected):
    process = subprocess.Popen(
        [sys.executable, guard.__file__, "1", sys.executable, "-c", code], stdin=subprocess.PIPE
    )
    assert process.wait(20) == expected


def test_a_server_that_is_half_dead_hides_none_of_its_children(tmp_path):
    """Its first thread has ended, as early in a kill, others have not: the kernel calls it a zombie, and it keeps its children."""
    marker = str(tmp_path / uuid.uuid4().hex)
    half_dead = textwrap.dedent(f"""
        import ctypes, subprocess, sys, threading, time
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", {marker!r}], start_new_session=True)
        threading.Thread(target=time.sleep, args=(600,)).start()
        ctypes.CDLL(None).pthread_exit(None)
    """)
    command = [sys.executable, guard.__file__, "1", sys.executable, "-c", half_dead]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    while not ([line for line in alive(marker) if "ctypes" not in line] and zombies(process.pid)):
        time.sleep(0.05)
    process.stdin.close()
    process.wait(20)
    assert gone(marker, 2) == []


def zombies(root: int) -> list[int]:
    """Children of `root` that the kernel calls dead."""
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    return [
        int(pid)
        for pid in children
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    ]
