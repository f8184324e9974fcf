"""What a person sees of one element: its kind, the text that labels it, what is around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from weakref import WeakKeyDictionary

from iwr.browser.snapshot import EDITABLE, TOGGLES, Box, Node, Run, Snapshot, TextLine, lines_of
from iwr.contract.geometry import (
    bottom_of,
    gap,
    overlap_across,
    right_of,
    same_row,
    similar_size,
)
from iwr.contract.reading import plain, worded

PICTURES = {"img", "canvas", "video", "graphics-symbol"}
CHOICES = {"combobox", "listbox"}
LANDMARKS = {
    "dialog",
    "alertdialog",
    "navigation",
    "banner",
    "contentinfo",
    "main",
    "complementary",
    "region",
    "article",
    "form",
    "table",
    "list",
    "listbox",
    "menu",
    "toolbar",
    "tablist",
    "tabpanel",
    "group",
    "radiogroup",
}
LEAST_SIDE = 3.0  # a smaller element is there for programs only
LONGEST_LABEL = 120
MOST_LINES = 3  # an element with more lines is labelled by the first
MOST_BESIDE = 6
LABEL_REACH = 300.0  # pixels: how far from a field its label may be
WRONG_SIDE = 60.0  # pixels, on top of the distance
ABOVE = 20.0
FLOWING = ("text", "pseudo")
_LABELS: WeakKeyDictionary[Snapshot, dict[int, str]] = WeakKeyDictionary()
"""By node, as long as the state is needed: the search for a target asks for each label often."""


def kind_of(node: Node) -> str:
    """Return what a person takes the element for, whatever it is made of."""
    if node.tag == "input" and re.search(
        r"^type=file$",
        node.marks,
        re.M,
    ):
        return "file"
    if node.role in EDITABLE:
        return "field"
    if node.role in CHOICES:
        return "choice"
    if node.role in TOGGLES or (node.role == "label" and "checked" in node.states):
        return "toggle"
    if node.role == "slider":
        return "slider"
    if node.role in PICTURES:
        return "picture"
    return "button" if node.how else "other"


def picture_of(node: Node) -> str:
    """Return the file name of the image that an element shows, "" for none or a nameless one."""
    shown = re.search(
        r"[^\s/\"'(]+\.(?:png|jpe?g|webp|gif|svg|avif)\b",
        node.hints,
        re.I,
    )
    if node.tag == "img" and shown:
        return shown[0]
    painted = re.search(r"url\(\"?(?:[^\"|)]*/)?([^\"|)/]+\.\w+)", node.look)
    return painted[1] if painted else ""


def has_size(node: Node) -> bool:
    return min(node.box[2], node.box[3]) >= LEAST_SIDE


def is_reachable(node: Node) -> bool:
    """Return whether a person could point at the element: toggles may be quite transparent."""
    if not has_size(node):
        return False
    return node.visible or kind_of(node) in ("toggle", "file")


# ---- its label ---------------------------------------------------------------------------


def label_of(snapshot: Snapshot, node: Node) -> str:
    """Return the text that a person reads on the element or, for a control, as its label."""
    labels = _LABELS.setdefault(snapshot, {})
    if node.index not in labels:
        labels[node.index] = _label(snapshot, node)
    return labels[node.index]


def _label(snapshot: Snapshot, node: Node) -> str:
    kind = kind_of(node)
    if kind in ("field", "slider", "file") or (kind == "choice" and node.tag == "select"):
        return control_label(snapshot, node)
    text = own_text(snapshot, node)
    if text or kind != "toggle":
        return text
    return control_label(snapshot, node)


def own_text(snapshot: Snapshot, node: Node) -> str:
    """Return the text inside an element: of a large one, its first line."""
    lines = lines_of(_own_runs(snapshot, node))
    if not lines:
        return ""
    text = " ".join(line.text for line in lines)
    if len(lines) > MOST_LINES or len(text) > LONGEST_LABEL:
        return lines[0].text[:LONGEST_LABEL]
    return text


def _own_runs(snapshot: Snapshot, node: Node) -> Iterator[Run]:
    seen_only = node.in_view and node.share > 0.5
    for line in snapshot.lines_in(node, seen=seen_only):
        for run in line.runs:
            if run.kind in FLOWING and min(run.box[2], run.box[3]) > 1:
                yield run


def control_label(snapshot: Snapshot, node: Node) -> str:
    """Return the label of a field or toggle: linked to it, else the nearest text beside it.

    A field with a placeholder needs no text beside it.
    """
    if node.name and _is_readable(snapshot, node.name):
        return node.name
    if node.placeholder:
        return ""
    line = nearest_text(snapshot, node)
    return line.text if line else ""


def _is_readable(snapshot: Snapshot, text: str) -> bool:
    needle = plain(text)
    return any(needle in plain(line.text) for line in snapshot.lines)


def nearest_text(snapshot: Snapshot, node: Node) -> TextLine | None:
    """Return the line that labels a control by its place: aside in its row, else right above it."""
    after = kind_of(node) == "toggle"
    best = None
    best_cost = LABEL_REACH
    for line in lines_outside(snapshot.lines, snapshot, node):
        cost = _label_cost(node.box, line.box, after)
        if cost < best_cost:
            best = line
            best_cost = cost
    return best


def lines_outside(
    lines: Iterable[TextLine],
    snapshot: Snapshot,
    node: Node,
) -> list[TextLine]:
    """Return the lines that say something, without the pieces of them that are in `node`."""
    runs = []
    for line in lines:
        for run in line.runs:
            if run.kind in FLOWING and not snapshot.within(run.node, node.index):
                runs.append(run)
    return [line for line in lines_of(runs) if worded(line.text)]


def _label_cost(
    control: Box,
    text: Box,
    after: bool,
) -> float:
    """Return how far a text is from where the label of a control would be, in pixels.

    `after`: labels of this control are to the right of it, not to the left.
    """
    covers = overlap_across(control, text) >= 0
    if same_row(control, text):
        if covers:
            return 0.0 if after else LABEL_REACH
        is_right = text[0] >= right_of(control)
        distance = -overlap_across(control, text)
        return distance if is_right == after else distance + WRONG_SIDE
    above = control[1] - bottom_of(text)
    if covers and above >= -2:
        return max(0.0, above) + ABOVE
    return LABEL_REACH


# ---- what stands around it ---------------------------------------------------------------


def beside(snapshot: Snapshot, node: Node) -> tuple[str, ...]:
    """Return the texts of the smallest group around an element, the nearest first."""
    own = plain(label_of(snapshot, node))
    for ancestor in snapshot.ancestors(node):
        lines = lines_outside(snapshot.lines_in(ancestor), snapshot, node)
        lines.sort(key=lambda line: gap(node.box, line.box))
        texts = dict.fromkeys(line.text for line in lines)
        others = [text for text in texts if plain(text) != own]
        if others:
            return tuple(others[:MOST_BESIDE])
    return ()


def container_of(snapshot: Snapshot, node: Node) -> tuple[str, str | None]:
    """Return the heading or name of the region around an element, and the region's role."""
    for ancestor in snapshot.ancestors(node):
        if ancestor.role not in LANDMARKS:
            continue
        heading = _heading_in(
            snapshot,
            ancestor,
            node,
        )
        if heading or ancestor.name:
            return heading or ancestor.name, ancestor.role
    return "", None


