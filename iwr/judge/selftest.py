"""How far a judge's verdicts can be trusted, measured on ground truth: `iwr selftest judge=NAME`.

What must be affirmed: assertions on true pairs of states (k-1, k), and every step of the true pages. What must be refused: the same
assertions on unchanged pairs (k-1, k-1) and reversed ones (k, k-1), on pages with a planted defect, and every step of an empty page.
States come from driving the true pages with the rules. Tasks without a true page contribute the recorded checkpoints of neighbouring
steps, which only a judge that looks at pictures can use.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from iwr.browser.page_state import HOOK, Snapshot, picture_of
from iwr.browser.pool import Pool
from iwr.config import Config, Environment
from iwr.errors import DataError, JudgeError, PageError, ServerError
from iwr.judge.backends import JudgeBackend, NewJudge, judge_settings, opened
from iwr.judge.base import Judge
from iwr.judge.runner import RolloutJob, RolloutRunner, roll_out
from iwr.judge.rules.judge import RulesJudge
from iwr.judge.rules.language import quotes
from iwr.progress import Progress, Step
from iwr.records import ActionType, SelfTest, Tally, Task
from iwr.runs.files import write_record
from iwr.runs.paths import JudgePaths, RunPaths, TaskPaths

log = logging.getLogger(__name__)

REPEATS = 2  # of each question, in the same order of the pictures; once more in the other order
BLANK = b"<!DOCTYPE html><html><body></body></html>"
SCRIPT = re.compile(rb"<script\b.*?</script\s*>|\son\w+=(?:\"[^\"]*\"|'[^']*')", re.I | re.S)
AFFIRMED = ("true pair", "true page")


class Case(NamedTuple):
    """An assertion on two states, and what a judge must say to it."""

    kind: str
    assertion: str
    before: Snapshot
    after: Snapshot

    @property
    def expected(self) -> bool:
        return self.kind in AFFIRMED


def selftest(
    tasks: Sequence[Task], config: Config, paths: RunPaths, progress: Progress
) -> SelfTest:
    """Measure the configured judge, save and return what was found. Raises DataError when the tasks hold nothing to measure with."""
    started = time.monotonic()
    with opened(config, paths) as court:
        results = asyncio.run(_examine(tasks, config, court, progress))
    answers = results.answers
    record = SelfTest(
        judge=config.judge.name,
        tasks=tuple(task.id for task in tasks),
        settings=judge_settings(config, TaskPaths(paths.folder)),
        sensitivity=tally(right for kind, right in answers if kind in AFFIRMED),
        specificity=tally(right for kind, right in answers if kind not in AFFIRMED),
        kinds={
            kind: tally(right for other, right in answers if other == kind)
            for kind in dict.fromkeys(kind for kind, _ in answers)
        },
        flips=tally(results.repeat_flips),
        order_flips=tally(results.order_flips),
        calls=results.calls,
        seconds=round(time.monotonic() - started, 1),
    )
    write_record(paths.selftest(config.judge.name), record)
    return record


class Results:
    """`answers`: (kind, right) for each question, None where the judge gave no usable answer. Flips: whether two answers differed."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, bool | None]] = []
        self.repeat_flips: list[bool | None] = []
        self.order_flips: list[bool | None] = []
        self.calls = 0


async def _examine(
    tasks: Sequence[Task], config: Config, court: JudgeBackend, progress: Progress
) -> Results:
    results = Results()
    async with court.session() as new_judge, Pool(config.browser, Environment.read()) as pool:
        with tempfile.TemporaryDirectory(prefix="iwr-selftest-") as folder:
            with progress("read the true pages", len(tasks)) as step:
                found = await asyncio.gather(
                    *(_cases(task, pool, Path(folder), step) for task in tasks)
                )
            cases = [case for some in found for case in some]
            pages = [
                (task, kind)
                for task in tasks
                if task.true_page
                for kind in ("true page", "empty page")
            ]
            if not cases:
                raise DataError(
                    "there is nothing to measure a judge with",
                    hint="use data=samples, or tasks with page/index.html",
                )
            with progress(f"ask {config.judge.name}", len(cases) + len(pages)) as step:
                slots = asyncio.Semaphore(config.server.in_flight)
                await asyncio.gather(
                    *(
                        _put(case, new_judge(TaskPaths(Path(folder))), slots, results, step)
                        for case in cases
                    ),
                    *(
                        _drive(task, kind, new_judge, pool, config, Path(folder), results, step)
                        for task, kind in pages
                    ),
                )
    return results


