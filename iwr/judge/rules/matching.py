"""Which element of a page a phrase means. Answers None rather than guess: a missing control must not be replaced by a neighbour."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.fuzz import ratio

from iwr.browser.page_state import EDITABLE, TOGGLES, Box, Node, Snapshot, TextLine
from iwr.judge.rules.language import ROLE_WORDS, STOP, holds, normal, related, stem, stems, symbols
from iwr.judge.rules.phrases import Around, Phrase, singular

STOPS = frozenset(stem(word) for word in STOP)
LONGEST_LABEL = 300  # characters; longer texts are content, not labels
SIGN_WORDS = {"icon", "symbol", "glyph", "arrow", "chevron"}
NEED = 0.5  # share of the phrase's words that must be found


class Match(NamedTuple):
    node: Node
    score: float


class Scorer:
    """Scores the nodes of one page against phrases; what it learns about a node is kept."""

    def __init__(self, page: Snapshot):
        self.page = page
        self._labels: dict[int, tuple[str, ...]] = {}
        self._words: dict[int, frozenset[str]] = {}

    # ---- what a node is called --------------------------------------------------------------------

    def labels(self, node: Node) -> tuple[str, ...]:
        """The texts by which a person would call it, best first."""
        if node.index not in self._labels:
            found = [node.name, node.placeholder, *node.options]
            if node.role not in EDITABLE:
                text = self.page.text(node)
                found.append(text if len(text) <= LONGEST_LABEL else "")
            if not (node.name or node.placeholder or self.page.text(node)) and (
                node.role in EDITABLE | TOGGLES or node.tag in ("select", "input")
            ):
                found.append(self.beside(node))
            found += [child.name for child in self.page.subtree(node)[1:8] if child.name]
            self._labels[node.index] = tuple(
                dict.fromkeys(label for label in found if label.strip())
            )
        return self._labels[node.index]

    def beside(self, node: Node) -> str:
        """The text that labels a control only by standing before, above or (for a toggle) after it."""
        x, y, width, height = node.box
        best, nearest = "", 60.0
        for line in self.page.lines:
            lx, ly, lw, lh = line.box
            holder = self.page.nodes[line.runs[0].node]
            if (
                self.page.within(holder.index, node.index)
                or holder.role in ("button", "link")
                or line.runs[0].kind in ("value", "placeholder")
            ):
                continue
            level = min(y + height, ly + lh) - max(y, ly) > 0
            under = min(x + width, lx + lw) - max(x, lx) > 0
            gap = (
                x - lx - lw
                if level and lx + lw <= x + 2
                else lx - x - width
                if level and lx >= x + width - 2 and node.role in TOGGLES
                else (y - ly - lh if under and ly + lh <= y + 2 else nearest)
            )
            if -3 <= gap < nearest:
                best, nearest = line.text, gap
        return best

    def words(self, node: Node) -> frozenset[str]:
        """Stems of everything that tells what it is: labels, signs, names in its attributes, its own pictures."""
        if node.index not in self._words:
            inner = self.page.subtree(node)[:12]
            text = " ".join(self.labels(node))
            hints = " ".join(
                part.hints
                for part in inner
                if part is node or not part.how or part.how in ("under", "page")
            )
            signs = symbols(self.page.text(node)[:40]) | symbols(node.name)
            self._words[node.index] = frozenset(
                stems(text) | stems(hints) | signs | {stem(node.role), stem(node.tag)}
            )
        return self._words[node.index]

    # ---- how well a node fits ----------------------------------------------------------------------

    def own(self, node: Node, phrase: Phrase) -> float | None:
        """Fit of the node itself, about 0..20; None when it is something else."""
        score = 0.0
        for text in phrase.quoted:
            quality = max((alike(label, text) for label in self.labels(node)), default=0.0)
            quality = max(
                quality,
                0.85
                * max(
                    (alike(line.text, text) for line in self.page.lines_in(node)[:3]), default=0.0
                ),
            )
            if quality < 0.5 and not (stems(text) and stems(text) <= self.words(node)):
                return None
            score += 10 * max(quality, 0.55)
        if phrase.words:
            share = self.share(node, phrase.words)
            if not phrase.quoted and (
                (share < NEED and not self.completed(node, phrase))
                or self.contradicts(node, phrase, share)
            ):
                return None
            score += (2 if phrase.quoted else 8) * share + (
                2 if phrase.verb and self.share(node, [phrase.verb]) else 0
            )
            if not phrase.quoted:
                score += 2 * self.fullness(node, phrase)
        return score + self.kind(node, phrase)

    def completed(self, node: Node, phrase: Phrase) -> bool:
        """Whether what holds the node says the words that it does not say itself: "Close the settings dialog"."""
        missing = [word for word in phrase.words if not related(word) & self.words(node)]
        holders = [
            holder
            for holder in list(self.page.ancestors(node))[:4]
            if holder.area < 0.6 * self.page.width * self.page.height
        ]
        said = {
            s
            for holder in holders
            for s in stems(holder.hints)
            | stems(holder.name)
            | stems(self.page.text(holder)[:LONGEST_LABEL])
        }
        return len(missing) < len(phrase.words) and all(related(word) & said for word in missing)

    def contradicts(self, node: Node, phrase: Phrase, share: float) -> bool:
        """Half the words fit, but the label has others instead: "First name" for the last name."""
        if share > NEED:
            return False
        wanted = {s for word in (*phrase.words, *phrase.roles) for s in related(word)}
        called = [
            {s for s in stems(label) - STOPS if not s.isdigit()} for label in self.labels(node)
        ]
        return any(label & wanted and label - wanted for label in called)

    def share(self, node: Node, wanted: Iterable[str]) -> float:
        """Share of the words that the node answers to; 1 for no words."""
        wanted = list(wanted)
        return sum(
            1.0 if stem(w) in self.words(node) else 0.8 if related(w) & self.words(node) else 0.0
            for w in wanted
        ) / max(1, len(wanted))

    def fullness(self, node: Node, phrase: Phrase) -> float:
        """How much of the node's best label the phrase says: prefers `Cart` to `Cart is empty, go shopping`."""
        said = {s for word in (*phrase.words, *phrase.roles) for s in related(word)}
        return max(
            (len(stems(label) & said) / max(1, len(stems(label))) for label in self.labels(node)),
            default=0.3,
        )

    def kind(self, node: Node, phrase: Phrase) -> float:
        """Fit of its kind, -1..2."""
        if not phrase.roles:
            return 0.0
        wanted = {role for word in phrase.roles for role in ROLE_WORDS[singular(word)]}
        inner = {part.role for part in self.page.subtree(node)[:4]}
        named = any(stem(word) in self.words(node) for word in phrase.roles)
        sign = 0.0
        if SIGN_WORDS & set(phrase.roles):  # an icon is known by having no words
            sign = -1.0 if re.search(r"\w\w", self.page.text(node)) else 1.0
        if node.role in wanted:
            return 2.0 + sign
        other = -1.0 if node.role in EDITABLE and not phrase.writable else 0.0
        return sign + (1.5 if named else 1.0 if inner & wanted else other)

    # ---- where it is -------------------------------------------------------------------------------

    def surroundings(self, node: Node, around: Around) -> float | None:
        """How closely the node belongs to what stands around it, 0..3; None when it belongs elsewhere."""
        best: float | None = None
        places = self.place(node, around.places) if around.places else 0.0
        found = self.occurrences(around)
        for there in found:
            bond = belongs(self.page, node, there)
            best = bond if best is None or (bond or 0) > best else best
        if not found:
            return None if (around.names or around.quoted) else places
        return None if best is None else 2 * best + places

    def occurrences(self, around: Around) -> list[Node]:
        """Elements that the words around mean: texts first, else names in attributes."""
        needed = around.names or around.words

        def said(line: TextLine) -> bool:
            return all(holds(line.text, text) for text in around.quoted) and (
                bool(around.quoted) or all(related(word) & stems(line.text) for word in needed)
            )

        if not (around.quoted or around.words):
            return []
        lines = [self.page.nodes[line.runs[0].node] for line in self.page.lines if said(line)]
        named = [
            node
            for node in self.page.nodes
            if node.visible
            and not around.quoted
            and all(
                related(w) & (stems(node.hints) | stems(node.name) | {stem(node.role)})
                for w in needed
            )
        ]
        named += [
            node
            for node in self.page.nodes
            if around.quoted
            and any(
                alike(node.name, text) > 0.8 or alike(node.placeholder, text) > 0.8
                for text in around.quoted
            )
        ]
        return lines + named

    def place(self, node: Node, places: frozenset[str]) -> float:
        """Whether it stands where the words say ("top", "left", "footer"), -1..1 each."""
        x, y = node.center
        width, height = max(1, self.page.width), max(1, self.page.height)
        near = {
            "top": 1 - 2 * y / height,
            "upper": 1 - 2 * y / height,
            "bottom": 2 * y / height - 1,
            "lower": 2 * y / height - 1,
            "left": 1 - 2 * x / width,
            "right": 2 * x / width - 1,
        }
        score = sum(max(-1.0, min(1.0, near[place])) for place in places if place in near)
        for place, role, tag in (
            ("header", "banner", "header"),
            ("footer", "contentinfo", "footer"),
        ):
            if place in places:
                score += (
                    1
                    if any(
                        a.role == role or a.tag == tag or place in a.hints
                        for a in self.page.ancestors(node)
                    )
                    else near["top" if place == "header" else "bottom"] / 2
                )
        return score

    def purpose(self, node: Node, words: tuple[str, ...]) -> float:
        """A weak hint from "to …", 0..1."""
        return self.share(node, words) if words else 0.0


