"""Boxes on a page, as a reader sees them: rows, reading order, gaps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from iwr.contract.schema import Box, Point, Sign

ROW_PENALTY = 30.0  # pixels
ALONG_WEIGHT = 3.0  # of a gap between rows, against one within a row


class Boxed(Protocol):
    """What has a box."""

    @property
    def box(self) -> Box:
        """(x, y, width, height) in CSS pixels."""


B = TypeVar("B", bound=Boxed)


def right_of(box: Box) -> float:
    """Return the x of the right side."""
    return box[0] + box[2]


def bottom_of(box: Box) -> float:
    """Return the y of the lower side."""
    return box[1] + box[3]


def center_of(box: Box) -> Point:
    """Return the middle."""
    x, y, width, height = box
    return x + width / 2, y + height / 2


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds all the others."""
    left = min(box[0] for box in boxes)
    top = min(box[1] for box in boxes)
    right = max(map(right_of, boxes))
    bottom = max(map(bottom_of, boxes))
    return left, top, right - left, bottom - top


def overlap_across(a: Box, b: Box) -> float:
    """Return the shared width; negative: the gap between the two."""
    right = min(right_of(a), right_of(b))
    left = max(a[0], b[0])
    return right - left


def overlap_along(a: Box, b: Box) -> float:
    """Return the shared height; negative: the gap between the two."""
    bottom = min(bottom_of(a), bottom_of(b))
    top = max(a[1], b[1])
    return bottom - top


def overlap(a: Box, b: Box) -> bool:
    """Return whether two boxes share an area."""
    return overlap_across(a, b) > 0 and overlap_along(a, b) > 0


def same_row(a: Box, b: Box) -> bool:
    """Return whether two boxes share half of the height of the lower one."""
    lower = min(a[3], b[3])
    return overlap_along(a, b) >= lower / 2


def comes_before(a: Box, b: Box) -> bool:
    """Return whether `a` is read before `b`: in a row above, or to the left of it."""
    if same_row(a, b):
        return a[0] < b[0]
    return center_of(a)[1] < center_of(b)[1]


def gap(a: Box, b: Box) -> float:
    """Return the distance of two boxes; another row counts more than the same."""
    across = max(0.0, -overlap_across(a, b))
    along = max(0.0, -overlap_along(a, b))
    distance = across + ALONG_WEIGHT * along
    return distance if same_row(a, b) else distance + ROW_PENALTY


def similar_size(
    a: Box,
    b: Box,
    least: float = 0.6,
) -> bool:
    """Return whether the shorter of each two sides is at least so much of the longer one."""
    for first, second in zip(
        a[2:],
        b[2:],
        strict=True,
    ):
        shorter, longer = sorted((first, second))
        if shorter < least * longer:
            return False
    return True


def share_of_diagonal(a: Point, b: Point) -> float:
    """Return the distance of two points of the unit square, in its diagonals."""
    return math.dist(a, b) / math.sqrt(2)


def rows_of(items: Iterable[B]) -> list[list[B]]:
    """Return the rows that items form, each from left to right."""
    rows: list[list[B]] = []
    for item in sorted(items, key=_from_the_top):
        if rows and same_row(rows[-1][0].box, item.box):
            rows[-1].append(item)
        else:
            rows.append([item])
    for row in rows:
        row.sort(key=_from_the_left)
    return rows


def _from_the_top(item: Boxed) -> tuple[float, float]:
    return center_of(item.box)[1], item.box[0]


def _from_the_left(item: Boxed) -> float:
    return item.box[0]


def sign(distance: float, least: float) -> Sign:
    """Return the direction of a distance, 0 for one that is shorter than `least`."""
    if abs(distance) < least:
        return 0
    return 1 if distance > 0 else -1
