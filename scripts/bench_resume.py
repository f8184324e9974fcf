#!/usr/bin/env python
"""Time `iwr run` and `iwr status` on a finished run of 113 tasks and 11 models.

    scripts/bench_resume.py

The records are synthetic. Each command is repeated three times and the fastest counts, for 1, 4 and
11 models: seconds of wall time, beside those of an `iwr` that only loads its settings. Ends with 0
when both answer within 3 s for all 11 models, and when a record costs no more there than with 4
models (half as much again is allowed for noise).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import full_size  # noqa: E402 - the tests' own full-size run

LIMIT = 3.0  # seconds
COMMANDS = {"settings": ["config"], "run": ["run"], "status": ["status", "run.shards=8"]}


def main() -> int:
    met = True
    times: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in (1, 4, len(full_size.MODELS)):
            world = full_size.build(Path(folder) / str(number), full_size.MODELS[:number])
            seconds(["run", *world.settings])  # writes the report
            times[number] = {
                name: min(seconds([*command, *world.settings]) for _ in range(3))
                for name, command in COMMANDS.items()
            }
            print(
                f"{number:3} models  "
                + "  ".join(f"{name} {time_s:.2f} s" for name, time_s in times[number].items()),
                flush=True,
            )
    for name in ("run", "status"):
        few, most = (record_cost(times, name, number) for number in (4, len(full_size.MODELS)))
        print(
            f"{name}: {1e6 * few:.0f} µs a task and model with 4 models, "
            f"{1e6 * most:.0f} µs with {len(full_size.MODELS)}"
        )
        met &= times[len(full_size.MODELS)][name] <= LIMIT and most <= 1.5 * few
    print("all targets met" if met else "missed")
    return 0 if met else 1


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([Path(sys.executable).parent / "iwr", *command], check=True, capture_output=True)
    return time.perf_counter() - started


def record_cost(times: dict[int, dict[str, float]], name: str, models: int) -> float:
    """Seconds that each (task, model) adds to those of one model."""
    return (times[models][name] - times[1][name]) / ((models - 1) * full_size.TASKS)


if __name__ == "__main__":
    sys.exit(main())
