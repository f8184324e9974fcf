#!/usr/bin/env python
"""Kill (-9) a run at random moments, resume it each time, compare with an undisturbed run.

    scripts/chaos.py [--kills 40] [--seed 0] [--folder DIR] [settings]

The kills fall on all stages. Prints one line a kill and ends with 0 when the final results are the
same, no file was ever torn, nothing finished was made again, and no process and no unfinished file
is left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from iwr.runs.content import content
from iwr.runs.files import whole_png

DEFAULTS = ["models=[oracle,screenshot,blank]", "data.tasks=[film-rating,shop-cart,signup-form]"]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where to run; a temporary folder if left out"
    )
    parser.add_argument("settings", nargs="*", default=DEFAULTS)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="iwr-chaos-"))
    undisturbed, seconds = Run(folder / "undisturbed", options.settings), time.monotonic()
    undisturbed.start().wait()
    seconds = time.monotonic() - seconds
    print(f"undisturbed: {seconds:.1f} s, {len(content(undisturbed.folder))} files")
    tormented = Run(folder / "tormented", options.settings)
    faults = torment(
        tormented, content(undisturbed.folder), options.kills, seconds, random.Random(options.seed)
    )
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"{options.kills} kills, {len(faults)} faults")
    return 1 if faults else 0


class Run:
    def __init__(self, root: Path, settings: list[str]):
        self.folder = root / "run"
        self.mark = (
            uuid.uuid4().hex
        )  # inherited by every descendant, so that survivors can be found
        self.command = [
            sys.executable,
            "-m",
            "iwr",
            "run",
            *settings,
            f"run.root={root}",
            "run.name=run",
        ]

    def start(self) -> subprocess.Popen:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            self.command, env=os.environ | {"IWR_CHAOS": self.mark}, stdout=quiet, stderr=quiet
        )

    def survivors(self, patience: float = 20.0) -> list[str]:
        """Processes that are still there after `patience` seconds."""
        deadline = time.monotonic() + patience
        while (found := descendants(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def torn(self) -> list[Path]:
        """Files with a final name that are not whole."""
        return [path for path in self.folder.rglob("*") if path.is_file() and not whole(path)]

    def finished(self) -> dict[Path, int]:
        return {
            path: path.stat().st_mtime_ns
            for path in self.folder.glob("*/*/**/*.json")
            if "manifests" not in path.parts
        }


def descendants(mark: str) -> list[str]:
    """Command lines of the processes that inherited `mark` in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has just ended, or is not ours
            continue
    return found


def whole(path: Path) -> bool:
    if path.suffix == ".json":
        try:
            json.loads(path.read_bytes())
        except ValueError:
            return False
    return path.suffix != ".png" or whole_png(path)


def torment(
    run: Run, expected: dict[str, str], kills: int, seconds: float, draw: random.Random
) -> list[str]:
    """Kill and resume a run. Return what went wrong.

    A run that ends before its kill is deleted and begun anew, so kills fall on every stage.
    """
    faults = []
    before: dict[Path, int] = {}
    for number in range(1, kills + 1):
        process, delay = run.start(), draw.uniform(0.3, seconds)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        faults += [f"kill {number}: left behind: {line}" for line in run.survivors()]
        faults += [f"kill {number}: torn: {path}" for path in run.torn()]
        after = run.finished()
        faults += [
            f"kill {number}: made again: {path}"
            for path, made in before.items()
            if after.get(path) != made
        ]
        print(f"kill {number:3} after {delay:5.1f} s: {stage(after)}", flush=True)
        before = after
        if process.returncode == 0:
            faults += differences(run, expected)
            shutil.rmtree(run.folder)
            before = {}
    run.start().wait()
    return (
        faults
        + differences(run, expected)
        + [f"unfinished file: {path}" for path in run.folder.rglob(".*.part")]
    )


def stage(finished: dict[Path, int]) -> str:
    counts = [
        sum(path.name.startswith(name) for path in finished)
        for name in ("generation", "rollout", "score")
    ]
    return f"{counts[0]} pages, {counts[1]} rollouts, {counts[2]} scores"


def differences(run: Run, expected: dict[str, str]) -> list[str]:
    found = content(run.folder)
    return [
        f"differs: {name}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]


if __name__ == "__main__":
    sys.exit(main())
