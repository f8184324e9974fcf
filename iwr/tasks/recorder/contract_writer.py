"""Write down what a script does to the true page, and what there is to observe: `contract.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.browser.page_state import Node, Snapshot
from iwr.browser.states import snapshot_of
from iwr.contract import (
    Contract,
    PerformedAction,
    StepContract,
    Target,
    Verb,
    derive,
    derive_unchanged,
    tell_apart,
    texts_of,
)
from iwr.contract.elements import label_of
from iwr.contract.geometry import contains
from iwr.contract.schema import Point
from iwr.records import ActionType
from iwr.tasks.recorder.perform import Part, wheel_of
from iwr.tasks.recorder.script import ScriptAction

if TYPE_CHECKING:
    from playwright.async_api import Locator

    from iwr.browser.page import Tab

ANCESTRY = """element => {
  const key = Symbol.for("iwr.hook"), uids = [];
  let hook = window[key];
  try { hook = window.top[key] || hook; } catch { /* a frame of another origin */ }
  for (let node = element; node; node = node.parentNode || node.host)
    if (node.nodeType === Node.ELEMENT_NODE) uids.push(hook.number(node));
  return uids;
}"""
"""Numbers of an element and of those around it, as in `Node.uid`."""
GESTURE_VERBS = {
    "hover_only": Verb.HOVER,
    "hold": Verb.HOLD,
    "drag_to": Verb.DRAG,
    "drag_by": Verb.DRAG,
    "option": Verb.SELECT,
    "file": Verb.UPLOAD,
}


class ObservedStep:
    """One action of a replay: the states around it, and the elements that it acts on."""

    def __init__(
        self,
        tab: Tab,
        action: ScriptAction,
        before: Snapshot,
        size: tuple[int, int],
    ):
        self.tab = tab
        self.action = action
        self.before = before
        self.after = before
        self.size = size
        self.target: Target | None = None
        self.target_uid: str | None = None
        self.at = action.at
        self.drop: Target | None = None
        self.hovers: list[Target] = []

    async def note(self, part: Part, element: Locator) -> None:
        """Describe an element as the page shows it at this moment."""
        uids = await self.tab.call(element.evaluate(ANCESTRY), "finding the element")
        page = self.before
        if self.hovers:  # they may have revealed it
            page = await snapshot_of(self.tab)
        node = _first_of(page, uids)
        if node is None:
            return
        if part == "target" and self.at:
            node, self.at = part_at(page, node, self.at)
        target = tell_apart(page, node)
        if part == "target":
            self.target = target
            self.target_uid = node.uid
        elif part == "drop":
            self.drop = target
        else:
            self.hovers.append(target)

    @property
    def performed(self) -> PerformedAction:
        """Return the action exactly as it was done."""
        action = self.action
        keys: tuple[str, ...] = ()
        if action.type is ActionType.PRESS:
            keys = (action.key or "",)
        wheel = None
        if action.type is ActionType.SCROLL:
            wheel = wheel_of(action, self.size)
        path: tuple[Point, ...] = ()
        if action.drag_by:
            path = (action.drag_by,)
        return PerformedAction(
            verb=_verb(action),
            button=action.button,
            count=action.count,
            at=self.at,
            text=action.text,
            clear=action.clear,
            keys=keys,
            wheel=wheel,
            drop=self.drop,
            path=path,
            option=action.option,
            file=action.file,
            hover=tuple(self.hovers),
            dialogs=action.dialog,
            seconds=action.hold,
        )

    def contract(self, step: int, volatile: frozenset[str]) -> StepContract:
        """Return the step's contract; `expect:` of the script replaces what is derived."""
        performed = self.performed
        expectations = self.action.expect
        if expectations is None:
            expectations = derive(
                self.before,
                self.after,
                self.action.assertion,
                performed,
                self.target_uid,
                volatile=volatile,
            )
        unchanged = derive_unchanged(self.before, self.after, expectations)
        return StepContract(
            step=step,
            target=self.target,
            action=performed,
            expectations=expectations,
            unchanged=unchanged,
        )


class ContractObserver:
    """Collects the steps of one replay."""

    def __init__(self, size: tuple[int, int]):
        self.size = size
        self.steps: list[ObservedStep] = []

    def begin(
        self,
        tab: Tab,
        action: ScriptAction,
        before: Snapshot,
    ) -> None:
        """Take note of an action that begins."""
        self.steps.append(
            ObservedStep(
                tab,
                action,
                before,
                self.size,
            )
        )

    async def note(self, part: Part, element: Locator) -> None:
        """Take note of an element of the current action."""
        await self.steps[-1].note(part, element)

    def end(self, after: Snapshot) -> None:
        """Take note of the state after the current action."""
        self.steps[-1].after = after


def write_contract(first: ContractObserver, second: ContractObserver) -> Contract:
    """Return the contract of a task from two replays of its script.

    Texts that differ between the replays are not a part of it.
    """
    steps = []
    pairs = zip(first.steps, second.steps, strict=True)
    for number, (step, repeated) in enumerate(pairs, 1):
        volatile = _differences(step.before, repeated.before)
        volatile |= _differences(step.after, repeated.after)
        steps.append(step.contract(number, volatile))
    return Contract(steps=tuple(steps))


def _differences(page: Snapshot, repeated: Snapshot) -> frozenset[str]:
    """Return the texts that only one of two replays shows, such as the time of day."""
    return texts_of(page) ^ texts_of(repeated)


def _first_of(page: Snapshot, uids: list[str]) -> Node | None:
    """Return the innermost of these elements that the walker saw."""
    for uid in uids:
        if uid in page.by_uid:
            return page.by_uid[uid]
    return None


def part_at(page: Snapshot, node: Node, at: Point) -> tuple[Node, Point]:
    """Return what a click on a place of `node` means, and the place on that.

    A star of a rating is the star; a place on a picture or on a named control is a place on it.
    """
    if label_of(page, node):
        return node, at
    point = _point_in(node, at)
    innermost = None
    for part in page.subtree(node)[1:]:
        if not part.how or not part.visible:
            continue
        is_small = part.area < node.area / 2
        if is_small and contains(part.box, point):
            innermost = part
    if innermost is None:
        return node, at
    return innermost, _share_of(innermost, point)


def _point_in(node: Node, at: Point) -> Point:
    """Return a place of an element's box as a point of the viewport, CSS pixels."""
    x, y, width, height = node.box
    right, down = at
    return x + right * width, y + down * height


def _share_of(node: Node, point: Point) -> Point:
    """Return a point of the viewport as a place of an element's box, (0, 0) its top left corner."""
    x, y, width, height = node.box
    right = point[0] - x
    down = point[1] - y
    return right / width, down / height


def _verb(action: ScriptAction) -> Verb:
    """Return the verb of a contract for what a script does."""
    match action.type:
        case ActionType.TYPE:
            return Verb.TYPE
        case ActionType.PRESS:
            return Verb.PRESS
        case ActionType.SCROLL:
            return Verb.SCROLL
        case ActionType.CLICK:
            return _click_verb(action)


def _click_verb(action: ScriptAction) -> Verb:
    """Return the verb for what a Click of a script does."""
    if action.gesture:
        return GESTURE_VERBS[action.gesture]
    if action.button == "right":
        return Verb.RIGHT_CLICK
    if action.count == 2:
        return Verb.DOUBLE_CLICK
    return Verb.CLICK
