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
from iwr.contract.reading import plain, plain_texts, worded

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
OVERLAP = 2.0  # how far a label above a control may reach into it
FLOWING = ("text", "pseudo")
TRANSPARENT = ("toggle", "file")
"""Kinds of controls that pages make transparent and draw themselves."""
LABELLED = ("field", "slider", "file")
"""Kinds of controls whose own text is no label."""
HEADINGS = ("heading", "columnheader", "legend")
FILE_INPUT = re.compile(r"^type=file$", re.M)
PICTURE_FILE = re.compile(r"[^\s/\"'(]+\.(?:png|jpe?g|webp|gif|svg|avif)\b", re.I)
PAINTED_FILE = re.compile(r"url\(\"?(?!data:)(?:[^\"|)]*/)?([^\"|)/]+\.\w+)")
_LABELS: WeakKeyDictionary[Snapshot, dict[int, str]] = WeakKeyDictionary()
"""By node, as long as the state is needed: the search for a target asks for each label often."""


def kind_of(node: Node) -> str:
    """Return what a person takes the element for, whatever it is made of."""
    role = node.role
    if node.tag == "input" and FILE_INPUT.search(node.marks):
        return "file"
    if role in EDITABLE:
        return "field"
    if role in CHOICES:
        return "choice"
    if role in TOGGLES:
        return "toggle"
    if role == "label" and "checked" in node.states:
        return "toggle"
    if role == "slider":
        return "slider"
    if role in PICTURES:
        return "picture"
    return "button" if node.how else "other"


def picture_of(node: Node) -> str:
    """Return the file name of the image that an element shows, "" for none or a nameless one."""
    if node.tag == "img":
        shown = PICTURE_FILE.search(node.hints)
        if shown:
            return shown[0]
    painted = PAINTED_FILE.search(node.look)
    if painted:
        return painted[1]
    return ""


def has_size(node: Node) -> bool:
    """Return whether an element is large enough to be seen."""
    return min(node.box[2:]) >= LEAST_SIDE


def is_reachable(node: Node) -> bool:
    """Return whether a person could point at the element: toggles may be quite transparent."""
    if not has_size(node):
        return False
    if node.visible:
        return True
    return kind_of(node) in TRANSPARENT


# ---- its label ---------------------------------------------------------------------------


def label_of(snapshot: Snapshot, node: Node) -> str:
    """Return the text that a person reads on the element or, for a control, as its label."""
    labels = _LABELS.setdefault(snapshot, {})
    if node.index not in labels:
        labels[node.index] = _label(snapshot, node)
    return labels[node.index]


def _label(snapshot: Snapshot, node: Node) -> str:
    """Return the label of an element: of a control that beside it, else its own text."""
    kind = kind_of(node)
    if kind in LABELLED:
        return control_label(snapshot, node)
    if kind == "choice" and node.tag == "select":
        return control_label(snapshot, node)
    text = own_text(snapshot, node)
    if kind == "toggle" and not text:
        return control_label(snapshot, node)
    return text


def own_text(snapshot: Snapshot, node: Node) -> str:
    """Return the text inside an element: of a large one, its first line."""
    lines = lines_of(_own_runs(snapshot, node))
    texts = [line.text for line in lines]
    if not texts:
        return ""
    text = " ".join(texts)
    is_long = len(texts) > MOST_LINES or len(text) > LONGEST_LABEL
    if is_long:
        return texts[0][:LONGEST_LABEL]
    return text


def _own_runs(snapshot: Snapshot, node: Node) -> Iterator[Run]:
    """Yield the pieces of text in an element; if most of it is in view, those that are seen."""
    is_seen = node.in_view and node.share > 0.5
    for line in snapshot.lines_in(node, seen=is_seen):
        for run in line.runs:
            has_extent = min(run.box[2:]) > 1
            if has_extent and run.kind in FLOWING:
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
    """Return whether a line of the page, in view or not, has the text."""
    needle = plain(text)
    texts = plain_texts(snapshot.lines)
    return any(needle in text for text in texts)


