"""What scripts/check.sh checks, so that CI holds it too, and the density of the code."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
sys.path.insert(0, str(ROOT / "scripts"))

from code_figures import Figures, figures, rooms  # noqa: E402


@pytest.mark.parametrize(
    "command", [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"]], ids=" ".join
)
def test_the_checks_pass(command):
    program, *arguments = command
    process = subprocess.run(
        [BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert process.returncode == 0, process.stdout + process.stderr


DENSE = {
    "contract": "is being unpacked",
    "config": "a setting and its limits stand on one line",
}
"""Rooms that may have more syntax nodes a line than the others, with the reason."""
MOST_NODES = 6.5
MOST_NODES_IN_DENSE_ROOMS = 7.0


def excesses(measured: Figures, most_nodes: float) -> list[str]:
    limits = {
        "chars_a_line": 40,
        "nodes_a_line": most_nodes,
        "packed_per_100": 4,
        "long_lines": 0,
        "function_p90": 25,
        "largest_file": 400,
    }
    values = measured._asdict()
    return [
        f"{name} {values[name]:.4g}, limit {limit}"
        for name, limit in limits.items()
        if values[name] > limit
    ]


def test_the_code_reads_like_a_book():
    """`scripts/code_figures.py` prints the figures of all rooms."""
    files = []
    for room, paths in rooms(ROOT / "iwr").items():
        sources = [path for path in paths if "samples" not in path.parts]
        if room in DENSE:
            assert excesses(figures(sources), MOST_NODES_IN_DENSE_ROOMS) == [], room
        else:
            files += sources
    assert len(files) > 100
    assert excesses(figures(files), MOST_NODES) == []
