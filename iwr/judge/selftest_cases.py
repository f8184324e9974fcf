"""The questions of a judge's self-test, made from pages whose truth is known.

The states come from driving the true pages with the rules. Tasks without a true page contribute the
recorded checkpoints of neighbouring steps, which only a judge that looks at pictures can use.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from iwr.browser.page_state import Snapshot, picture_of
from iwr.browser.pool import Pool
from iwr.errors import PageError
from iwr.judge.rules.judge import RulesJudge
from iwr.judge.rules.language import quotes
from iwr.judge.runner import RolloutJob, RolloutRunner
from iwr.records import ActionType, Task
from iwr.runs.paths import JudgePaths

log = logging.getLogger(__name__)

EXPECTED_POSITIVE = ("true pair", "true page")
"""The kinds of questions whose right answer is yes; the right answer to all others is no."""

MOST_DEFECTS = 4  # pages of one task
SHORTEST_TEXT = 4  # characters of an asserted text that is garbled
SCRIPT = re.compile(rb"<script\b.*?</script\s*>|\son\w+=(?:\"[^\"]*\"|'[^']*')", re.I | re.S)

States = Mapping[int, Snapshot]
"""The state after each step, as far as it is known."""


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


class DefectivePage(NamedTuple):
    """A page with one planted defect. `step` is where it shows; None: at every step."""

    step: int | None
    source: bytes


async def cases_of(
    task: Task,
    pool: Pool,
    folder: Path,
) -> list[SelfTestCase]:
    """Return all questions that one task gives. Pages and screenshots are kept in `folder`."""
    if task.true_page is None:
        return recorded_cases(task)
    source = task.true_page.read_bytes()
    home = folder / f"{task.id}-true"
    states = await _drive(task, source, pool, home)
    cases = pair_cases(task, states)
    for number, page in enumerate(defective_pages(task, source)):
        home = folder / f"{task.id}-{number}"
        states = await _drive(task, page.source, pool, home)
        cases += defect_cases(task, page, states)
    return cases


async def _drive(
    task: Task,
    source: bytes,
    pool: Pool,
    home: Path,
) -> dict[int, Snapshot]:
    """Return the states that a page runs through, as far as it can be driven."""
    home.mkdir(parents=True)
    page = home / "index.html"
    page.write_bytes(source)
    job = RolloutJob(task, "true", page, JudgePaths(home))
    runner = RolloutRunner(job, RulesJudge())
    try:
        await runner.run_in(pool)
    except PageError as error:
        log.debug("%s: %s", task.id, error)
    await runner.answers()
    return dict(enumerate(runner.states))


# ---- pairs of states ---------------------------------------------------------------------------


def pair_cases(task: Task, states: States) -> list[SelfTestCase]:
    """Return each assertion on its true pair of states, and on two pairs where it is false."""
    cases = []
    for case in true_cases(task, states):
        unchanged = case._replace(kind="unchanged pair", after=case.before)
        turned = case._replace(kind="reversed pair", before=case.after, after=case.before)
        cases += [case, unchanged, turned]
    return cases


def true_cases(task: Task, states: States) -> list[SelfTestCase]:
    """Return each assertion whose states before and after are known."""
    cases = []
    for step, action in enumerate(task.actions, 1):
        text = action.logical_assertion
        before = states.get(step - 1)
        after = states.get(step)
        if text and before and after:
            case = SelfTestCase(task, "true pair", step, text, before, after)
            cases.append(case)
    return cases


def recorded_cases(task: Task) -> list[SelfTestCase]:
    """Return cases from the pictures alone, where those of two neighbouring steps were recorded."""
    states = {}
    for step, path in task.checkpoints.items():
        png = path.read_bytes()
        states[step] = picture_of(png, task.width, task.height)
    return pair_cases(task, states)


# ---- planted defects ---------------------------------------------------------------------------


def defect_cases(
    task: Task,
    page: DefectivePage,
    states: States,
) -> list[SelfTestCase]:
    """Return the assertions that are false because of the page's defect."""
    cases = []
    for case in true_cases(task, states):
        if page.step is None:
            is_false = needs_script(task, case.step)
        else:
            is_false = case.step == page.step
        if is_false:
            cases.append(case._replace(kind="planted defect"))
    return cases


def defective_pages(task: Task, source: bytes) -> list[DefectivePage]:
    """Return copies of the page with one defect each.

    Nothing reacts; or one text that is asserted is another.
    """
    without_scripts = SCRIPT.sub(b"", source)
    pages = [DefectivePage(None, without_scripts)]
    targets = _quoted_targets(task)
    for step, action in enumerate(task.actions, 1):
        texts = quotes(action.logical_assertion or "")
        if not texts or len(texts[0]) < SHORTEST_TEXT:
            continue
        text = texts[0].encode()
        if text in source and texts[0] not in targets:
            other_text = garbled(texts[0]).encode()
            pages.append(DefectivePage(step, source.replace(text, other_text)))
    return pages[:MOST_DEFECTS]


def _quoted_targets(task: Task) -> str:
    """Return all that the descriptions quote: garbled, the actions could not be performed."""
    targets: list[str] = []
    for action in task.actions:
        targets += quotes(action.parameters.description)
    return " ".join(targets)


def needs_script(task: Task, step: int) -> bool:
    """Return whether the step's effect needs a script: any page can scroll without one."""
    return task.action(step).type is not ActionType.SCROLL


def garbled(text: str) -> str:
    """Return other words of the same length; digits become other digits."""
    words = [word[::-1].lower() for word in text.split(" ")]
    return re.sub(r"\d", _other_digit, " ".join(words))


def _other_digit(digit: re.Match[str]) -> str:
    return str((int(digit[0]) + 3) % 10)
