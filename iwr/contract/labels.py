"""How well the label of an element agrees with that of a target."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.elements import control_label, kind_of, label_of, own_text, picture_of
from iwr.contract.reading import plain, worded, words
from iwr.contract.schema import Target

CONTROLS = {"field", "choice", "toggle", "slider", "file"}
SAME = 10.0
SAME_WORDS = 9.0
HOLDS = 4.0  # one label holds the other; more, the less is left over
SAME_BUT_NUMBER = 4.5  # such as a counter
LEAST = 4.0
HIDDEN_SHARE = 0.6  # what a name that no one can read is worth
SAME_SIGN = 3.0
SAME_NAME = 2.0
UNLABELLED_CONTROL = 1.0


def label_points(
    target: Target,
    page: Snapshot,
    node: Node,
) -> float | None:
    """Return how well the labels agree, 0..10; None when they contradict each other."""
    if target.picture and picture_of(node):
        return SAME if picture_of(node) == target.picture else None
    names = []
    for text in (target.label, target.placeholder):
        if text:
            names.append(plain(text))
    readable_names = [name for name in names if worded(name)]
    labels = _labels_of(page, node)
    if readable_names:
        return _readable_points(
            readable_names,
            labels,
            plain(node.name),
        )
    if target.kind in CONTROLS:
        return UNLABELLED_CONTROL
    readable_labels = [label for label in labels if worded(label)]
    if readable_labels:
        return _named_points(target.name, readable_labels)
    return _sign_points(
        target,
        names,
        labels,
        node,
    )


def _labels_of(page: Snapshot, node: Node) -> list[str]:
    """Return all that could be taken for the label of a node, the likeliest first."""
    texts = [label_of(page, node)]
    kind = kind_of(node)
    if kind in CONTROLS:
        texts += [node.name, control_label(page, node), node.placeholder]
        if kind != "field":
            texts.append(own_text(page, node))
    labels = dict.fromkeys(map(plain, texts))
    return [label for label in labels if label]


def _readable_points(
    names: Sequence[str],
    labels: Sequence[str],
    hidden: str,
) -> float | None:
    """Return the points of an element whose target has a label that can be read."""
    best = 0.0
    for name in names:
        for label in labels:
            best = max(best, _agreement(name, label))
        if hidden:
            best = max(best, HIDDEN_SHARE * _agreement(name, hidden))
    return best if best >= LEAST else None


def _named_points(name: str, labels: Sequence[str]) -> float | None:
    """Return the points of a labelled element where the target has but a hidden name."""
    share = max(_shared(name, label) for label in labels)
    return SAME_NAME * share if share >= 0.5 else None


def _sign_points(
    target: Target,
    names: Sequence[str],
    labels: Sequence[str],
    node: Node,
) -> float:
    """Return the points of an element that, like the target, has at most a sign on it."""
    points = 0.0
    if names and names[0] in labels:
        points += SAME_SIGN
    if _shared(target.name, node.name) > 0.5:
        points += SAME_NAME
    return points


def _agreement(name: str, label: str) -> float:
    """Return 10 for the same text, less where one holds the other, 0 for different texts."""
    if name == label:
        return SAME
    expected = words(name)
    actual = words(label)
    if not expected or not actual:
        return 0.0
    if expected == actual:
        return SAME_WORDS
    shorter, longer = sorted((expected, actual), key=len)
    if _holds(longer, shorter):
        return HOLDS + 4 * len(shorter) / len(longer)
    letters = _without_numbers(expected)
    if letters and letters == _without_numbers(actual):
        return SAME_BUT_NUMBER
    return 0.0


def _holds(whole: Sequence[str], part: Sequence[str]) -> bool:
    span = len(part)
    starts = range(len(whole) - span + 1)
    return any(whole[start : start + span] == part for start in starts)


def _without_numbers(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if not text[0].isdigit()]


def _shared(first: str, second: str) -> float:
    """Return the part of the words of the shorter text that the other one has too."""
    a = set(words(first))
    b = set(words(second))
    if not a or not b:
        return 0.0
    return len(a & b) / min(len(a), len(b))
