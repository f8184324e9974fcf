"""What the elements of a page can take: a text, a key, being scrolled to."""

from __future__ import annotations

from collections.abc import Iterable

from iwr.browser.page_state import EDITABLE, Node, Snapshot
from iwr.contract.elements import is_reachable
from iwr.judge.model.elements import is_scroller
from iwr.records import Grounding

# Roles are those of ARIA, keys those of Playwright.

TAKES_VALUE = EDITABLE | {"combobox", "slider"}
SECTIONS = {"heading", "region", "contentinfo", "banner", "main", "form", "article", "table"}
SCROLL_KEYS = {"ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown"}
SCROLL_KEYS |= {"Home", "End", "Space"}
"""Keys that scroll a page on which nothing listens to them."""


def actionable(page: Snapshot) -> list[Node]:
    """Return what a person could act on, in view or not; toggles may be quite transparent."""
    nodes = []
    for node in page.nodes[1:]:
        if node.how and is_reachable(node):
            nodes.append(node)
    return nodes


def writable(page: Snapshot) -> list[Node]:
    """Return what a text can be typed into, or a value given to."""
    nodes = []
    for node in actionable(page):
        is_disabled = node.states.get("disabled") == "true"
        if node.role in TAKES_VALUE and not is_disabled:
            nodes.append(node)
    return nodes


def places(page: Snapshot) -> list[Node]:
    """Return everything that can be seen, read, scrolled or acted on, in view or not.

    The root is not among them: it is the page itself.
    """
    readers = set()
    for line in page.lines:
        readers.add(line.node)
    nodes = []
    for node in page.nodes[1:]:
        is_content = node.index in readers or node.tag == "img"
        is_place = is_content or node.how or is_landmark(node)
        if is_place and is_reachable(node):
            nodes.append(node)
    return nodes


def landmarks(nodes: Iterable[Node]) -> set[int]:
    """Return the indices of what a person may scroll, or scroll to, by its name."""
    indices = set()
    for node in nodes:
        if is_landmark(node):
            indices.add(node.index)
    return indices


def is_landmark(node: Node) -> bool:
    """Return whether the element can be scrolled, or is a section of the page."""
    return is_scroller(node) or node.role in SECTIONS


# ---- keys --------------------------------------------------------------------------------------


def grounding_of_keys(page: Snapshot, keys: Iterable[str]) -> Grounding:
    """Return what has the focus, else the page. It is not there when nothing takes the keys.

    The page takes keys where its scripts listen to them, or the browser does something with them.
    """
    count = len(page.candidates)
    focus = _focus(page)
    if focus:
        name = focus.name or None
        return Grounding(found=True, role=focus.role, name=name, candidates=count)
    if page.keys or _browser_takes(keys, page):
        return Grounding(found=True, role="page", candidates=count)
    reason = "nothing on the page takes the keyboard"
    return Grounding(found=False, candidates=count, reason=reason)


def _focus(page: Snapshot) -> Node | None:
    """Return the element that has the focus."""
    for node in page.nodes:
        if node.focused:
            return node
    return None


def _browser_takes(keys: Iterable[str], page: Snapshot) -> bool:
    """Return whether one of the keys does something that needs no script of the page."""
    names = set()
    for key in keys:
        _, _, name = key.rpartition("+")
        names.add(name or "+")  # "Control++" ends with the key "+"
    if "Tab" in names and _takes_focus(page):
        return True
    return _can_scroll(page) and not names.isdisjoint(SCROLL_KEYS)


def _takes_focus(page: Snapshot) -> bool:
    """Return whether there is an element that the Tab key may go to."""
    return any(node.how == "semantic" for node in page.candidates)


def _can_scroll(page: Snapshot) -> bool:
    """Return whether the page or something on it is larger than what shows of it."""
    return any(page.reach) or any(map(is_scroller, page.nodes))
