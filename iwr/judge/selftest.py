"""How far a judge's verdicts can be trusted, measured on ground truth: `iwr selftest judge=NAME`.

Sensitivity is measured on what is true: assertions on true pairs of states (k-1, k), and every step
of the true pages. Specificity is measured on what is false: the same assertions on unchanged pairs
(k-1, k-1) and reversed ones (k, k-1), on pages with a planted defect, and every step of an empty
page.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from iwr.browser.pool import Pool
from iwr.config import Config, Environment
from iwr.errors import DataError, JudgeError, ServerError
from iwr.judge.backends import JudgeBackend, NewJudge, judge_settings, opened, require_contracts
from iwr.judge.base import Judge
from iwr.judge.runner import RolloutJob, roll_out
from iwr.judge.selftest_cases import EXPECTED_POSITIVE, SelfTestCase, cases_of
from iwr.progress import Progress
from iwr.records import SelfTest, Tally, Task
from iwr.runs.files import write_record
from iwr.runs.paths import JudgePaths, RunPaths, TaskPaths
from iwr.stats import wilson

log = logging.getLogger(__name__)

REPEATS = 2  # of each question, in the same order of the pictures; once more in the other order
TRUE_PAGE = "true page"
EMPTY_PAGE = "empty page"
BLANK = b"<!DOCTYPE html><html><body></body></html>"

Outcome = bool | None
"""None: the judge gave no usable answer."""


def selftest(
    tasks: Sequence[Task],
    config: Config,
    paths: RunPaths,
    progress: Progress,
) -> SelfTest:
    """Measure the configured judge; save and return the record.

    Raises DataError when the tasks hold nothing to measure with, ConfigError when the judge needs
    contracts and no task has one.
    """
    started = time.monotonic()
    require_contracts(tasks, config)
    with opened(config, paths) as backend:
        outcomes = asyncio.run(_examine(tasks, config, backend, progress))
    record = SelfTest(
        judge=config.judge.name,
        tasks=tuple(task.id for task in tasks),
        settings=judge_settings(config, TaskPaths(paths.folder)),
        sensitivity=tally(outcomes.of(positive=True)),
        specificity=tally(outcomes.of(positive=False)),
        kinds={kind: tally(answers) for kind, answers in outcomes.by_kind.items()},
        flips=tally(outcomes.repeat_flips),
        order_flips=tally(outcomes.order_flips),
        calls=outcomes.calls,
        seconds=round(time.monotonic() - started, 1),
    )
    write_record(paths.selftest(config.judge.name), record)
    return record


# ---- asking ------------------------------------------------------------------------------------


class SelfTestOutcomes:
    """What came of the questions; None where the judge gave no usable answer.

    `by_kind` holds whether each answer was right, the flips whether two answers to the same
    question differed.
    """

    def __init__(self) -> None:
        self.by_kind: dict[str, list[Outcome]] = {}
        self.repeat_flips: list[Outcome] = []
        self.order_flips: list[Outcome] = []
        self.calls = 0

    def add(self, kind: str, is_right: Outcome) -> None:
        answers = self.by_kind.setdefault(kind, [])
        answers.append(is_right)

    def of(self, *, positive: bool) -> list[Outcome]:
        """Return the answers to all questions whose right answer is yes (or no)."""
        answers: list[Outcome] = []
        for kind, outcomes in self.by_kind.items():
            if (kind in EXPECTED_POSITIVE) == positive:
                answers += outcomes
        return answers


async def _examine(
    tasks: Sequence[Task],
    config: Config,
    backend: JudgeBackend,
    progress: Progress,
) -> SelfTestOutcomes:
    pool = Pool(config.browser, Environment.read())
    with tempfile.TemporaryDirectory(prefix="iwr-selftest-") as name:
        folder = Path(name)
        async with backend.session() as new_judge, pool:
            cases = await _make_cases(tasks, pool, folder, progress)
            examiner = Examiner(config, new_judge, pool, folder)
            await examiner.examine(tasks, cases, progress)
    return examiner.outcomes


async def _make_cases(
    tasks: Sequence[Task],
    pool: Pool,
    folder: Path,
    progress: Progress,
) -> list[SelfTestCase]:
    """Return the questions that the tasks give. Raises DataError when they give none."""
    cases: list[SelfTestCase] = []
    with progress("read the true pages", len(tasks)) as step:

        async def make(task: Task) -> list[SelfTestCase]:
            group = await cases_of(task, pool, folder)
            step(task.id)
            return group

        for group in await asyncio.gather(*map(make, tasks)):
            cases += group
    if not cases:
        raise DataError(
            "there is nothing to measure a judge with",
            hint="use data=samples, or tasks with page/index.html",
        )
    return cases


class Examiner:
    """Puts the questions to judges, a new one for each, and notes the outcomes."""

    def __init__(
        self,
        config: Config,
        new_judge: NewJudge,
        pool: Pool,
        folder: Path,
    ):
        self.outcomes = SelfTestOutcomes()
        self._config = replace(config, protocol=replace(config.protocol, high=False))
        self._new_judge = new_judge
        self._pool = pool
        self._folder = folder
        self._slots = asyncio.Semaphore(config.server.in_flight)

    async def examine(
        self,
        tasks: Sequence[Task],
        cases: Sequence[SelfTestCase],
        progress: Progress,
    ) -> None:
        """Ask all cases; drive the true and an empty page of each task that has a true page."""
        drives = []
        for task in tasks:
            if task.true_page:
                drives.append((task, TRUE_PAGE, task.true_page.read_bytes()))
                drives.append((task, EMPTY_PAGE, BLANK))
        total = len(cases) + len(drives)
        with progress(f"ask {self._config.judge.name}", total) as step:

            async def ask(case: SelfTestCase) -> None:
                await self.ask(case)
                step(case.kind)

            async def drive(
                task: Task,
                kind: str,
                source: bytes,
            ) -> None:
                await self.drive(task, kind, source)
                step(f"{kind} of {task.id}")

            questions = [ask(case) for case in cases]
            rollouts = [drive(*page) for page in drives]
            await asyncio.gather(*questions, *rollouts)

    async def ask(self, case: SelfTestCase) -> None:
        """Put one assertion several times, at last with the pictures in the other order."""
        judge = self._new_judge(case.task, TaskPaths(self._folder))
        answers = []
        async with self._slots:
            for _ in range(REPEATS):
                answers.append(await _answer(judge, case))
            swapped = await _answer(judge, case, swapped=True)
        first = answers[0]
        is_right = None if first is None else first == case.expected
        outcomes = self.outcomes
        outcomes.add(case.kind, is_right)
        outcomes.repeat_flips.append(_differ(answers))
        outcomes.order_flips.append(_differ([first, swapped]))
        outcomes.calls += judge.calls

    async def drive(
        self,
        task: Task,
        kind: str,
        source: bytes,
    ) -> None:
        """Drive a whole page: each step of a true page must pass, none of an empty one."""
        home = self._folder / f"{task.id}-{kind.replace(' ', '-')}"
        home.mkdir()
        page = home / "index.html"
        page.write_bytes(source)
        judge = self._new_judge(task, TaskPaths(home))
        job = RolloutJob(task, kind, page, JudgePaths(home))
        rollout = await roll_out(job, judge, self._pool, self._config, {})
        expected = kind in EXPECTED_POSITIVE
        for step in rollout.steps[1:]:
            is_right = None if step.is_unscored else step.credited == expected
            self.outcomes.add(kind, is_right)
        self.outcomes.calls += judge.calls


async def _answer(
    judge: Judge,
    case: SelfTestCase,
    *,
    swapped: bool = False,
) -> bool | None:
    """Return the judge's verdict; None when it gives none."""
    try:
        verdict = await judge.verify(
            case.step,
            case.assertion,
            case.before,
            case.after,
            swapped=swapped,
        )
    except (JudgeError, ServerError) as error:
        log.debug("%s: %s", case.assertion, error)
        return None
    return verdict.passed


