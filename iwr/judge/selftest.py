"""How far a judge's verdicts can be trusted, measured on ground truth: `iwr selftest judge=NAME`.

Sensitivity is measured on what is true: assertions on true pairs of states (k-1, k), and every step
of the true pages. Specificity is measured on what is false: the same assertions on unchanged pairs
(k-1, k-1) and reversed ones (k, k-1), on pages with planted defects of every kind, and every step
of an empty page.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from iwr.browser.pool import Pool
from iwr.config import Config, Environment
from iwr.errors import DataError
from iwr.judge.backends import JudgeBackend, judge_settings, opened, require_contracts
from iwr.judge.defects import MOST
from iwr.judge.examiner import Examiner, Outcome, SelfTestOutcomes
from iwr.judge.selftest_cases import TaskCases, cases_of
from iwr.progress import Progress
from iwr.records import SelfTest, SelfTestMiss, Tally, Task
from iwr.runs.files import write_record
from iwr.runs.paths import RunPaths, TaskPaths
from iwr.stats import wilson

log = logging.getLogger(__name__)

MOST_LISTED = 10  # wrong answers on a terminal


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
    tasks = _usable(tasks, config)
    judge = config.judge.name
    pictures = paths.selftest_pictures(judge)
    for picture in pictures.glob("*.png"):  # of an earlier self-test
        picture.unlink()
    with opened(config, paths) as backend:
        work = _examine(tasks, config, backend, pictures, progress)
        examination = asyncio.run(work)
    outcomes = examination.outcomes
    record = SelfTest(
        judge=judge,
        tasks=tuple(task.id for task in tasks),
        settings=judge_settings(config, TaskPaths(paths.folder)),
        sensitivity=tally(outcomes.of(positive=True)),
        specificity=tally(outcomes.of(positive=False)),
        kinds=_tallies(outcomes.by_kind),
        flips=tally(outcomes.repeat_flips),
        order_flips=tally(outcomes.order_flips),
        exact=tally(outcomes.at_exact_step()),
        pages_a_kind=MOST,
        left_out=dict(examination.left_out),
        misses=tuple(sorted(outcomes.misses, key=_place)),
        calls=outcomes.calls,
        seconds=round(time.monotonic() - started, 1),
    )
    write_record(paths.selftest(judge), record)
    return record


def _usable(tasks: Sequence[Task], config: Config) -> Sequence[Task]:
    """Return the tasks that the judge can answer questions about."""
    if config.judge.kind != "contract":
        return tasks
    return [task for task in tasks if task.contract]


def _place(miss: SelfTestMiss) -> tuple[str, str, int]:
    """Return what misses are sorted by, so that a record does not depend on who was first."""
    return miss.kind, miss.task, miss.step


# ---- asking ------------------------------------------------------------------------------------


class Examination(NamedTuple):
    """The outcomes, and how many questions were left out, by kind."""

    outcomes: SelfTestOutcomes
    left_out: Counter[str]


async def _examine(
    tasks: Sequence[Task],
    config: Config,
    backend: JudgeBackend,
    pictures: Path,
    progress: Progress,
) -> Examination:
    """Make the questions and put them to the judge. Raises DataError when there are none."""
    pool = Pool(config.browser, Environment.read())
    with tempfile.TemporaryDirectory(prefix="iwr-selftest-") as name:
        folder = Path(name)
        async with backend.session() as new_judge, pool:
            group = await _make_cases(tasks, pool, folder, progress)
            if not group.cases:
                raise DataError(
                    "there is nothing to measure a judge with",
                    hint="use data=samples, or tasks with page/index.html and contract.json",
                )
            examiner = Examiner(config, new_judge, pool, folder, pictures)
            await examiner.examine(tasks, group.cases, progress)
    return Examination(examiner.outcomes, group.left_out)


async def _make_cases(
    tasks: Sequence[Task],
    pool: Pool,
    folder: Path,
    progress: Progress,
) -> TaskCases:
    """Return the questions that the tasks give, together. Raises BrowserError."""
    everything = TaskCases()
    with progress("plant defects in the true pages", len(tasks)) as step:

        async def make(task: Task) -> TaskCases:
            """Make the questions of one task, and count it as done."""
            group = await cases_of(task, pool, folder)
            step(task.id)
            return group

        for group in await asyncio.gather(*map(make, tasks)):
            everything.add(group)
    return everything


# ---- counting ----------------------------------------------------------------------------------


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Return the counts, the share of True among the usable outcomes, and its 95 % interval.

    Without a usable outcome there is neither: the mean of nothing is unknown, not zero.
    """
    counts = Counter(outcomes)
    yes = counts[True]
    unusable = counts[None]
    asked = counts.total()
    usable = asked - unusable
    if not usable:
        return Tally(asked=asked, yes=yes, unusable=unusable)
    interval = wilson(yes, usable)
    return Tally(
        asked=asked,
        yes=yes,
        unusable=unusable,
        share=yes / usable,
        low=interval.low,
        high=interval.high,
    )


def _tallies(by_kind: Mapping[str, Iterable[Outcome]]) -> dict[str, Tally]:
    """Return the counts of each kind of question."""
    tallies = {}
    for kind, outcomes in by_kind.items():
        tallies[kind] = tally(outcomes)
    return tallies


def lines(record: SelfTest) -> list[str]:
    """Return the record for people, one line a figure."""
    count = len(record.tasks)
    texts = [
        f"judge {record.judge} on {count} tasks, {record.calls} calls",
        line("sensitivity", record.sensitivity),
        line("specificity", record.specificity),
    ]
    kinds = dict.fromkeys((*record.kinds, *record.left_out))
    for kind in kinds:
        texts.append(_kind_line(kind, record))
    if record.exact and record.exact.asked:
        texts.append(line("defects at the exact step", record.exact))
    texts.append(line("other answer when asked again", record.flips))
    texts.append(line("other answer in the other order", record.order_flips))
    return texts + _miss_lines(record)


def _miss_lines(record: SelfTest) -> list[str]:
    """Return the first wrong answers, and how many more there are."""
    texts = []
    for miss in record.misses[:MOST_LISTED]:
        texts.append(_miss_line(miss))
    unlisted = len(record.misses) - MOST_LISTED
    if unlisted > 0:
        texts.append(f"… and {unlisted} more, in the record")
    return texts


def _kind_line(kind: str, record: SelfTest) -> str:
    """Return the figure of one kind of question."""
    figure: Tally | str = record.kinds.get(kind) or "not asked"
    text = line(f"  {kind}", figure)
    left_out = record.left_out.get(kind)
    if left_out:
        return f"{text}, left out: {left_out}"
    return text


def _miss_line(miss: SelfTestMiss) -> str:
    """Return what was answered wrongly or not at all, and the judge's words."""
    answer = "wrong"
    if miss.answer is None:
        answer = "no answer"
    return f"{answer}: {miss.kind}, {miss.task} step {miss.step}: {miss.reason}"


def line(name: str, figure: Tally | str) -> str:
    """Return a figure, or why there is none, in the second column."""
    return f"{name:32}{figure}"
