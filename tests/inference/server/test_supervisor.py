"""Whatever happens to iwr, nothing that it started stays behind: real processes that resist."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid

import psutil
import pytest

from iwr.inference.server import supervisor

# a "server" that ignores SIGTERM, with a child in a session of its own and an orphan
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
# takes the place of `iwr`: starts the supervisor as Server does, then ends in one of five ways
OWNER = textwrap.dedent("""
    import subprocess, sys, time, pathlib
    supervisor, stubborn, marker, way = sys.argv[1:]
    words = [sys.executable, "-P", supervisor, "1", sys.executable, stubborn, marker]
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
SUPERVISOR = [sys.executable, "-P", supervisor.__file__, "1"]
SLEEP = "import time; time.sleep(600)"
WAYS = {
    "end": None,
    "exception": None,
    "interrupt": signal.SIGINT,
    "terminate": signal.SIGTERM,
    "kill": signal.SIGKILL,
}


def alive(marker: str) -> list[str]:
    """Return the command lines of living processes that carry the marker."""
    lines = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if marker in line and process.pid != os.getpid() and supervisor.is_alive(process):
            lines.append(line)
    return lines


def survivors(marker: str, seconds: float) -> list[str]:
    """Return what is still alive after at most `seconds`."""
    deadline = time.monotonic() + seconds
    while (lines := alive(marker)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return lines


@pytest.mark.parametrize("way", WAYS)
def test_no_process_survives(way, tmp_path):
    marker = str(tmp_path / uuid.uuid4().hex)
    stubborn = tmp_path / "stubborn.py"
    stubborn.write_text(STUBBORN)
    words = [sys.executable, "-c", OWNER, supervisor.__file__, str(stubborn), marker, way]
    owner = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    assert len(alive(marker)) >= 4 or way == "end"
    if WAYS[way]:
        owner.send_signal(WAYS[way])
    owner.wait(20)
    assert survivors(marker, 10) == []


def test_a_supervisor_that_is_killed_takes_a_willing_server_along(tmp_path):
    marker = str(tmp_path / uuid.uuid4().hex)
    words = [*SUPERVISOR, sys.executable, "-c", SLEEP, marker]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)
    while not any("supervisor.py" not in line for line in alive(marker)):
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert survivors(marker, 10) == []


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_the_supervisor_exits_as_its_command_did(code, expected):
    process = subprocess.Popen([*SUPERVISOR, sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.wait(20) == expected


def test_a_server_that_is_half_dead_hides_none_of_its_children(tmp_path):
    """Its first thread has ended, others live: the kernel calls it a zombie."""
    marker = str(tmp_path / uuid.uuid4().hex)
    half_dead = textwrap.dedent(f"""
        import ctypes, subprocess, sys, threading, time
        child = [sys.executable, "-c", "import time; time.sleep(600)", {marker!r}]
        subprocess.Popen(child, start_new_session=True)
        threading.Thread(target=time.sleep, args=(600,)).start()
        ctypes.CDLL(None).pthread_exit(None)
    """)
    words = [*SUPERVISOR, sys.executable, "-c", half_dead]
    process = subprocess.Popen(words, stdin=subprocess.PIPE)
    while not (alive_children(marker) and zombies(process.pid)):
        time.sleep(0.05)
    (half_dead_server,) = zombies(process.pid)
    assert supervisor.is_alive(half_dead_server)
    process.stdin.close()
    process.wait(20)
    assert survivors(marker, 2) == []


def alive_children(marker: str) -> list[str]:
    return [line for line in alive(marker) if "ctypes" not in line]


def zombies(root: int) -> list[psutil.Process]:
    """Return the children of `root` that the kernel calls dead."""
    children = psutil.Process(root).children()
    return [child for child in children if child.status() == psutil.STATUS_ZOMBIE]
