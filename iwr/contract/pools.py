"""Which elements a target is searched among, and where one of them stands among its like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.elements import is_reachable
from iwr.contract.geometry import rows_of


class Cell(NamedTuple):
    """The place of an element among its like: its number, and its row and column (0-based)."""

    number: int
    row: int
    column: int


def reachable(page: Snapshot) -> list[Node]:
    """Return everything that a person could point at, without the page itself."""
    nodes = []
    for node in page.nodes[1:]:
        if is_reachable(node):
            nodes.append(node)
    return nodes


def reactive(page: Snapshot) -> list[Node]:
    """Return what a person could point at and that seems to react."""
    nodes = []
    for node in reachable(page):
        if node.how:
            nodes.append(node)
    return nodes


def cell_of(like: Sequence[Node], node: Node) -> Cell:
    """Return the place of a node in the rows that its like form."""
    number = 0
    for row, members in enumerate(rows_of(like)):
        for column, member in enumerate(members):
            if member.index == node.index:
                return Cell(number, row, column)
            number += 1
    return Cell(0, 0, 0)
