"""Claims about looks and states: colours, themes, "is checked", "is highlighted", "changes"."""

from __future__ import annotations

import re

from iwr.browser.page_state import Node, Snapshot
from iwr.judge.rules import colours
from iwr.judge.rules.clauses import Clause, masked
from iwr.judge.rules.effects import Change, Finding
from iwr.judge.rules.language import COLOURS
from iwr.judge.rules.phrases import phrase
from iwr.judge.rules.states import State, state_of

COLOUR = re.compile(
    r"\b(?:turns?|becomes?|changes?(?: colou?r)? to|changed to|is(?: now)?|are(?: now)?|to|in|with|"
    r"(?:highlighted|shown|displayed|filled|coloured|colored|marked)(?: in| with)?)\s+"
    rf"(?:(?:a|an|the|bright|light|dark|solid|pale|deep)\s+)*({'|'.join(COLOURS)})\b",
    re.I,
)
THEME = re.compile(r"\b(dark|light|black|white|night|day)\b", re.I)
LARGE = 40_000  # square pixels: larger changed elements are no candidates for an unknown subject's colour


def coloured(change: Change, clause: Clause) -> Finding | None:
    """ "The star turns yellow": more pixels of that colour where the subject stands."""
    match = COLOUR.search(masked(clause.text))
    if not match or change.pictures is None:
        return None
    family = COLOURS[match[1].lower()]
    if re.search(r"\b(?:theme|mode)\b", clause.text, re.I) or (
        family in ("black", "white")
        and re.search(r"\b(?:background|page|screen)\b", clause.subject, re.I)
    ):
        return theme(change, clause)
    places = change.pairs(phrase(clause.subject)) or change.restyled_places(LARGE)
    grown = 0.0
    for old, new in places:
        before, after = (
            colours.share(picture, node.box, family)
            for picture, node in zip(change.pictures, (old, new), strict=True)
        )
        if scripted(change, old, new) and after > 0.01:
            grown = max(grown, after - before)
    right = grown > 0.015
    return Finding(
        right,
        right,
        f"{match[1].lower()} grew by {grown:.0%} of the place"
        if right
        else f"nothing turned {match[1].lower()}",
    )


def scripted(change: Change, old: Node, new: Node) -> bool:
    """Whether more than a hover or focus style may have changed the look."""
    if not (new.hovered or new.focused):
        return True

    def marks(page: Snapshot, node: Node) -> list[tuple[object, ...]]:
        return [(part.marks, part.states) for part in (*page.subtree(node), *page.ancestors(node))]

    return marks(change.before, old) != marks(change.after, new)


def theme(change: Change, clause: Clause) -> Finding | None:
    """ "The page switches to dark mode": the whole picture became darker."""
    match = THEME.search(clause.text)
    if not match or change.pictures is None:
        return None
    grew = colours.brightness(change.pictures[1]) - colours.brightness(change.pictures[0])
    right = grew < -0.1 if match[1].lower() in ("dark", "black", "night") else grew > 0.1
    return Finding(
        right, right, f"the page became {abs(grew):.0%} {'lighter' if grew > 0 else 'darker'}"
    )


def has_state(change: Change, clause: Clause) -> Finding | None:
    """ "The box is checked", "the menu is expanded", "the tab becomes active". None: no state is named, or nothing tells."""
    state = state_of(masked(clause.verb + " " + clause.rest))
    if state is None:
        return None
    told = [
        finding
        for old, new in change.pairs(phrase(clause.subject))
        if (finding := told_state(change, state, old, new)) is not None
    ]
    if told:
        return max(told, key=lambda finding: (finding.holds, finding.new))
    if state.content is None:
        return None
    lines = change.new_lines if state.content else change.lost_lines
    if clause.quotes and not any(
        change.places(change.after if state.content else change.before, text)
        for text in clause.quotes
    ):
        return None
    return Finding(
        bool(lines),
        bool(lines),
        f"text {lines[0].text[:60]!r} {'came' if state.content else 'went'}"
        if lines
        else f"it is not {state.name}",
    )


def told_state(change: Change, state: State, old: Node, new: Node) -> Finding | None:
    """What the subject, a part of it or what holds it tells about a state; else whether a script restyled it."""
    for before, after in zip(
        relatives(change.before, old), relatives(change.after, new), strict=False
    ):
        then, now = state.of(before), state.of(after)
        if now is not None or then is not None:
            holds, held = bool(now) != state.negated, bool(then) != state.negated
            return Finding(
                holds, holds and not held, f"it {'is' if now else 'is not'} {state.name}"
            )
    if state.content is not None:
        return None
    changed = change.altered(old, new)
    return Finding(changed, changed, f"it {'changed its look' if changed else 'looks the same'}")


def relatives(page: Snapshot, node: Node) -> list[Node]:
    """The element, its parts, and what holds it and little else."""
    holders = [
        holder
        for holder in list(page.ancestors(node))[:2]
        if len(page.lines_in(holder)) <= max(1, len(page.lines_in(node)))
    ]
    return [node, *page.subtree(node)[1:6], *holders]


def differs(change: Change, clause: Clause) -> Finding:
    """ "The main image changes": the subject looks different, by script and not by hovering."""
    found = change.pairs(phrase(clause.subject))
    changed = any(
        change.altered(old, new) or (scripted(change, old, new) and repainted(change, new))
        for old, new in found
    )
    if not found:
        changed = bool(change.new_lines or change.uncovered or change.repainted)
    return Finding(changed, changed, "it changed" if changed else "it looks the same")


def repainted(change: Change, node: Node) -> bool:
    if change.pictures is None or not node.in_view:
        return False
    x, y, width, height = (int(v) for v in node.box)
    old, new = (
        picture[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
        for picture in change.pictures
    )
    return bool(old.size and (old != new).any(axis=2).mean() > 0.002)
