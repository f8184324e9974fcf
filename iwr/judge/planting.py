"""Plant a defect on a true page, drive it, and see whether it really is one.

A planted page counts only when it shows what the true one shows up to the step of the defect, and
there something else of what the assertion is about. That is read from the states, by plain
comparison and before any judge is asked.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from iwr.browser.guarded import Navigated
from iwr.browser.page_state import Snapshot
from iwr.browser.pool import Pool
from iwr.browser.scripts import script
from iwr.contract.reading import plain
from iwr.contract.schema import (
    Contract,
    ElementState,
    Expectation,
    FieldValue,
    Look,
    Order,
    Scrolled,
    StepContract,
    TextAppears,
    TextDisappears,
)
from iwr.contract.search import find
from iwr.errors import PageError
from iwr.judge.contract.judge import ContractJudge
from iwr.judge.defects import Defect, Plan, spoken_of
from iwr.judge.runner import RolloutJob, RolloutRunner
from iwr.records import Action, Grounding, Task
from iwr.runs.paths import JudgePaths

if TYPE_CHECKING:
    from iwr.browser.page import Tab

log = logging.getLogger(__name__)

HEAD = re.compile(rb"<head(\s[^>]*)?>|<html(\s[^>]*)?>|<!doctype[^>]*>", re.I)
BEGIN = """paths => {
  const begin = window[Symbol.for("iwr.defect")];
  if (begin) begin(...paths);
}"""


class Transition(NamedTuple):
    """The states before and after an action."""

    before: Snapshot
    after: Snapshot


Transitions = dict[int, Transition]
"""By step, as far as the page could be driven."""


# ---- driving -----------------------------------------------------------------------------------


class DrivingJudge(ContractJudge):
    """Acts as the contract says; tells the page when the step of its defect begins."""

    def __init__(self, contract: Contract, plan: Plan | None = None):
        """Act on a true page or, with a plan, on the page in which that defect is planted."""
        super().__init__(contract)
        self.plan = plan
        self.befores: dict[int, Snapshot] = {}

    async def ground(self, step: int, action: Action, page: Snapshot) -> Grounding:
        """Return the element of the action; remember the state that it is done in."""
        self.befores[step] = page
        return await super().ground(step, action, page)

    async def perform(self, step: int, grounding: Grounding, tab: Tab) -> Grounding:
        """Do the recorded action, to a page that from now on has its defect."""
        plan = self.plan
        if plan and plan.step == step:
            await self._begin(plan, grounding, tab)
        return await super().perform(step, grounding, tab)

    async def _begin(self, plan: Plan, grounding: Grounding, tab: Tab) -> None:
        """Tell the page what is acted on and what is observed; from now on it has its defect.

        Before, it must be the true page: what was recorded up to this step has to come about.
        """
        observed = self._observed_path(plan)
        paths = [grounding.locator, observed]
        with suppress(Navigated):
            await tab.evaluate(BEGIN, paths)

    def _observed_path(self, plan: Plan) -> str | None:
        """Return where the observed element is before the action; None where there is none."""
        if plan.element is None:
            return None
        page = self.befores[plan.step]
        match = find(plan.element, page)
        if match.node is None:
            return None
        return match.node.path


async def drive(
    task: Task,
    contract: Contract,
    pool: Pool,
    home: Path,
    plan: Plan | None = None,
) -> Transitions:
    """Return what the true page does, up to the step of the defect where one is planted.

    `home` is a new folder for the page and its screenshots. A page that breaks or cannot be driven
    on gives the steps up to there. Raises BrowserError when no browser works.
    """
    if task.true_page is None:
        return {}
    source = task.true_page.read_bytes()
    last = len(task.actions)
    if plan is not None:
        source = planted(source, plan)
        last = plan.step
    home.mkdir(parents=True)
    page = home / "index.html"
    page.write_bytes(source)
    judge = DrivingJudge(contract, plan)
    silent_task = _silent(task, last)
    job = RolloutJob(silent_task, "true", page, JudgePaths(home))
    runner = RolloutRunner(job, judge)
    try:
        await runner.run_in(pool)
    except PageError as error:
        log.debug("%s: %s", task.id, error)
    return _transitions(judge.befores, runner.states)


def _silent(task: Task, last: int) -> Task:
    """Return the task up to step `last`, without assertions: nobody is asked about them."""
    actions = []
    for action in task.actions[:last]:
        actions.append(action.model_copy(update={"logical_assertion": None}))
    return task.model_copy(update={"actions": tuple(actions)})


def _transitions(befores: Mapping[int, Snapshot], states: Sequence[Snapshot]) -> Transitions:
    """Return the states around each step that was reached; `states` begin with step 0."""
    transitions = {}
    for step in range(1, len(states)):
        before = befores[step]
        after = states[step]
        transitions[step] = Transition(before, after)
    return transitions


def planted(source: bytes, plan: Plan) -> bytes:
    """Return the page with the script of a defect, which runs before its own scripts.

    It follows the first of doctype, html and head that the source has; none of them must be there.
    """
    settings = json.dumps(plan.settings)
    settings = settings.replace("<", "\\u003c")  # a text with "</script>" would end the script
    code = script("defect.js").replace("__PLAN__", settings)
    element = f"<script>{code}</script>".encode()
    place = 0
    match = HEAD.search(source)
    if match:
        place = match.end()
    return source[:place] + element + source[place:]


# ---- comparing ---------------------------------------------------------------------------------


def flaw(
    plan: Plan,
    contract: Contract,
    true: Transitions,
    other: Transitions,
) -> str | None:
    """Return why a planted page does not have the defect that was planned; None when it has.

    `true` and `other` are what the true and the planted page did when they were driven alike.
    """
    for number in range(1, plan.step + 1):
        if number not in true:
            return f"the true page does not reach step {number}"
        if number not in other:
            return f"step {number} cannot be performed"
    if plan.kind is Defect.LAYOUT_ONLY:
        return _flaw_of_layout(true, other)
    for number in range(1, plan.step):
        if not _looks_alike(true[number], other[number]):
            return f"step {number}, before the defect, shows something else"
    step = contract.step(plan.step)
    return _flaw_of_effect(step, true[plan.step], other[plan.step])


def _flaw_of_layout(true: Transitions, other: Transitions) -> str | None:
    """Return the first step that shows other texts, as a reason; only their places may differ."""
    for number, transition in true.items():
        texts = _texts(transition.after)
        if texts != _texts(other[number].after):
            return f"step {number} shows other texts"
    return None


def _flaw_of_effect(
    step: StepContract | None,
    true: Transition,
    other: Transition,
) -> str | None:
    """Return why the assertion at the step of a defect is not refuted by it."""
    if not shows(step, true):
        return "the true page does not show what was recorded"
    if _observations(step, true) == _observations(step, other):
        return "what the assertion is about is as on the true page"
    return None


def shows(step: StepContract | None, transition: Transition) -> bool:
    """Return whether the texts that a step is about come and go as they were recorded.

    Where they do not, the page was not driven as it was recorded, and is no ground truth.
    """
    return False not in _observations(step, transition)


# ---- what there is to see ----------------------------------------------------------------------


def _observations(step: StepContract | None, transition: Transition) -> list[object]:
    """Return what there is to see of all that the assertion is about."""
    if step is None:
        return []
    observations = []
    for expectation in spoken_of(step):
        observations.append(_observation(expectation, transition))
    return observations


def _observation(expectation: Expectation, transition: Transition) -> object:
    """Return whether a text comes or goes; of anything else what the page shows of it."""
    before, after = transition
    match expectation:
        case TextAppears(text=text, new=True):
            return _frequency(text, after) > _frequency(text, before)
        case TextAppears(text=text):
            return _frequency(text, after) > 0
        case TextDisappears(text=text):
            return _frequency(text, after) < _frequency(text, before)
        case Order(texts=texts):
            return _reading_order(after, texts)
        case Scrolled():
            return after.scroll, _scroll_positions(after)
        case FieldValue():
            return _values(after)
        case ElementState():
            return _element_states(after)
        case Look():
            return _looks(after)
        case _:
            return _sight(after)


def _frequency(text: str, page: Snapshot) -> int:
    """Return how often a text can be read, as a whole."""
    lines = []
    for line in page.seen_lines:
        lines.append(plain(line.text))
    everything = " ".join(lines)
    words = re.escape(plain(text))
    occurrences = re.findall(rf"(?<!\w){words}(?!\w)", everything)
    return len(occurrences)


def _reading_order(page: Snapshot, texts: Sequence[str]) -> list[str]:
    """Return the texts from top to bottom, each row from left to right.

    A row is what begins at the same height, to a pixel. A text that can be read several times is
    listed as often.
    """
    places = []
    for line in page.seen_lines:
        left, top, *_ = line.box
        row = round(top)
        words = plain(line.text)
        for text in texts:
            if plain(text) in words:
                places.append((row, left, text))
    order = []
    for _, _, text in sorted(places):
        order.append(text)
    return order


def _scroll_positions(page: Snapshot) -> list[object]:
    """Return how far each element is scrolled sideways and down; None where it cannot be."""
    positions: list[object] = []
    for node in page.nodes:
        positions.append((node.scroll_x, node.scroll_y))
    return positions


def _values(page: Snapshot) -> Counter[str | None]:
    """Return the values of all fields that can be seen, without the order."""
    values: Counter[str | None] = Counter()
    for node in page.nodes:
        if node.visible:
            values[node.value] += 1
    return values


def _element_states(page: Snapshot) -> list[object]:
    """Return the states of each element, such as ("checked", "true"), with its path."""
    states: list[object] = []
    for node in page.nodes:
        sorted_states = sorted(node.states.items())
        states.append((node.path, sorted_states))
    return states


def _looks(page: Snapshot) -> list[object]:
    """Return how each element that can be seen is painted, with its path."""
    looks: list[object] = []
    for node in page.nodes:
        if node.visible:
            looks.append((node.path, node.look))
    return looks


def _texts(page: Snapshot) -> Counter[str]:
    """Return what can be read, without the order."""
    texts: Counter[str] = Counter()
    for line in page.seen_lines:
        texts[line.text] += 1
    return texts


def _looks_alike(one: Transition, other: Transition) -> bool:
    """Return whether two pages show the same after an action."""
    return _sight(one.after) == _sight(other.after)


def _sight(page: Snapshot) -> Counter[object]:
    """Return all that can be seen: texts and their places, elements and their states.

    Places are in whole CSS pixels: nobody sees a fraction of one.
    """
    facts: Counter[object] = Counter()
    for line in page.seen_lines:
        place = tuple(map(round, line.box))
        facts[line.text, place] += 1
    for node in page.nodes:
        if node.visible and node.in_view:
            states = tuple(sorted(node.states.items()))
            facts[node.path, node.value, node.look, states] += 1
    return facts
