"""Puts the questions of a self-test to judges, and notes what came of them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from iwr.browser.pool import Pool
from iwr.config import Config
from iwr.errors import JudgeError, ServerError
from iwr.judge.backends import NewJudge
from iwr.judge.base import Judge
from iwr.judge.defects import Defect
from iwr.judge.runner import RolloutJob, roll_out
from iwr.judge.selftest_cases import (
    EMPTY_PAGE,
    EXPECTED_POSITIVE,
    TRUE_PAGE,
    TRUE_PAIR,
    SelfTestCase,
)
from iwr.progress import Progress
from iwr.records import Rollout, SelfTestMiss, Step, Task
from iwr.runs.files import write_atomic
from iwr.runs.paths import JudgePaths, TaskPaths

log = logging.getLogger(__name__)

REPEATS = 2  # of each question, in the same order of the pictures; once more in the other order
BLANK = b"<!DOCTYPE html><html><body></body></html>"
DEFECTS = {defect.value for defect in Defect if defect is not Defect.LAYOUT_ONLY}

Outcome = bool | None
"""None: the judge gave no usable answer."""


class Answer(NamedTuple):
    """What a judge said: yes, no or, for None, nothing that can be used; and its words."""

    passed: bool | None
    words: str


class CaseAnswer(NamedTuple):
    """The answer to the assertion of one step."""

    task: str
    step: int
    passed: bool | None


class WholePage(NamedTuple):
    """A page that is driven from the first to the last step."""

    task: Task
    kind: str
    source: bytes

    @property
    def folder(self) -> str:
        """The name of a folder for it: the kinds of pages of one task are kept apart."""
        kind = self.kind.replace(" ", "-")
        return f"{self.task.id}-{kind}"


class SelfTestOutcomes:
    """What came of the questions; None where the judge gave no usable answer.

    `by_kind` holds whether each answer was right, the flips whether two answers to the same
    question differed.
    """

    def __init__(self) -> None:
        self.by_kind: dict[str, list[Outcome]] = {}
        self.repeat_flips: list[Outcome] = []
        self.order_flips: list[Outcome] = []
        self.misses: list[SelfTestMiss] = []
        self.calls = 0
        self._answers: dict[str, list[CaseAnswer]] = {}

    def add(self, kind: str, is_right: Outcome) -> None:
        """Count an answer to a question of some kind."""
        outcomes = self.by_kind.setdefault(kind, [])
        outcomes.append(is_right)

    def note(self, case: SelfTestCase, passed: bool | None) -> None:
        """Remember the answer to a case."""
        answer = CaseAnswer(case.task.id, case.step, passed)
        answers = self._answers.setdefault(case.kind, [])
        answers.append(answer)

    def note_flips(self, answers: Sequence[Answer], swapped: Answer) -> None:
        """Note whether the same question, and the one with swapped pictures, was answered alike."""
        self.repeat_flips.append(_differ(answers))
        self.order_flips.append(_differ([answers[0], swapped]))

    def of(self, *, positive: bool) -> list[Outcome]:
        """Return the answers to all questions whose right answer is yes (or no)."""
        answers: list[Outcome] = []
        for kind, outcomes in self.by_kind.items():
            is_positive = kind in EXPECTED_POSITIVE
            if is_positive == positive:
                answers += outcomes
        return answers

    def at_exact_step(self) -> list[Outcome]:
        """Return of each planted defect whether its step is the first that the judge refuses."""
        outcomes: list[Outcome] = []
        for kind, answers in self._answers.items():
            if kind in DEFECTS:
                outcomes += map(self._is_exact, answers)
        return outcomes

    def _is_exact(self, answer: CaseAnswer) -> Outcome:
        """Return whether a page with a defect is refused at its step and not before.

        Up to that step it shows what the true page shows, so the answers for that one count.
        """
        earlier = []
        for other in self._answers.get(TRUE_PAIR, []):
            is_earlier = other.step < answer.step
            if is_earlier and other.task == answer.task:
                earlier.append(other.passed)
        if answer.passed is None or None in earlier:
            return None
        return not answer.passed and all(earlier)


class Examiner:
    """Puts the questions to judges, a new one for each, and notes the outcomes.

    `folder` is for pages and rollouts that nobody looks at afterwards; the pictures of what was
    answered wrongly or not at all go to `pictures`, and stay.
    """

    def __init__(
        self, config: Config, new_judge: NewJudge, pool: Pool, folder: Path, pictures: Path
    ):
        protocol = replace(config.protocol, high=False)  # nobody asks for points
        self.outcomes = SelfTestOutcomes()
        self._config = replace(config, protocol=protocol)
        self._new_judge = new_judge
        self._pool = pool
        self._folder = folder
        self._pictures = pictures
        self._slots = asyncio.Semaphore(config.server.in_flight)

    async def examine(
        self, tasks: Sequence[Task], cases: Sequence[SelfTestCase], progress: Progress
    ) -> None:
        """Ask all cases; drive the true and an empty page of each task that has a true page.

        At most `server.in_flight` cases are asked at a time; the pool limits how many pages are
        driven. Where the judge or a browser fails, there is no usable answer.
        """
        pages = _whole_pages(tasks)
        total = len(cases) + len(pages)
        judge = self._config.judge.name
        with progress(f"ask {judge}", total) as step:

            async def finish(work: Awaitable[None], label: str) -> None:
                """Count the work as done, for the person who waits."""
                await work
                step(label)

            questions = []
            for case in cases:
                work = self.ask(case)
                questions.append(finish(work, case.kind))
            for page in pages:
                work = self.drive(page)
                label = f"{page.kind} of {page.task.id}"
                questions.append(finish(work, label))
            await asyncio.gather(*questions)

    # ---- one question ----------------------------------------------------------------------

    async def ask(self, case: SelfTestCase) -> None:
        """Put one assertion several times, at last with the pictures in the other order.

        Only the first answer counts as right or wrong; the others say how much an answer depends
        on chance and on the order of the pictures.
        """
        files = TaskPaths(self._folder)
        judge = self._new_judge(case.task, files)
        answers = []
        async with self._slots:
            for _ in range(REPEATS):
                answers.append(await _answer(judge, case))
            swapped = await _answer(judge, case, swapped=True)
        first = answers[0]
        is_right = _is_right(first, case.expected)
        outcomes = self.outcomes
        outcomes.add(case.kind, is_right)
        outcomes.note(case, first.passed)
        outcomes.note_flips(answers, swapped)
        outcomes.calls += judge.calls
        if not is_right:
            before = case.before.screenshot
            after = case.after.screenshot
            miss = self._miss(case.task, case.kind, case.step, first, before, after)
            outcomes.misses.append(miss)

    async def drive(self, page: WholePage) -> None:
        """Drive a whole page: each step of a true page must pass, none of an empty one.

        What comes after a step that does not pass is no answer.
        """
        task, kind, _ = page
        outcomes = self.outcomes
        home = self._folder / page.folder
        rollout = await self._roll_out(page, home)
        outcomes.calls += rollout.calls
        expected = kind in EXPECTED_POSITIVE
        for previous, step in pairwise(rollout.steps):
            answer = _answer_of(step)
            is_right = _is_right(answer, expected)
            outcomes.add(kind, is_right)
            if not is_right:
                before = _picture(home, previous)
                after = _picture(home, step)
                miss = self._miss(task, kind, step.step, answer, before, after)
                outcomes.misses.append(miss)
            if not step.credited:
                break

    async def _roll_out(self, page: WholePage, home: Path) -> Rollout:
        """Return the rollout of a page by a judge of its own, with its files in `home`.

        Never raises for what the page, the judge or the browser does wrong: the record says it.
        """
        home.mkdir()
        file = home / "index.html"
        file.write_bytes(page.source)
        files = TaskPaths(home)
        judge = self._new_judge(page.task, files)
        job = RolloutJob(page.task, page.kind, file, JudgePaths(home))
        return await roll_out(job, judge, self._pool, self._config, {})

    # ---- what went wrong -------------------------------------------------------------------

    def _miss(
        self, task: Task, kind: str, step: int, answer: Answer, before: bytes, after: bytes
    ) -> SelfTestMiss:
        """Return a wrong or missing answer with all that is needed to look at it.

        `before` and `after` are the screenshots (PNG); empty where there is none.
        """
        action = task.action(step)
        assertion = action.logical_assertion
        if not assertion:  # a whole page is also asked for steps that assert nothing
            assertion = action.parameters.description
        return SelfTestMiss(
            task=task.id,
            kind=kind,
            step=step,
            assertion=assertion,
            expected=kind in EXPECTED_POSITIVE,
            answer=answer.passed,
            reason=answer.words,
            before=self._keep(before),
            after=self._keep(after),
        )

    def _keep(self, png: bytes) -> str | None:
        """Save a picture (PNG); return its name, None when there is no picture.

        It is named by its content, so a picture that many misses have is kept once.
        """
        if not png:
            return None
        content = hashlib.sha256(png).hexdigest()
        name = f"{content[:16]}.png"
        path = self._pictures / name
        if not path.is_file():
            write_atomic(path, png)
        return name


def _whole_pages(tasks: Sequence[Task]) -> list[WholePage]:
    """Return the true page and an empty one of each task that has a true page."""
    pages = []
    for task in tasks:
        if task.true_page:
            source = task.true_page.read_bytes()
            pages.append(WholePage(task, TRUE_PAGE, source))
            pages.append(WholePage(task, EMPTY_PAGE, BLANK))
    return pages


# ---- answers -----------------------------------------------------------------------------------


async def _answer(judge: Judge, case: SelfTestCase, *, swapped: bool = False) -> Answer:
    """Return the judge's verdict, or why it gives none.

    `swapped` shows a model the state after first; other judges see no order.
    """
    try:
        verdict = await judge.verify(
            case.step, case.assertion, case.before, case.after, swapped=swapped
        )
    except (JudgeError, ServerError) as error:
        log.debug("%s: %s", case.assertion, error)
        return Answer(None, str(error))
    return Answer(verdict.passed, verdict.reason)


def _is_right(answer: Answer, expected: bool) -> Outcome:
    """Return whether the answer is the right one; None when there is no answer."""
    if answer.passed is None:
        return None
    return answer.passed == expected


def _differ(answers: Sequence[Answer]) -> Outcome:
    """Return whether the answers differ; None when one of them is missing."""
    passed = set()
    for answer in answers:
        passed.add(answer.passed)
    if None in passed:
        return None
    return len(passed) > 1


def _answer_of(step: Step) -> Answer:
    """Return what a rollout says about a step: whether it has credit, and the recorded words."""
    passed = None
    if not step.is_unscored:
        passed = step.credited
    return Answer(passed, _words(step))


def _words(step: Step) -> str:
    """Return what is recorded of a step that a rollout did not pass as it should."""
    if step.reason:
        return step.reason
    if step.verdict:
        return step.verdict.reason
    return "a step before it was not passed"


def _picture(folder: Path, step: Step) -> bytes:
    """Return the screenshot of a step; empty when there is none."""
    if step.screenshot is None:
        return b""
    return (folder / step.screenshot).read_bytes()