def _heading_in(
    snapshot: Snapshot,
    region: Node,
    node: Node,
) -> str:
    """Return the last heading in `region` that stands before `node` in the document."""
    text = ""
    for entry in snapshot.subtree(region):
        if entry.index >= node.index:
            break
        if entry.role in ("heading", "columnheader", "legend"):
            text = snapshot.text(entry)
    return text


# ---- its like ----------------------------------------------------------------------------


def alike(
    snapshot: Snapshot,
    node: Node,
    pool: Iterable[Node],
) -> list[Node]:
    """Return the elements of `pool` that look like `node`: the same label or, without, its size."""
    label = plain(label_of(snapshot, node))
    kind = kind_of(node)
    like = []
    for other in pool:
        if kind_of(other) != kind:
            continue
        text = plain(label_of(snapshot, other))
        if worded(label):
            fits = text == label
        else:
            fits = not worded(text) and similar_size(node.box, other.box)
        if fits:
            like.append(other)
    return outermost(
        snapshot,
        like,
        node,
    )


def outermost(
    snapshot: Snapshot,
    nodes: Iterable[Node],
    kept: Node,
) -> list[Node]:
    """Return the nodes that lie in none of the others; of a nest around `kept`, `kept` itself."""
    result: list[Node] = []
    for node in sorted(nodes, key=lambda entry: entry.index):
        if snapshot.within(kept.index, node.index) and node.index != kept.index:
            continue
        nested = any(snapshot.within(node.index, entry.index) for entry in result)
        if not nested or node.index == kept.index:
            result.append(node)
    return result
