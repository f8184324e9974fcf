"""Write down what a script does to the true page, and what there is to observe: `contract.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.browser.page_state import Node, Snapshot
from iwr.contract import (
    Contract,
    PerformedAction,
    StepContract,
    Target,
    Verb,
    derive,
    derive_unchanged,
    describe_target,
    texts_of,
)
from iwr.records import ActionType
from iwr.tasks.recorder.perform import Part, wheel_of
from iwr.tasks.recorder.script import ScriptAction
from iwr.tasks.recorder.session import snapshot_of

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
        self.drop: Target | None = None
        self.hovers: list[Target] = []

    async def note(self, part: Part, element: Locator) -> None:
        """Describe an element as the page shows it at this moment."""
        uids = await self.tab.call(element.evaluate(ANCESTRY), "finding the element")
        page = await snapshot_of(self.tab) if self.hovers else self.before
        node = _first_of(page, uids)
        target = describe_target(page, node) if node else None
        if part == "target":
            self.target = target
            self.target_uid = node.uid if node else None
        elif part == "drop":
            self.drop = target
        elif target:
            self.hovers.append(target)

    @property
    def performed(self) -> PerformedAction:
        """Return the action exactly as it was done."""
        action = self.action
        is_press = action.type is ActionType.PRESS
        return PerformedAction(
            verb=_verb(action),
            button=action.button,
            count=action.count,
            at=action.at,
            text=action.text,
            clear=action.clear,
            keys=(action.key or "",) if is_press else (),
            wheel=wheel_of(action, self.size) if action.type is ActionType.SCROLL else None,
            drop=self.drop,
            path=(action.drag_by,) if action.drag_by else (),
            option=action.option,
            file=action.file,
            hover=tuple(self.hovers),
            dialogs=action.dialog,
            seconds=action.hold,
        )

    def contract(self, step: int, volatile: frozenset[str]) -> StepContract:
        """Return the step's contract; `expect:` of the script replaces what is derived."""
        action, performed = self.action, self.performed
        expectations = action.expect
        if expectations is None:
            expectations = derive(
                self.before,
                self.after,
                action.assertion,
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
    return texts_of(page) ^ texts_of(repeated)


def _first_of(page: Snapshot, uids: list[str]) -> Node | None:
    """Return the innermost of these elements that the walker saw."""
    for uid in uids:
        if uid in page.by_uid:
            return page.by_uid[uid]
    return None


def _verb(action: ScriptAction) -> Verb:
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
    if action.gesture:
        return GESTURE_VERBS[action.gesture]
    if action.button == "right":
        return Verb.RIGHT_CLICK
    return Verb.DOUBLE_CLICK if action.count == 2 else Verb.CLICK
