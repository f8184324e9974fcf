"""An element described as a person sees it, and found again on another page.

Tags, classes, attributes and the order of the markup do not count. What counts, in this order: the
kind of element and its label, the texts around it, its place among its like, where it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.elements import (
    alike,
    beside,
    container_of,
    control_label,
    in_reading_order,
    is_reachable,
    kind_of,
    label_of,
    outermost,
    own_text,
    picture_of,
)
from iwr.contract.reading import passages, plain, worded, words
from iwr.contract.schema import Target, Verb

NEAR = 0.15  # of the diagonal of the viewport
CLEAR_LEAD = 0.75  # points between the best candidate and the next
LEAST_POINTS = 2.0  # for an element without a readable label
CONTROLS = {"field", "choice", "toggle", "slider", "file"}
COMPATIBLE = {
    "field": {"field", "choice", "slider"},
    "choice": {"choice", "field", "button"},
    "slider": {"slider", "field", "button", "other"},
    "toggle": {"toggle", "button", "picture", "other"},
    "file": {"file", "button"},
    "button": {"button", "choice", "toggle", "picture", "file", "other"},
    "picture": {"picture", "button", "other"},
    "other": {"other", "button", "picture", "toggle", "choice", "field"},
}
INPUTS = {Verb.TYPE: {"field", "choice", "slider"}, Verb.SELECT: {"choice", "field"}}


class Match(NamedTuple):
    """What fits a target: a node, or the reason why there is none. `tied`: several fit as well."""

    node: Node | None
    reason: str = ""
    tied: bool = False


def describe_target(snapshot: Snapshot, node: Node) -> Target:
    """Return how a person would tell `node` from everything else on the page."""
    label = label_of(snapshot, node)
    container, container_role = container_of(snapshot, node)
    like = alike(snapshot, node, _pool(snapshot, node))
    row, column = _cell(like, node)
    hidden_name = node.name if plain(node.name) != plain(label) else ""
    return Target(
        label=label,
        name=hidden_name,
        placeholder=node.placeholder,
        picture=picture_of(node),
        role=node.role,
        kind=kind_of(node),
        states=node.states,
        beside=beside(snapshot, node),
        container=container,
        container_role=container_role,
        index=_index(like, node),
        count=len(like),
        row=row,
        column=column,
        box=node.box,
        viewport=(snapshot.width, snapshot.height),
        how=node.how,
    )


def _pool(snapshot: Snapshot, node: Node) -> list[Node]:
    """Return what `node` is told from: elements that react or, where it does not, all."""
    reactive = [entry for entry in snapshot.nodes if entry.how and is_reachable(entry)]
    if node.how:
        return reactive if node in reactive else [*reactive, node]
    return [entry for entry in snapshot.nodes if is_reachable(entry) and entry.parent >= 0]


def _index(like: list[Node], node: Node) -> int:
    order = [entry.index for row in in_reading_order(like) for entry in row]
    return order.index(node.index) if node.index in order else 0


def _cell(like: list[Node], node: Node) -> tuple[int, int]:
    """Return the row and the column of a node in the rows that its like form."""
    for number, row in enumerate(in_reading_order(like)):
        for column, entry in enumerate(row):
            if entry.index == node.index:
                return number, column
    return 0, 0


# ---- finding -----------------------------------------------------------------------------


def find(target: Target, page: Snapshot, verb: Verb | None = None) -> Match:
    """Return the element of `page` that a person would take for `target`."""
    reactive = [node for node in page.nodes if node.how and is_reachable(node)]
    others = [node for node in page.nodes if node.parent >= 0 and is_reachable(node)]
    for pool in (reactive, others):
        fitting = [node for node in pool if _fits(target, page, node, verb)]
        fitting = _without_wrappers(target, page, fitting)
        if fitting:
            return _choose(target, page, fitting)
    return Match(None, f"no {_noun(target)} on the page")


def _noun(target: Target) -> str:
    name = target.label or target.name or target.placeholder
    if name:
        return f"element {name!r}"
    around = f" beside {target.beside[0]!r}" if target.beside else ""
    return f"{target.kind or 'element'}{around} like the recorded one"


def _fits(target: Target, page: Snapshot, node: Node, verb: Verb | None) -> bool:
    """Return whether kind and label let `node` be the target."""
    kind = kind_of(node)
    if verb in INPUTS and kind not in INPUTS[verb]:
        return False
    if target.kind and kind not in COMPATIBLE.get(target.kind, {kind}):
        return False
    return _label_points(target, page, node) is not None


def _labels(page: Snapshot, node: Node) -> list[str]:
    """Return all that could be taken for the label of a node, the likeliest first."""
    texts = [label_of(page, node)]
    if kind_of(node) in CONTROLS:
        texts += [node.name, control_label(page, node), node.placeholder]
        if kind_of(node) != "field":
            texts.append(own_text(page, node))
    return [plain(text) for text in dict.fromkeys(texts) if text]


def _label_points(target: Target, page: Snapshot, node: Node) -> float | None:
    """Return how well the labels agree, 0..10; None when they contradict each other."""
    if target.picture and picture_of(node):
        return 10.0 if picture_of(node) == target.picture else None
    names = [plain(text) for text in (target.label, target.placeholder) if text]
    spoken = [name for name in names if worded(name)]
    labels = _labels(page, node)
    if spoken:
        return _spoken_points(spoken, labels, plain(node.name))
    readable = [label for label in labels if worded(label)]
    if target.kind in CONTROLS:
        return 1.0
    if not readable:
        same_sign = bool(names) and names[0] in labels
        same_name = bool(target.name) and _share(target.name, node.name) > 0.5
        return 3.0 * same_sign + 2.0 * same_name
    share = max(_share(target.name, label) for label in readable) if target.name else 0.0
    return 2.0 * share if share >= 0.5 else None


def _spoken_points(names: list[str], labels: list[str], hidden: str) -> float | None:
    best = 0.0
    for name in names:
        for label in labels:
            best = max(best, _agreement(name, label))
        if hidden:
            best = max(best, 0.6 * _agreement(name, hidden))
    return best if best >= 4 else None


def _agreement(name: str, label: str) -> float:
    """Return 10 for the same text, less where one holds the other, 0 for different texts."""
    if name == label:
        return 10.0
    wanted, actual = words(name), words(label)
    if wanted == actual and wanted:
        return 9.0
    if not wanted or not actual:
        return 0.0
    if _holds(actual, wanted) or _holds(wanted, actual):
        return 4.0 + 4.0 * min(len(wanted), len(actual)) / max(len(wanted), len(actual))
    letters = [word for word in wanted if not word[0].isdigit()]
    if letters and letters == [word for word in actual if not word[0].isdigit()]:
        return 4.5  # only a number differs, such as a counter
    return 0.0


def _holds(whole: list[str], part: list[str]) -> bool:
    span = len(part)
    return any(whole[at : at + span] == part for at in range(len(whole) - span + 1))


def _share(first: str, second: str) -> float:
    """Return the part of the words of the shorter text that the other one has too."""
    a, b = set(words(first)), set(words(second))
    if not a or not b:
        return 0.0
    return len(a & b) / min(len(a), len(b))


def _without_wrappers(target: Target, page: Snapshot, nodes: list[Node]) -> list[Node]:
    """Return the nodes, of each nest only the one that fits best and, then, the innermost."""
    kept: list[Node] = []
    for node in sorted(nodes, key=lambda entry: -entry.index):
        points = _own_points(target, page, node)
        inner = [entry for entry in kept if page.within(entry.index, node.index)]
        if not inner:
            kept.append(node)
        elif all(points > _own_points(target, page, entry) for entry in inner):
            kept = [entry for entry in kept if entry not in inner]
            kept.append(node)
    return kept


def _own_points(target: Target, page: Snapshot, node: Node) -> float:
    same_kind = kind_of(node) == target.kind
    same_role = node.role == target.role
    label = _label_points(target, page, node) or 0.0
    return label + 2.0 * same_kind + 0.5 * same_role + 0.25 * (node.how == target.how)


# ---- choosing ----------------------------------------------------------------------------


def _choose(target: Target, page: Snapshot, nodes: list[Node]) -> Match:
    """Return the best of the nodes that could be the target."""
    points = {node.index: _own_points(target, page, node) for node in nodes}
    _add_context(target, page, nodes, points)
    _add_place(target, page, nodes, points)
    ranking = sorted(nodes, key=lambda node: -points[node.index])
    best = ranking[0]
    if not _is_named(target) and points[best.index] < LEAST_POINTS:
        return Match(None, f"no {_noun(target)} on the page")
    lead = points[best.index] - points[ranking[1].index] if len(ranking) > 1 else math.inf
    if lead >= CLEAR_LEAD:
        return Match(best)
    equals = [node for node in ranking if points[best.index] - points[node.index] < CLEAR_LEAD]
    return _nearest(target, page, equals)


def _is_named(target: Target) -> bool:
    texts = (target.label, target.placeholder, target.picture)
    return any(worded(text) for text in texts)


def _add_context(
    target: Target, page: Snapshot, nodes: list[Node], points: dict[int, float]
) -> None:
    """Reward the nodes that are closest to the texts around the target."""
    contexts = [(text, 3.0 / (1 + place)) for place, text in enumerate(target.beside)]
    if target.container:
        contexts.append((target.container, 1.0))
    for text, weight in contexts:
        anchors = [
            (page.nodes[passage.lines[0].node], passage.center)
            for passage in passages(page.lines, text)
        ]
        if not anchors:
            continue
        spans = {node.index: _span(page, node, anchors) for node in nodes}
        closest = min(spans.values())
        for node in nodes:
            if spans[node.index] <= closest * 1.02 + 1:
                points[node.index] += weight


def _span(page: Snapshot, node: Node, anchors: list[tuple[Node, tuple[float, float]]]) -> float:
    """Return how much of the page it takes to hold a node and a text, in square pixels.

    In a flat grid, where all share one parent, the distance decides.
    """
    best = math.inf
    for holder, center in anchors:
        shared = page.common(node, holder)
        distance = math.dist(node.center, center)
        best = min(best, shared.area + distance)
    return best


def _add_place(target: Target, page: Snapshot, nodes: list[Node], points: dict[int, float]) -> None:
    """Reward the nodes whose place among their like is the target's, and those where it was."""
    for node in nodes:
        like = alike(page, node, nodes)
        row, column = _cell(like, node)
        if len(like) > 1 or target.count > 1:
            same_cell = (row, column) == (target.row, target.column)
            same_index = _index(like, node) == target.index
            points[node.index] += 1.0 * same_cell + 1.0 * same_index
            points[node.index] += 0.5 * (len(like) == target.count)
        distance = _distance(target, page, node)
        if distance < NEAR:
            points[node.index] += 1.0 * (1 - distance / NEAR)


