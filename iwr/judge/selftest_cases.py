"""The questions of a judge's self-test, made from pages whose truth is known.

The states come from driving the true pages, and pages with a planted defect, as the contracts say.
Tasks without a contract contribute the recorded checkpoints of neighbouring steps, which only a
judge that looks at pictures can use.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from iwr.browser.page_state import Snapshot, picture_of
from iwr.browser.pool import Pool
from iwr.contract.schema import Contract
from iwr.judge.backends import contract_of
from iwr.judge.defects import Defect, Plan, choose, plans_of
from iwr.judge.planting import Transition, Transitions, drive, flaw, shows
from iwr.records import Task

log = logging.getLogger(__name__)

TRUE_PAIR = "true pair"
UNCHANGED_PAIR = "unchanged pair"
REVERSED_PAIR = "reversed pair"
TRUE_PAGE = "true page"
EMPTY_PAGE = "empty page"
EXPECTED_POSITIVE = (TRUE_PAIR, TRUE_PAGE, Defect.LAYOUT_ONLY.value)
"""The kinds of questions whose right answer is yes; the right answer to all others is no."""


class SelfTestCase(NamedTuple):
    """An assertion on two states."""

    task: Task
    kind: str
    step: int
    assertion: str
    before: Snapshot
    after: Snapshot

    @property
    def expected(self) -> bool:
        """The right answer."""
        return self.kind in EXPECTED_POSITIVE


@dataclass
class TaskCases:
    """The questions that one task, or several, give."""

    cases: list[SelfTestCase] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """How many questions have no certain answer, by kind."""

    def add(self, other: TaskCases) -> None:
        """Take over the questions of another group."""
        self.cases.extend(other.cases)
        self.left_out.update(other.left_out)


class TruePage(NamedTuple):
    """A task with what its true page shows when it is driven as the contract says."""

    task: Task
    contract: Contract
    states: Transitions


async def cases_of(task: Task, pool: Pool, folder: Path) -> TaskCases:
    """Return all questions that one task gives. Pages and screenshots are kept in `folder`.

    Raises BrowserError when no browser works.
    """
    if task.true_page is None or task.contract is None:
        transitions = recorded_transitions(task)
        recorded = asserted_cases(task, TRUE_PAIR, transitions)
        return pair_cases(recorded)
    contract = contract_of(task)
    home = folder / f"{task.id}-true"
    states = await drive(task, contract, pool, home)
    true = TruePage(task, contract, states)
    certain = certain_cases(true, TRUE_PAIR, states)
    group = pair_cases(certain.cases)
    group.left_out.update(certain.left_out)
    for planted in await planted_cases(true, pool, folder):
        group.add(planted)
    return group


# ---- pairs of states ---------------------------------------------------------------------------


def pair_cases(true_cases: Sequence[SelfTestCase]) -> TaskCases:
    """Return each assertion on its true pair of states, and on two pairs where it is false.

    Where nothing changes between the states, the assertion is of what lasts: it is never false.
    """
    group = TaskCases()
    for case in true_cases:
        before = case.before
        after = case.after
        group.cases.append(case)
        if before.screenshot == after.screenshot:
            group.left_out.update((UNCHANGED_PAIR, REVERSED_PAIR))
            continue
        unchanged = case._replace(kind=UNCHANGED_PAIR, after=before)
        turned = case._replace(kind=REVERSED_PAIR, before=after, after=before)
        group.cases += [unchanged, turned]
    return group


def certain_cases(true: TruePage, kind: str, states: Transitions) -> TaskCases:
    """Return each assertion on `states`, where the true page shows what was recorded of it.

    The others are left out: whether they hold, nobody knows.
    """
    group = TaskCases()
    for case in asserted_cases(true.task, kind, states):
        step = true.contract.step(case.step)
        if shows(step, true.states[case.step]):
            group.cases.append(case)
        else:
            group.left_out[kind] += 1
    return group


def asserted_cases(task: Task, kind: str, transitions: Transitions) -> list[SelfTestCase]:
    """Return each assertion whose states before and after are known."""
    cases = []
    for step, (before, after) in transitions.items():
        assertion = task.action(step).logical_assertion
        if assertion:
            case = SelfTestCase(task, kind, step, assertion, before, after)
            cases.append(case)
    return cases


def recorded_transitions(task: Task) -> Transitions:
    """Return states as pictures alone, where those of two neighbouring steps were recorded.

    Nothing else is known of them: no elements, no texts.
    """
    pictures = {}
    for step, path in task.checkpoints.items():
        png = path.read_bytes()
        pictures[step] = picture_of(png, task.width, task.height)
    transitions = {}
    for step, after in pictures.items():
        before = pictures.get(step - 1)
        if before:
            transitions[step] = Transition(before, after)
    return transitions


# ---- planted defects ---------------------------------------------------------------------------


async def planted_cases(true: TruePage, pool: Pool, folder: Path) -> list[TaskCases]:
    """Return the questions of each page with a defect, which are driven at the same time."""
    plans = plans_of(true.task, true.contract)
    pages = []
    for number, plan in enumerate(choose(plans)):
        home = folder / f"{true.task.id}-{number}"
        work = defect_cases(true, plan, pool, home)
        pages.append(work)
    return await asyncio.gather(*pages)


async def defect_cases(true: TruePage, plan: Plan, pool: Pool, home: Path) -> TaskCases:
    """Return the assertion at the step of a defect; of a page that must pass, all assertions.

    A page that turns out not to have the defect is left out. `home` is a new folder for the page.
    Raises BrowserError when no browser works.
    """
    kind = plan.kind.value
    states = await drive(true.task, true.contract, pool, home, plan)
    reason = flaw(plan, true.contract, true.states, states)
    if reason:
        log.info("%s: no %s at step %d: %s", true.task.id, kind, plan.step, reason)
        return TaskCases(left_out=Counter([kind]))
    if plan.kind is Defect.LAYOUT_ONLY:
        return certain_cases(true, kind, states)
    at_defect = {plan.step: states[plan.step]}
    return certain_cases(true, kind, at_defect)