def _differ(answers: Sequence[bool | None]) -> Outcome:
    """Return whether the answers differ; None when one of them is missing."""
    if None in answers:
        return None
    return len(set(answers)) > 1


# ---- counting ----------------------------------------------------------------------------------


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Return the counts, the share of True among the usable outcomes, and its 95 % interval."""
    outcomes = list(outcomes)
    usable = [outcome for outcome in outcomes if outcome is not None]
    yes = sum(usable)
    unusable = len(outcomes) - len(usable)
    if not usable:
        return Tally(asked=len(outcomes), yes=yes, unusable=unusable)
    interval = wilson(yes, len(usable))
    return Tally(
        asked=len(outcomes),
        yes=yes,
        unusable=unusable,
        share=yes / len(usable),
        low=interval.low,
        high=interval.high,
    )


def lines(record: SelfTest) -> list[str]:
    """Return the record for people, one line a figure."""
    count = len(record.tasks)
    texts = [
        f"judge {record.judge} on {count} tasks, {record.calls} calls",
        line("sensitivity", record.sensitivity),
        line("specificity", record.specificity),
    ]
    for kind, figure in record.kinds.items():
        texts.append(line(f"  {kind}", figure))
    texts.append(line("other answer when asked again", record.flips))
    texts.append(line("other answer in the other order", record.order_flips))
    return texts


def line(name: str, figure: Tally) -> str:
    return f"{name:32}{figure}"
