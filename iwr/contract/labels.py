"""How well the label of an element agrees with that of a target."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.elements import control_label, kind_of, label_of, own_text, picture_of
from iwr.contract.reading import plain, without_numbers, worded, words
from iwr.contract.schema import Target

CONTROLS = {"field", "choice", "toggle", "slider", "file"}
SAME = 10.0
SAME_WORDS = 9.0
HOLDS = 4.0  # one label holds the other
HOLDS_ALL = 4.0  # on top, for the share of the longer label that is held
SAME_BUT_NUMBER = 4.5  # such as a counter
LEAST = 4.0
LEAST_SHARED = 0.5  # of the words of the shorter of two names
HIDDEN_SHARE = 0.6  # what a name that no one can read is worth
SAME_SIGN = 3.0
SAME_NAME = 2.0
UNLABELLED_CONTROL = 1.0


def label_points(target: Target, page: Snapshot, node: Node) -> float | None:
    """Return how well the labels agree, 0..10; None when they contradict each other."""
    picture = picture_of(node)
    if picture and target.picture:
        return SAME if picture == target.picture else None
    names = _distinct(target.label, target.placeholder)
    labels = _labels_of(page, node)
    readable_names = list(filter(worded, names))
    if readable_names:
        hidden = plain(node.name)
        return _readable_points(readable_names, labels, hidden)
    if target.kind in CONTROLS:
        return UNLABELLED_CONTROL
    readable_labels = list(filter(worded, labels))
    if readable_labels:
        return _named_points(target.name, readable_labels)
    points = 0.0
    if names and names[0] in labels:
        points += SAME_SIGN
    if _shared(target.name, node.name) > LEAST_SHARED:
        points += SAME_NAME
    return points


def _labels_of(page: Snapshot, node: Node) -> list[str]:
    """Return all that could be taken for the label of a node, the likeliest first."""
    label = label_of(page, node)
    kind = kind_of(node)
    if kind not in CONTROLS:
        return _distinct(label)
    text = own_text(page, node)
    if kind == "toggle" and text:
        return _distinct(label, node.name)  # what is beside it labels something else
    if kind == "field":
        text = ""
    beside = control_label(page, node)
    return _distinct(label, node.name, beside, node.placeholder, text)


def _distinct(*texts: str) -> list[str]:
    """Return the texts as they are compared, each once, without empty ones."""
    labels = dict.fromkeys(map(plain, texts))
    labels.pop("", None)
    return list(labels)


def _readable_points(names: Sequence[str], labels: Sequence[str], hidden: str) -> float | None:
    """Return the points of an element whose target has a label that can be read."""
    best = 0.0
    for name in names:
        points = HIDDEN_SHARE * _agreement(name, hidden)
        best = max(best, points)
        for label in labels:
            points = _agreement(name, label)
            best = max(best, points)
    if best < LEAST:
        return None
    return best


def _named_points(name: str, labels: Sequence[str]) -> float | None:
    """Return the points of a labelled element where the target has but a hidden name."""
    best = 0.0
    for label in labels:
        share = _shared(name, label)
        best = max(best, share)
    if best < LEAST_SHARED:
        return None
    return SAME_NAME * best


def _agreement(name: str, label: str) -> float:
    """Return 10 for the same text, less where one holds the other, 0 for different texts."""
    expected = words(name)
    actual = words(label)
    if name == label:
        return SAME
    if not expected or not actual:
        return 0.0
    if expected == actual:
        return SAME_WORDS
    shorter, longer = sorted((expected, actual), key=len)
    if _holds(longer, shorter):
        share = len(shorter) / len(longer)
        return HOLDS + HOLDS_ALL * share
    letters = without_numbers(expected)
    if letters and letters == without_numbers(actual):
        return SAME_BUT_NUMBER
    return 0.0


def _holds(whole: Sequence[str], part: Sequence[str]) -> bool:
    """Return whether the words of `part` stand in `whole`, one after another."""
    span = len(part)
    for start in range(len(whole)):
        end = start + span
        if whole[start:end] == part:
            return True
    return False


def _shared(first: str, second: str) -> float:
    """Return the part of the words of the shorter text that the other one has too."""
    own = set(words(first))
    other = set(words(second))
    if not own or not other:
        return 0.0
    both = own & other
    shorter = min(own, other, key=len)
    return len(both) / len(shorter)