def alike(label: str, text: str) -> float:
    """How surely a label is the quoted text, 0..1."""
    a, b = normal(label), normal(text)
    if not a or not b:
        return 0.0
    if a == b:
        return 1.0
    bare_a, bare_b = re.sub(r"[\W_]+", "", a), re.sub(r"[\W_]+", "", b)
    if bare_a and bare_a == bare_b:
        return 0.97
    if holds(a, b):
        return 0.5 + 0.4 * len(b) / len(a)
    return 0.7 if len(b) > 4 and ratio(a, b) >= 90 else 0.0


@lru_cache(maxsize=4)
def scorer(page: Snapshot) -> Scorer:
    return Scorer(page)


def belongs(page: Snapshot, node: Node, there: Node) -> float | None:
    """How closely two elements belong together, 0..1; None when they sit in two different items of one list.

    Two branches of the same kind (tag and class), each with several parts, are items of a list: what stands in one says
    nothing about the other. Cells of one row are no such items.
    """
    shared = page.common(node, there)
    if shared.index in (node.index, there.index):
        return 1.0
    a, b = page.branch(node, shared), page.branch(there, shared)
    item = (
        shared.role not in ("row",)
        and shared.tag != "tr"
        and signature(a) == signature(b)
        and min(parts(page, a), parts(page, b)) >= 2
    )
    if item:
        return None
    gap = distance(node.box, there.box)
    closeness = 1 / (1 + gap / 150)
    size = min(1.0, shared.area / max(1.0, page.width * page.height))
    return 0.5 * closeness + 0.5 * (1 - size)


