"""What differs between two snapshots of one page, as a person would see it."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iwr.browser.page_state import Box, Node, Snapshot, TextLine
from iwr.judge.rules.language import finder, normal
from iwr.judge.rules.matching import belongs, best, matches, scorer, signature
from iwr.judge.rules.phrases import Around, Phrase

if TYPE_CHECKING:
    import numpy as np

FEW_LINES = 6  # a text broken over more lines than this is not one text


class Place(NamedTuple):
    """Where a text can be read."""

    node: Node
    box: Box
    line: str


class Finding(NamedTuple):
    """One claim decided: it holds after the change, and did not hold in this way before."""

    holds: bool
    new: bool
    why: str


@dataclass(frozen=True, eq=False)
class Change:
    """One page before and after an action."""

    before: Snapshot
    after: Snapshot

    # ---- text --------------------------------------------------------------------------------------

    def places(self, page: Snapshot, text: str, around: tuple[Around, ...] = ()) -> list[Place]:
        """Where `text` can be read now, near what stands `around` it."""
        if not normal(text):
            return []
        found = [
            place
            for line in page.seen_lines
            for place in [Place(page.nodes[line.runs[0].node], line.box, line.text)]
            * len(finder(text).findall(normal(line.text)))
        ]
        found = found or broken(page, text)
        for condition in around:
            there = scorer(page).occurrences(condition)
            if there:
                found = [
                    place
                    for place in found
                    if any(belongs(page, place.node, node) is not None for node in there)
                ]
            elif condition.quoted:
                return []
        return found

    def appeared(self, text: str, around: tuple[Around, ...] = ()) -> list[Place]:
        """Where `text` can be read after but could not before; [] when it cannot, or when nothing changed about it."""
        old, new = self.places(self.before, text, around), self.places(self.after, text, around)
        known = {place.node.uid for place in old}
        fresh_places = [place for place in new if place.node.uid not in known]
        if len(new) > len(old):
            return fresh_places or new
        return [
            place
            for place in fresh_places
            if place.node.uid in self.before.by_uid
            or signature(place.node) not in {signature(p.node) for p in old}
        ]

    def vanished(self, text: str, around: tuple[Around, ...] = ()) -> bool:
        return len(self.places(self.after, text, around)) < len(
            self.places(self.before, text, around)
        )

    @cached_property
    def new_lines(self) -> list[TextLine]:
        return fresh(self.after.seen_lines, self.before.seen_lines)

    @cached_property
    def lost_lines(self) -> list[TextLine]:
        return fresh(self.before.seen_lines, self.after.seen_lines)

    # ---- elements ----------------------------------------------------------------------------------

    def subjects(self, page: Snapshot, phrase: Phrase, most: int = 6) -> list[Node]:
        """Elements that a noun phrase means, best first; only those about as good as the best."""
        if phrase.empty:
            return []
        nodes = [node for node in page.nodes if node.visible and node.index > 1]
        if phrase.ordinal is not None:
            found = best(page, phrase, nodes)
            return [found.node] if found else []
        scored = matches(page, phrase, nodes)
        if not (phrase.quoted or phrase.words):
            scored = [match for match in scored if match.score >= 1.5]
        slack = 1.0 if phrase.quoted else 2.5
        return [match.node for match in scored if match.score > scored[0].score - slack][:most]

    def pairs(self, subject: Phrase) -> list[tuple[Node, Node]]:
        """The subject before and after, in every reading of it."""
        found: list[tuple[Node | None, Node | None]] = [
            (self.old(node), node) for node in self.subjects(self.after, subject)
        ]
        found += [(node, self.new(node)) for node in self.subjects(self.before, subject)]
        known: dict[tuple[str, str], tuple[Node, Node]] = {
            (old.uid, new.uid): (old, new)
            for old, new in found
            if old is not None and new is not None
        }
        return list(known.values())

    def restyled_places(self, most: float) -> list[tuple[Node, Node]]:
        """Elements in view, up to `most` square pixels, that a script restyled."""
        pairs = (
            (self.before.by_uid.get(node.uid), node)
            for node in self.after.nodes
            if node.in_view and node.area < most
        )
        return [(old, new) for old, new in pairs if old is not None and self.restyled(old, new)]

    def old(self, node: Node) -> Node | None:
        """The same element before; a redrawn one is known by its tag, attributes and place."""
        same = self.before.by_uid.get(node.uid)
        return same or next(
            (
                n
                for n in self.before.nodes
                if n.tag == node.tag and n.visible and near(n.box, node.box) and n.role == node.role
            ),
            None,
        )

    def new(self, node: Node) -> Node | None:
        """The same element after."""
        same = self.after.by_uid.get(node.uid)
        return same or next(
            (
                n
                for n in self.after.nodes
                if n.tag == node.tag and n.visible and near(n.box, node.box) and n.role == node.role
            ),
            None,
        )

    def altered(self, old: Node, new: Node) -> bool:
        """Whether an element or a part of it looks different; a mere hover or focus style does not count."""
        if self.before.text(old, seen=True) != self.after.text(new, seen=True) or len(
            self.before.subtree(old)
        ) != len(self.after.subtree(new)):
            return True
        return any(
            self.restyled(a, b)
            for a, b in zip(self.before.subtree(old), self.after.subtree(new), strict=True)
        )

    def restyled(self, old: Node, new: Node) -> bool:
        touched = new.hovered or new.focused or old.hovered or old.focused
        return (old.states, old.marks, old.value) != (new.states, new.marks, new.value) or (
            not touched and (old.look != new.look or not same_size(old.box, new.box))
        )

    @cached_property
    def uncovered(self) -> list[Node]:
        """Elements that are in view now and were not before."""
        seen = {node.uid for node in self.before.nodes if node.in_view}
        return [
            node
            for node in self.after.nodes
            if node.in_view and node.uid not in seen and node.area >= 64
        ]

    @cached_property
    def hidden(self) -> list[Node]:
        """Elements that were in view before and are not now."""
        seen = {node.uid for node in self.after.nodes if node.in_view}
        return [
            node
            for node in self.before.nodes
            if node.in_view and node.uid not in seen and node.area >= 64
        ]

    @cached_property
    def anything(self) -> bool:
        """Whether anything at all changed that a person could see."""
        if (
            (self.before.scroll, self.before.address) != (self.after.scroll, self.after.address)
            or self.new_lines
            or self.lost_lines
        ):
            return True
        if self.uncovered or self.hidden:
            return True
        pairs = ((self.before.by_uid.get(node.uid), node) for node in self.after.nodes)
        return (
            any(
                old is not None and (self.restyled(old, node) or not near(old.box, node.box))
                for old, node in pairs
            )
            or self.repainted
        )

    # ---- pixels ------------------------------------------------------------------------------------

    @cached_property
    def pictures(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Both screenshots as RGB arrays, where there are two of one size."""
        import numpy as np
        from PIL import Image

        if not self.before.screenshot or not self.after.screenshot:
            return None
        old, new = (
            np.asarray(Image.open(io.BytesIO(page.screenshot)).convert("RGB"))
            for page in (self.before, self.after)
        )
        return (old, new) if old.shape == new.shape else None

    @cached_property
    def repainted(self) -> bool:
        """Whether pixels differ where nothing merely hovered or focused stands."""
        if self.pictures is None:
            return False
        differs = (self.pictures[0] != self.pictures[1]).any(axis=2)
        for page in (self.before, self.after):
            for node in page.nodes:
                if (
                    (node.hovered or node.focused)
                    and node.how
                    and node.area < 0.25 * page.width * page.height
                ):
                    x, y, width, height = (int(value) for value in node.box)
                    differs[max(0, y - 6) : y + height + 7, max(0, x - 6) : x + width + 7] = False
        return bool(differs.mean() > 1e-5)


