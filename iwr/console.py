"""Tables for people, on a terminal and in logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

UNLIMITED = 10_000  # columns


def plain_table(headers: Sequence[str], texts: int = 1) -> Table:
    """Return an empty table without lines: `texts` columns of text, then columns of numbers."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for number, header in enumerate(headers):
        table.add_column(header, justify="left" if number < texts else "right", no_wrap=True)
    return table


def print_table(table: Table) -> None:
    """Print a table; where standard output is no terminal, as wide as the table needs."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=UNLIMITED)
    console.print(table)
