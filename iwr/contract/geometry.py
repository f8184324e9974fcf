"""Boxes on a page, as a reader sees them: rows, reading order, gaps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.schema import Box, Point, Sign

ROW_PENALTY = 30.0  # pixels
DIAGONAL = math.sqrt(2)  # of the unit square
ALONG_WEIGHT = 3.0  # of a gap between rows, against one within a row


class Boxed(Protocol):
    """What has a box."""

    @property
    def box(self) -> Box:
        """(x, y, width, height) in CSS pixels."""


B = TypeVar("B", bound=Boxed)


# ---- one box ---------------------------------------------------------------------------


def right_of(box: Box) -> float:
    """Return the x of the right side."""
    return box[0] + box[2]


def bottom_of(box: Box) -> float:
    """Return the y of the lower side."""
    return box[1] + box[3]


def center_of(box: Box) -> Point:
    """Return the middle."""
    x, y, width, height = box
    across = x + width / 2
    along = y + height / 2
    return across, along


def contains(box: Box, point: Point) -> bool:
    """Return whether the point is within the box or on its edge."""
    left, top, *_ = box
    x, y = point
    if x < left or y < top:
        return False
    if x > right_of(box):
        return False
    return y <= bottom_of(box)


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds all the others.

    Raises IndexError when there are none.
    """
    left, top, *_ = boxes[0]
    right = left
    bottom = top
    for box in boxes:
        left = min(left, box[0])
        top = min(top, box[1])
        right = max(right, right_of(box))
        bottom = max(bottom, bottom_of(box))
    width = right - left
    height = bottom - top
    return left, top, width, height


def is_part(page: Snapshot, group: Node, share: float) -> bool:
    """Return whether an element takes at most this share of the viewport."""
    view = page.width * page.height
    return group.area <= share * view


# ---- two boxes -------------------------------------------------------------------------


def overlap_across(a: Box, b: Box) -> float:
    """Return the shared width; negative: the gap between the two."""
    left = max(a[0], b[0])
    right = min(right_of(a), right_of(b))
    return right - left


def overlap_along(a: Box, b: Box) -> float:
    """Return the shared height; negative: the gap between the two."""
    top = max(a[1], b[1])
    bottom = min(bottom_of(a), bottom_of(b))
    return bottom - top


def overlap(a: Box, b: Box) -> bool:
    """Return whether two boxes share an area."""
    if overlap_across(a, b) <= 0:
        return False
    return overlap_along(a, b) > 0


def same_row(a: Box, b: Box) -> bool:
    """Return whether two boxes share half of the height of the lower one."""
    lower = min(a[3], b[3])
    return overlap_along(a, b) >= lower / 2


def same_column(a: Box, b: Box) -> bool:
    """Return whether two boxes share half of the width of the narrower one."""
    narrower = min(a[2], b[2])
    return overlap_across(a, b) >= narrower / 2


def comes_before(a: Box, b: Box) -> bool:
    """Return whether `a` is read before `b`: in a row above, or to the left of it."""
    if same_row(a, b):
        return a[0] < b[0]
    _, middle = center_of(a)
    _, other_middle = center_of(b)
    return middle < other_middle


def gap(a: Box, b: Box) -> float:
    """Return the distance of two boxes; another row counts more than the same.

    It is no distance in pixels, but good to compare texts as neighbours of one element.
    """
    across = max(0.0, -overlap_across(a, b))
    along = max(0.0, -overlap_along(a, b))
    distance = across + ALONG_WEIGHT * along
    if same_row(a, b):
        return distance
    return distance + ROW_PENALTY


def similar_size(a: Box, b: Box, least: float = 0.6) -> bool:
    """Return whether the shorter of each two sides is at least so much of the longer one."""
    widths = (a[2], b[2])
    heights = (a[3], b[3])
    if min(widths) < least * max(widths):
        return False
    return min(heights) >= least * max(heights)


# ---- rows ------------------------------------------------------------------------------


def rows_of(items: Iterable[B]) -> list[list[B]]:
    """Return the rows that items form, each from left to right."""
    rows: list[list[B]] = []
    for item in sorted(items, key=_from_the_top):
        if rows and _is_in_row(item, rows[-1]):
            rows[-1].append(item)
        else:
            rows.append([item])
    for row in rows:
        row.sort(key=_from_the_left)
    return rows


def _is_in_row(item: B, row: Sequence[B]) -> bool:
    """Return whether an item is beside the first of a row: the others may be set lower."""
    first = row[0]
    return same_row(first.box, item.box)


def _from_the_top(item: Boxed) -> Point:
    """Return by what items are sorted into rows: their middle, then their left side."""
    _, middle = center_of(item.box)
    return middle, item.box[0]


def _from_the_left(item: Boxed) -> float:
    """Return by what the items of a row are sorted."""
    return item.box[0]


# ---- distances -------------------------------------------------------------------------


def share_of_diagonal(a: Point, b: Point) -> float:
    """Return the distance of two points of the unit square, in its diagonals."""
    return math.dist(a, b) / DIAGONAL


def sign(distance: float, least: float) -> Sign:
    """Return the direction of a distance, 0 for one that is shorter than `least`."""
    if abs(distance) < least:
        return 0
    if distance > 0:
        return 1
    return -1
