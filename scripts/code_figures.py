#!/usr/bin/env python
"""Print size and density of the code by room: scripts/code_figures.py [FOLDER].

A room is a folder, or the files directly in FOLDER (default: iwr). tests/test_style.py holds the
limits.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

COLUMNS = 100
PACKED = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp)


class Figures(NamedTuple):
    """Blank lines do not count as lines, except in the length of files and functions."""

    files: int
    lines: int
    chars_a_line: float  # without indentation
    nodes_a_line: float  # of the syntax tree
    packed_per_100: float  # comprehensions and conditional expressions in 100 lines
    long_lines: int  # over COLUMNS
    function_p90: int  # lines
    largest_file: int  # lines


def figures(paths: Iterable[Path]) -> Figures:
    """Measure some files together."""
    lines: list[str] = []
    sizes = []
    functions = []
    nodes = 0
    packed = 0
    for path in paths:
        text = path.read_text()
        sizes.append(len(text.splitlines()))
        lines += [line for line in text.splitlines() if line.strip()]
        for node in ast.walk(ast.parse(text)):
            nodes += 1
            packed += isinstance(node, PACKED)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.append((node.end_lineno or 0) - node.lineno + 1)
    functions.sort()
    count = max(len(lines), 1)
    return Figures(
        files=len(sizes),
        lines=len(lines),
        chars_a_line=sum(len(line.strip()) for line in lines) / count,
        nodes_a_line=nodes / count,
        packed_per_100=100 * packed / count,
        long_lines=sum(len(line) > COLUMNS for line in lines),
        function_p90=functions[int(0.9 * len(functions))] if functions else 0,
        largest_file=max(sizes),
    )


def rooms(folder: Path) -> dict[str, list[Path]]:
    """Return the Python files of each room below `folder`, those of the folder itself first."""
    files = defaultdict(list)
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        room = parts[0] if len(parts) > 1 else "."
        files[room].append(path)
    return dict(files)


def main() -> int:
    """Print a table of all rooms and their total."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "iwr")
    files = rooms(folder)
    print("room".ljust(12), *(name.rjust(14) for name in Figures._fields))
    for room, paths in files.items():
        _print(room, figures(paths))
    _print("total", figures(path for paths in files.values() for path in paths))
    return 0


def _print(name: str, measured: Figures) -> None:
    cells = []
    for value in measured:
        cell = f"{value:.2f}" if isinstance(value, float) else str(value)
        cells.append(cell.rjust(14))
    print(name.ljust(12), *cells)


if __name__ == "__main__":
    sys.exit(main())