def broken(page: Snapshot, text: str) -> list[Place]:
    """Where `text` can be read over several lines or blocks that lie close together."""
    found, lines = [], page.seen_lines
    joined, starts = "", []
    for line in lines:
        starts.append(len(joined))
        joined += normal(line.text) + " "
    for match in finder(text).finditer(joined):
        covered = [
            line
            for line, start in zip(lines, starts, strict=True)
            if start < match.end() and start + len(normal(line.text)) > match.start()
        ]
        node = page.nodes[covered[0].runs[0].node]
        for line in covered[1:]:
            node = page.common(node, page.nodes[line.runs[0].node])
        if len(covered) <= FEW_LINES and len(page.lines_in(node)) <= 2 * FEW_LINES:
            found.append(Place(node, covered[0].box, " ".join(line.text for line in covered)))
    return found


def fresh(lines: tuple[TextLine, ...], known: tuple[TextLine, ...]) -> list[TextLine]:
    """Lines whose text is not, or less often, among `known`."""
    left = Counter(normal(line.text) for line in known)
    found = []
    for line in lines:
        left[normal(line.text)] -= 1
        if left[normal(line.text)] < 0:
            found.append(line)
    return found


def near(a: Box, b: Box, slack: float = 4.0) -> bool:
    return all(abs(x - y) <= slack for x, y in zip(a, b, strict=True))


def same_size(a: Box, b: Box) -> bool:
    return abs(a[2] - b[2]) <= 2 and abs(a[3] - b[3]) <= 2