# ---- what is asked -------------------------------------------------------------------------------------


async def _cases(task: Task, pool: Pool, folder: Path, step: Step) -> list[Case]:
    """All questions that one task gives."""
    if task.true_page is None:
        cases = _recorded(task)
    else:
        source = task.true_page.read_bytes()
        cases = _about(task, await _states(task, source, pool, folder / f"{task.id}-true"))
        for number, (position, defect) in enumerate(defects(task, source)):
            states = await _states(task, defect, pool, folder / f"{task.id}-{number}")
            shown = [
                (k, text)
                for k, text in _assertions(task, states)
                if k == position or (position is None and reacts(task, k))
            ]
            cases += [Case("planted defect", text, states[k - 1], states[k]) for k, text in shown]
    step(task.id)
    return cases


def _assertions(task: Task, states: dict[int, Snapshot]) -> list[tuple[int, str]]:
    asserted = (
        (n, action.logical_assertion)
        for n, action in enumerate(task.actions, 1)
        if {n - 1, n} <= states.keys()
    )
    return [(number, text) for number, text in asserted if text]


def _about(task: Task, states: dict[int, Snapshot]) -> list[Case]:
    cases = []
    for number, text in _assertions(task, states):
        before, after = states[number - 1], states[number]
        pairs = {
            "true pair": (before, after),
            "unchanged pair": (before, before),
            "reversed pair": (after, before),
        }
        cases += [Case(kind, text, *pair) for kind, pair in pairs.items()]
    return cases


def _recorded(task: Task) -> list[Case]:
    """From the pictures alone, where those of two neighbouring steps were recorded."""
    states = {
        step: picture_of(path.read_bytes(), task.width, task.height)
        for step, path in task.checkpoints.items()
    }
    cases = []
    for step in states:
        if step - 1 in states:
            cases += _about(task, {step - 1: states[step - 1], step: states[step]})
    return cases


def defects(task: Task, source: bytes) -> list[tuple[int | None, bytes]]:
    """The page with one defect each, and the step at which it shows (None: at every step).

    Nothing reacts; or one text that is asserted is another.
    """
    named = " ".join(
        quote for action in task.actions for quote in quotes(action.parameters.description)
    )
    planted: list[tuple[int | None, bytes]] = [(None, SCRIPT.sub(b"", source))]
    for number, action in enumerate(task.actions, 1):
        for text in quotes(action.logical_assertion or "")[:1]:
            if text.encode() in source and len(text) > 3 and text not in named:
                planted.append((number, source.replace(text.encode(), garbled(text).encode())))
    return planted[:4]


def reacts(task: Task, step: int) -> bool:
    """Whether the step's effect needs a script: any page can scroll without one."""
    return task.action(step).type is not ActionType.SCROLL


def garbled(text: str) -> str:
    """Other words of the same length; digits become other digits."""
    turned = " ".join(word[::-1].lower() for word in text.split(" "))
    return re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), turned)