def signature(node: Node) -> tuple[str, str]:
    """Equal for the items of one list, whatever state each is in."""
    classes = re.search(r"^class=(\S+)", node.marks, re.M)
    return node.tag, classes[1] if classes else ""


def parts(page: Snapshot, node: Node) -> int:
    """Texts and controls in a branch."""
    return len(page.lines_in(node)) + sum(
        1
        for part in page.subtree(node)[1:]
        if part.how in ("semantic", "listener", "class", "pointer") or part.tag == "img"
    )


def distance(a: Box, b: Box) -> float:
    """Gap between two boxes, in CSS pixels; a step sideways counts less than one down."""
    across = max(0.0, max(a[0], b[0]) - min(a[0] + a[2], b[0] + b[2]))
    down = max(0.0, max(a[1], b[1]) - min(a[1] + a[3], b[1] + b[3]))
    return across + 2 * down


def best(page: Snapshot, phrase: Phrase, nodes: Iterable[Node]) -> Match | None:
    """The one of `nodes` that the phrase means, or None."""
    scored = matches(page, phrase, nodes)
    if phrase.ordinal is not None:
        return nth(page, phrase, scored)
    if not scored:
        return None
    if not (phrase.quoted or phrase.words) and not _told_apart(scored):
        return None
    return innermost(page, scored)


