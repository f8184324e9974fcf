"""Claims about order and place: sorted lists, "the first item is", things that move, scrolling."""

from __future__ import annotations

import re
from typing import Any

from iwr.browser.page_state import Snapshot, TextLine
from iwr.judge.rules.clauses import Clause
from iwr.judge.rules.effects import Change, Finding
from iwr.judge.rules.language import NUMBER, holds, normal, number_of, ordinal
from iwr.judge.rules.matching import reading_order, signature
from iwr.judge.rules.phrases import phrase

FALLING = re.compile(
    r"descend|high(?:est)? to low|z to a|z-a|newest|highest|largest|most .* first|decreas|reverse",
    re.I,
)
NUMERIC = re.compile(
    r"price|number|rating|score|cost|date|size|year|population|numer|low|high|amount|quantity", re.I
)
SIDES = {
    "left": (0, -1),
    "right": (0, 1),
    "up": (1, -1),
    "top": (1, -1),
    "down": (1, 1),
    "bottom": (1, 1),
    "forward": (0, 1),
    "back": (0, -1),
}


def scrolled(change: Change, clause: Clause) -> Finding:
    """The window or an inner scroller moved that way, and what is named is in view."""
    old, new = offsets(change.before), offsets(change.after)
    moved = old != new
    way = re.search(r"\bscroll\w*\b(.*)$", clause.text, re.I)
    rest = way[1] if way else clause.rest
    if clause.quotes:
        seen = all(change.places(change.after, text) for text in clause.quotes)
        return Finding(seen, moved, f"{clause.quotes[0]!r} {'is' if seen else 'is not'} in view")
    end = re.search(r"\b(top|beginning|start|bottom|end)\b", rest)
    if end:
        at_end = (
            change.after.scroll[1] == 0
            if end[1] in ("top", "beginning", "start")
            else change.after.scroll[1] >= change.after.reach[1] - 2
        )
        return Finding(at_end, moved, f"scrolled to {change.after.scroll[1]} px")
    side = re.search(r"\b(down|right|up|left)\b", rest)
    right = moved and (side is None or (sum(new) > sum(old)) == (side[1] in ("down", "right")))
    return Finding(
        right,
        right,
        f"scrolled {'as told' if right else 'not at all' if not moved else 'the other way'}",
    )


def offsets(page: Snapshot) -> list[int]:
    inner = [
        position[0]
        for node in page.nodes
        for position in (node.scroll_x, node.scroll_y)
        if position
    ]
    return [*page.scroll, *inner]


def sorted_by(change: Change, clause: Clause) -> Finding | None:
    """ "The products are sorted by price from low to high": some column of like texts came into that order."""
    falling, numeric = (
        FALLING.search(clause.text) is not None,
        NUMERIC.search(clause.text) is not None,
    )
    before = columns(change.before)
    new = [
        column
        for column in columns(change.after)
        if in_order(column, falling, numeric) and column not in before
    ]
    return Finding(
        bool(new),
        bool(new),
        " … ".join(new[0][:4]) if new else "no column of texts came into that order",
    )


def columns(page: Snapshot) -> list[list[str]]:
    """Texts of like elements in reading order, three or more."""
    groups: dict[tuple[object, ...], list[TextLine]] = {}
    for line in page.seen_lines:
        node = page.nodes[line.runs[0].node]
        chain = tuple(signature(holder) for holder in [node, *list(page.ancestors(node))[:3]])
        cell = page.children[node.parent].index(node.index) if node.tag == "td" else 0
        groups.setdefault((chain, cell), []).append(line)
    found = []
    for lines in groups.values():
        place = {
            node.index: i
            for i, node in enumerate(
                reading_order([page.nodes[line.runs[0].node] for line in lines])
            )
        }
        found.append(
            [line.text for line in sorted(lines, key=lambda line: place[line.runs[0].node])]
        )
    return [column for column in found if len(column) >= 3]


def in_order(column: list[str], falling: bool, numeric: bool) -> bool:
    if not numeric and all(NUMBER.search(text) for text in column):
        return False
    keys: list[Any] = [number_of(text) if numeric else normal(text) for text in column]
    return None not in keys and len(set(keys)) > 1 and keys == sorted(keys, reverse=falling)


def nth_is(change: Change, clause: Clause) -> Finding | None:
    """ "The first product is 'Tea Pot'": it stands at that place among its like."""
    place = ordinal(clause.subject)
    if place is None or not clause.quotes:
        return None

    def there(page: Snapshot) -> bool:
        index = place - 1 if place > 0 else place
        return any(
            -len(column) <= index < len(column) and holds(column[index], clause.quotes[-1])
            for column in columns(page)
        )

    now, then = there(change.after), there(change.before)
    return Finding(
        now, now and not then, f"{clause.quotes[-1]!r} {'is' if now else 'is not'} number {place}"
    )


def moved(change: Change, clause: Clause) -> Finding:
    """ "The card 'X' moves to the Done column", "the tiles slide left", "the progress bar moves forward"."""
    subject, target = (
        phrase(clause.subject),
        phrase("the thing in" + re.sub(r"^\s*(?:in|on)?to\b", "", clause.rest)),
    )
    side = next((side for side in SIDES if re.search(rf"\b{side}(?:wards?)?\b", clause.rest)), None)
    if (
        subject.quoted
        and target.around
        and (target.around[0].quoted or target.around[0].words)
        and side is None
    ):
        now = bool(change.places(change.after, subject.quoted[0], target.around))
        new = now and not change.places(change.before, subject.quoted[0], target.around)
        return Finding(new, new, f"{subject.quoted[0]!r} {'is' if now else 'is not'} there")
    pairs = change.pairs(subject)
    axis, sign = SIDES.get(side or "", (0, 0))
    if sign and any((new.box[axis] - old.box[axis]) * sign > 2 for old, new in pairs):
        return Finding(True, True, f"it moved {side}")
    changed = any(change.altered(old, new) or old.box[:2] != new.box[:2] for old, new in pairs) or (
        not pairs and bool(change.new_lines)
    )
    return Finding(changed, changed, "it moved" if changed else "it did not move")
