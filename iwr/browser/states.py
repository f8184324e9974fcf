"""The state of a page after an action: as a person sees it, and as the next action finds it.

They are one and the same but where a message hides itself. "Saved" shows for three seconds, and
nothing else happens: the state with the message is what the action led to. Where anything else
comes later, the later state is.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from iwr.browser.frames import walk_frames
from iwr.browser.page_state import WALK, Node, Snapshot, parse

if TYPE_CHECKING:
    from iwr.browser.page import Tab


class State(NamedTuple):
    """The page after an action."""

    shown: Snapshot
    rest: Snapshot
    """As the next action finds it: `shown` without the messages that hid themselves."""


async def snapshot_of(tab: Tab) -> Snapshot:
    """Return what is on the page now, with its screenshot. Raises PageError, BrowserError."""
    walk = await tab.evaluate(WALK)
    frames = await walk_frames(tab)
    screenshot = await tab.screenshot()
    return parse(walk, screenshot, frames)


async def settled_state(tab: Tab, before: Snapshot | None) -> State:
    """Wait until the page is still, and return its state; `before` is where the action began.

    `tab.unsettled_reason` says why it is not still. Raises PageError, BrowserError.
    """
    await tab.settle(part="horizon")
    if not tab.effects_pending:
        page = await snapshot_of(tab)
        return State(page, page)
    early = await snapshot_of(tab)
    await tab.settle(part="effects")
    late = await snapshot_of(tab)
    if before is not None and only_hides_messages(before, early, late):
        return State(early, late)
    return State(late, late)


def only_hides_messages(before: Snapshot, early: Snapshot, late: Snapshot) -> bool:
    """Return whether between `early` and `late` nothing happens but that new texts go away.

    Whatever is on the late page was on one of the others, and what both had is still there.
    """
    texts_before = _texts(before)
    texts_early = _texts(early)
    texts_late = _texts(late)
    if texts_early <= (texts_before | texts_late):
        return False  # no text came and went
    if not texts_late <= (texts_before | texts_early):
        return False
    if not texts_late >= (texts_before & texts_early):
        return False
    return _facts(late) <= _facts(early) | _facts(before)


def _texts(page: Snapshot) -> Counter[str]:
    """Return how often each text can be seen."""
    return Counter(line.text for line in page.seen_lines)


Fact = tuple[object, ...]


def _facts(page: Snapshot) -> set[Fact]:
    """Return what can be told of the elements that a person sees, but their text and place."""
    return {_fact(node) for node in page.nodes if node.visible and node.share > 0}


def _fact(node: Node) -> Fact:
    """Return what of an element counts as its state."""
    return node.uid, node.value, node.look, tuple(sorted(node.states.items()))