def innermost(page: Snapshot, scored: list[Match]) -> Match:
    """The first, or about as good a part of it that says the same."""
    first = scored[0]
    text = page.text(first.node)
    parts = [
        m
        for m in scored
        if page.within(m.node.index, first.node.index)
        and m.score > first.score - 0.5
        and page.text(m.node) == text
    ]
    return (
        max(parts, key=lambda match: match.node.index)
        if first.node.how in ("under", "page")
        else first
    )


def _told_apart(scored: list[Match]) -> bool:
    """With nothing but a kind ("the button"), the first must be the only one, or clearly ahead."""
    return len(scored) == 1 or scored[0].score - scored[1].score > 0.05


def matches(page: Snapshot, phrase: Phrase, nodes: Iterable[Node]) -> list[Match]:
    """All that fit, best first."""
    judge, found = scorer(page), []
    for node in nodes:
        score = judge.own(node, phrase)
        if score is None or (not (phrase.quoted or phrase.words) and score < 1 and phrase.roles):
            continue
        bonds = [
            judge.surroundings(node, around)
            for around in (*phrase.around, *unsaid(judge, node, phrase))
        ]
        if None in bonds:
            continue
        score += (
            sum(bond for bond in bonds if bond is not None)
            + judge.place(node, phrase.places)
            + judge.purpose(node, phrase.purpose)
        )
        found.append(Match(node, score + handiness(node)))
    return sorted(
        found, key=lambda match: (-round(match.score, 3), match.node.area, match.node.index)
    )


def unsaid(judge: Scorer, node: Node, phrase: Phrase) -> list[Around]:
    """Names that the node does not say itself must stand around it: "Add the Blue Mug to the cart"."""
    names = tuple(
        name
        for name in phrase.names
        if stem(name) not in judge.words(node) and not related(name) & judge.words(node)
    )
    return [Around((), names, names, frozenset())] if names and not phrase.quoted else []


def handiness(node: Node) -> float:
    """Prefers real controls, in view, enabled."""
    score = {
        "semantic": 1.0,
        "listener": 1.0,
        "class": 0.9,
        "pointer": 0.9,
        "under": 0.4,
        "page": 0.0,
    }.get(node.how or "", 0.0)
    return (
        score
        + (0.4 if node.in_view else 0.0)
        - (0.3 if node.states.get("disabled") == "true" else 0.0)
    )


def nth(page: Snapshot, phrase: Phrase, scored: list[Match]) -> Match | None:
    """The ordinal-th of a row of like elements, in reading order."""
    number = phrase.ordinal or 1
    rows = [
        row
        for row in alike_rows(page, scored)
        if len(row) >= max(2, number) or (number in (1, -1) and len(row) == 1)
    ]
    if not rows:
        return None
    row = max(
        rows,
        key=lambda row: (
            round(sum(m.score for m in row) / len(row), 1) + (1 if len(row) > 1 else 0),
            len(row),
        ),
    )
    ordered = reading_order([match.node for match in row])
    node = ordered[number - 1 if number > 0 else -1]
    return next(match for match in row if match.node is node)


def alike_rows(page: Snapshot, scored: list[Match]) -> list[list[Match]]:
    """Groups of like elements: siblings, and equal parts of repeated items."""
    depth = {node.index: 0 for node in page.nodes[:1]}
    for node in page.nodes[1:]:
        depth[node.index] = depth[node.parent] + 1
    groups: dict[tuple[object, ...], list[Match]] = defaultdict(list)
    for match in scored:
        groups["siblings", match.node.parent, match.node.tag].append(match)
        groups["page", depth[match.node.index], match.node.tag, match.node.role].append(match)
    return list(groups.values())


def reading_order(nodes: list[Node]) -> list[Node]:
    """Row by row, each from left to right; nodes whose middles differ by less than half a height share a row."""
    rows: list[list[Node]] = []
    for node in sorted(nodes, key=lambda n: (n.center[1], n.center[0])):
        last = rows[-1][0] if rows else None
        if last and abs(node.center[1] - last.center[1]) < max(
            4.0, min(last.box[3], node.box[3]) / 2
        ):
            rows[-1].append(node)
        else:
            rows.append([node])
    return [node for row in rows for node in sorted(row, key=lambda n: n.center[0])]