def _distance(target: Target, page: Snapshot, node: Node) -> float:
    """Return how far the node is from the target's place, in diagonals of the viewport."""
    if target.box is None:
        return 1.0
    width, height = target.viewport or (page.width, page.height)
    x, y, box_width, box_height = target.box
    old = (x + box_width / 2) / width, (y + box_height / 2) / height
    new = node.center[0] / page.width, node.center[1] / page.height
    return math.dist(old, new) / math.sqrt(2)


def _nearest(target: Target, page: Snapshot, nodes: list[Node]) -> Match:
    """Return, of nodes that fit equally well, the one with the target's place."""
    if target.box is None and target.count == 1:
        return Match(nodes[0], tied=len(nodes) > 1)
    ranking = sorted(nodes, key=lambda node: _distance(target, page, node))
    first, second = ranking[0], ranking[1]
    gap = _distance(target, page, second) - _distance(target, page, first)
    tied = gap < 0.01 and not _overlap(first, second)
    return Match(first, tied=tied)


def _overlap(a: Node, b: Node) -> bool:
    across = min(a.box[0] + a.box[2], b.box[0] + b.box[2]) - max(a.box[0], b.box[0])
    along = min(a.box[1] + a.box[3], b.box[1] + b.box[3]) - max(a.box[1], b.box[1])
    return across > 0 and along > 0


def all_like(target: Target, page: Snapshot) -> list[Node]:
    """Return the elements in view that look like `target`: its like on this page."""
    pool: Iterable[Node] = (node for node in page.nodes if is_reachable(node) and node.in_view)
    fitting = [node for node in pool if _fits(target, page, node, None)]
    if not _is_named(target) and target.box:
        fitting = [node for node in fitting if _has_its_size(target, node)]
    if not fitting:
        return []
    same_kind = [node for node in fitting if kind_of(node) == target.kind] or fitting
    return outermost(page, same_kind, same_kind[-1])


def _has_its_size(target: Target, node: Node) -> bool:
    if target.box is None:
        return True
    for old, new in zip(target.box[2:], node.box[2:], strict=True):
        if min(old, new) < 0.6 * max(old, new):
            return False
    return True