def nearest_text(snapshot: Snapshot, node: Node) -> TextLine | None:
    """Return the line that labels a control by its place: aside in its row, else right above it."""
    is_right = kind_of(node) == "toggle"
    best = None
    best_cost = LABEL_REACH
    for line in lines_outside(snapshot.lines, snapshot, node):
        cost = _label_cost(node.box, line.box, is_right)
        if cost < best_cost:
            best = line
            best_cost = cost
    return best


def _label_cost(control: Box, text: Box, is_right: bool) -> float:
    """Return how far a text is from where the label of a control would be, in pixels.

    `is_right`: labels of this control are to the right of it, not to the left.
    """
    shared = overlap_across(control, text)
    if same_row(control, text):
        if shared >= 0:
            return 0.0 if is_right else LABEL_REACH
        distance = -shared
        if is_right == (text[0] >= right_of(control)):
            return distance
        return distance + WRONG_SIDE
    above = control[1] - bottom_of(text)
    if shared < 0 or above < -OVERLAP:
        return LABEL_REACH
    return ABOVE + max(0.0, above)


def lines_outside(lines: Iterable[TextLine], snapshot: Snapshot, node: Node) -> list[TextLine]:
    """Return the lines that say something, without the pieces of them that are in `node`."""
    runs = []
    for line in lines:
        for run in line.runs:
            is_inside = snapshot.within(run.node, node.index)
            if run.kind in FLOWING and not is_inside:
                runs.append(run)
    return [line for line in lines_of(runs) if worded(line.text)]


# ---- what stands around it ---------------------------------------------------------------


def beside(snapshot: Snapshot, node: Node) -> tuple[str, ...]:
    """Return the texts of the smallest group around an element, the nearest first."""
    own = plain(label_of(snapshot, node))
    for ancestor in snapshot.ancestors(node):
        group = snapshot.lines_in(ancestor)
        lines = lines_outside(group, snapshot, node)
        lines.sort(key=lambda line: gap(node.box, line.box))
        others: dict[str, None] = {}
        for line in lines:
            if plain(line.text) != own:
                others[line.text] = None
        if others:
            texts = list(others)
            return tuple(texts[:MOST_BESIDE])
    return ()


def container_of(snapshot: Snapshot, node: Node) -> tuple[str, str | None]:
    """Return the heading or name of the region around an element, and the region's role."""
    for ancestor in snapshot.ancestors(node):
        if ancestor.role not in LANDMARKS:
            continue
        name = _heading_in(snapshot, ancestor, node) or ancestor.name
        if name:
            return name, ancestor.role
    return "", None


def _heading_in(snapshot: Snapshot, region: Node, node: Node) -> str:
    """Return the last heading in `region` that stands before `node` in the document."""
    text = ""
    for entry in snapshot.subtree(region):
        if entry.index >= node.index:
            break
        if entry.role in HEADINGS:
            text = snapshot.text(entry)
    return text


# ---- its like ----------------------------------------------------------------------------


def alike(snapshot: Snapshot, node: Node, pool: Iterable[Node]) -> list[Node]:
    """Return the elements of `pool` that look like `node`: the same label or, without, its size."""
    kind = kind_of(node)
    label = plain(label_of(snapshot, node))
    like = []
    for other in pool:
        if kind_of(other) != kind:
            continue
        text = plain(label_of(snapshot, other))
        if worded(label):
            fits = text == label
        elif worded(text):
            fits = False
        else:
            fits = similar_size(node.box, other.box)
        if fits:
            like.append(other)
    return outermost(snapshot, like, node)


def outermost(snapshot: Snapshot, nodes: Iterable[Node], kept: Node) -> list[Node]:
    """Return the nodes that lie in none of the others; of a nest around `kept`, `kept` itself."""
    result: list[Node] = []
    for node in sorted(nodes, key=lambda entry: entry.index):
        if node.index == kept.index:
            result.append(node)
            continue
        if snapshot.within(kept.index, node.index):
            continue
        if not _is_in_any(snapshot, node, result):
            result.append(node)
    return result


def _is_in_any(snapshot: Snapshot, node: Node, others: Iterable[Node]) -> bool:
    """Return whether an element lies in one of the others."""
    return any(snapshot.within(node.index, other.index) for other in others)
