"""The check for a machine with a GPU also runs on a processor, where it says what it leaves out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "gpu_check.py"


def rows(*options: str) -> dict[str, str]:
    """Return the table by check."""
    words = [sys.executable, SCRIPT, *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    _, *table, _ = done.stdout.splitlines()
    return {line[:33].strip(): line[33:] for line in table}


def test_without_a_gpu_it_runs_what_it_can_and_names_the_rest():
    found = rows("--device", "cpu", "--tiny")
    left_out = [check for check, text in found.items() if "not run: no CUDA device" in text]
    assert left_out == [
        "metrics: equal to the processor",
        "metrics: out of memory",
        "transformers: device_map",
        "transformers: memory",
    ]
    assert "images/s, encoder alone" in found["metrics: throughput"]
    assert found["metrics: autocast"].startswith(" passed")
    assert found["transformers: answer"].startswith(" passed")
    assert "tokens/s" in found["transformers: answer"]