async def _states(task: Task, page: bytes, pool: Pool, folder: Path) -> dict[int, Snapshot]:
    """The states that a page runs through, as far as it can be driven."""
    from iwr.browser.chromium import Site

    folder.mkdir(parents=True)
    (folder / "index.html").write_bytes(page)
    drive = RolloutRunner(
        RolloutJob(task, "true", folder / "index.html", JudgePaths(folder)), RulesJudge()
    )
    try:
        await pool.run(
            drive.run,
            Site(folder / "index.html", task.assets),
            task.width,
            task.height,
            scripts=[HOOK],
        )
    except PageError as error:
        log.debug("%s: %s", task.id, error)
    await drive.answers()
    return dict(enumerate(drive.states))


# ---- asking --------------------------------------------------------------------------------------------


async def _put(
    case: Case, judge: Judge, slots: asyncio.Semaphore, results: Results, step: Step
) -> None:
    async with slots:
        said = [await _verdict(judge, case) for _ in range(REPEATS)]
        turned = await _verdict(judge, case, swapped=True)
    results.answers.append((case.kind, None if said[0] is None else said[0] == case.expected))
    results.repeat_flips.append(None if None in said else len(set(said)) > 1)
    results.order_flips.append(None if None in (said[0], turned) else said[0] != turned)
    results.calls += judge.calls
    step(case.kind)


async def _verdict(judge: Judge, case: Case, *, swapped: bool = False) -> bool | None:
    try:
        return (
            await judge.verify(0, case.assertion, case.before, case.after, swapped=swapped)
        ).passed
    except (JudgeError, ServerError) as error:
        log.debug("%s: %s", case.assertion, error)
        return None


async def _drive(
    task: Task,
    kind: str,
    new_judge: NewJudge,
    pool: Pool,
    config: Config,
    folder: Path,
    results: Results,
    step: Step,
) -> None:
    """The judge drives a whole page: each step of the true one must pass, none of an empty one."""
    home = folder / f"{task.id}-{kind.replace(' ', '-')}"
    home.mkdir()
    page = home / "index.html"
    page.write_bytes(
        task.true_page.read_bytes() if kind == "true page" and task.true_page else BLANK
    )
    judge = new_judge(TaskPaths(home))
    plain = replace(config, protocol=replace(config.protocol, high=False))
    rollout = await roll_out(RolloutJob(task, kind, page, JudgePaths(home)), judge, pool, plain, {})
    for done in rollout.steps[1:]:
        unusable = done.failed_by in ("judge", "infrastructure")
        results.answers.append((kind, None if unusable else done.credited == (kind == "true page")))
    results.calls += judge.calls
    step(f"{kind} of {task.id}")


# ---- counting ------------------------------------------------------------------------------------------


def tally(outcomes: Iterable[bool | None]) -> Tally:
    """Counts, the share of true ones among those that are known, and its 95 % interval (Wilson)."""
    listed = list(outcomes)
    known = [outcome for outcome in listed if outcome is not None]
    if not known:
        return Tally(asked=len(listed), yes=0, unusable=len(listed))
    share, low, high = sum(known) / len(known), *wilson(sum(known), len(known))
    return Tally(
        asked=len(listed),
        yes=sum(known),
        unusable=len(listed) - len(known),
        share=share,
        low=low,
        high=high,
    )


def wilson(yes: int, asked: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share; meaningful also near 0 and 1 (Wilson, 1927)."""
    share, denominator = yes / asked, 1 + z * z / asked
    middle = (share + z * z / (2 * asked)) / denominator
    reach = z * math.sqrt(share * (1 - share) / asked + z * z / (4 * asked * asked)) / denominator
    return max(0.0, middle - reach), min(1.0, middle + reach)


def lines(record: SelfTest) -> list[str]:
    """The record for people, one line a figure."""
    figures = {
        "sensitivity": record.sensitivity,
        "specificity": record.specificity,
        **{f"  {kind}": found for kind, found in record.kinds.items()},
        "other answer when asked again": record.flips,
        "other answer in the other order": record.order_flips,
    }
    head = f"judge {record.judge} on {len(record.tasks)} tasks, {record.calls} calls"
    return [head, *(f"{name:32}{found}" for name, found in figures.items())]
