"""The stage: each page is driven through its task's recorded actions, and a judge says which steps worked.

Semantics (protocol, section 3): the first action that cannot be performed ends the run; the first assertion that does not hold
ends the credit. Assertions are functions of two states, so they are asked while the rollout goes on and credit is cut afterwards:
same result, less waiting. A step that fails because of the judge or the infrastructure makes the task unscored, unless the page
had failed before it anyway.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from iwr.browser.chromium import Site
from iwr.browser.page_state import HOOK, WALK, Snapshot, parse
from iwr.browser.pool import Pool
from iwr.config import Config, Environment
from iwr.errors import ActionError, IwrError, JudgeError, PageError, ServerError
from iwr.judge.backends import JudgeBackend, judge_settings, opened
from iwr.judge.base import Judge
from iwr.judge.perform import perform
from iwr.progress import Progress
from iwr.records import (
    Action,
    FailedBy,
    Fingerprint,
    Generation,
    GenerationStatus,
    Grounding,
    Rollout,
    RolloutStatus,
    Step,
    Task,
    Verdict,
    file_digest,
)
from iwr.runs.files import readable, whole_png, write_atomic, write_record
from iwr.runs.paths import JudgePaths, RunPaths
from iwr.runs.resume import is_pending

if TYPE_CHECKING:
    from iwr.browser.chromium import Tab

log = logging.getLogger(__name__)

JUDGE_VERSION = "1"  # raised when the same judge on the same page would answer differently
Pair = tuple[str, Task]
"""(model name, task)"""
NO_RUBRIC = "this judge has no rubric"
UNSCORED = (FailedBy.JUDGE, FailedBy.INFRASTRUCTURE)


# ---- what is to do -------------------------------------------------------------------------------------


def fingerprint(task: Task, model: str, config: Config, paths: RunPaths) -> Fingerprint:
    """What a rollout is made from. `input.*` are contents, the rest are settings."""
    page = paths.task(model, task.id).page
    browser = config.browser
    settings = {
        f"browser.{key}": str(getattr(browser, key))
        for key in ("page_seconds", "settle_seconds", "page_bytes", "renderer_mb")
    }
    return {
        "input.task": task.digest,
        "input.page": file_digest(page) if page.is_file() else "none",
        "judge.version": JUDGE_VERSION,
        "judge.rubric": f"{config.protocol.high}{', paired as in the reference' if config.protocol.reference_faults else ''}",
        **judge_settings(config, paths.task(model, task.id)),
        **settings,
    }


def pending_rollouts(work: Sequence[Pair], config: Config, paths: RunPaths) -> list[Pair]:
    """Pages that have no rollout yet, or one that failed or was made from other inputs. Raises StaleRunError on other settings."""
    return [
        (model, task)
        for model, task in work
        if _has_page(model, task, paths) and _is_owed(model, task, config, paths)
    ]


def _is_owed(model: str, task: Task, config: Config, paths: RunPaths) -> bool:
    files = paths.task(model, task.id).judge(config.judge.name)
    made_from = fingerprint(task, model, config, paths)
    return is_pending(
        files.rollout,
        Rollout,
        made_from,
        config.run.on_change,
        lambda rollout: _photographed(rollout, files.folder),
    )


def _photographed(rollout: Rollout, folder: Path) -> bool:
    """Whether the screenshots are there: one that was lost or cut off later heals by judging again."""
    return all(whole_png(folder / step.screenshot) for step in rollout.steps if step.screenshot)


def _has_page(model: str, task: Task, paths: RunPaths) -> bool:
    """Where the generation is missing or failed there is nothing to judge."""
    files = paths.task(model, task.id)
    generation = readable(files.generation, Generation)
    return (
        generation is not None and generation.status is GenerationStatus.OK and files.page.is_file()
    )


def judge(work: Sequence[Pair], config: Config, paths: RunPaths, progress: Progress) -> None:
    """Do what is owed. Each rollout is saved as soon as it is done; one broken task never stops the others.

    When the server of a judge model dies, it is started again (`server.restarts` times), and what failed is judged again.
    """
    todo = pending_rollouts(work, config, paths)
    if not todo:
        return
    with opened(config, paths) as court:
        for left in reversed(range(config.server.restarts + 1)):
            asyncio.run(_judge(todo, config, paths, court, progress))
            if court.alive() or not left:
                return
            todo = pending_rollouts(todo, config, paths)
            log.warning("the judge's server died; %d pages are judged again", len(todo))
            court.restart()


async def _judge(
    todo: list[Pair], config: Config, paths: RunPaths, court: JudgeBackend, progress: Progress
) -> None:
    slots = asyncio.Semaphore(
        2 * config.browser.contexts
    )  # pages that wait for verdicts hold no browser
    async with court.session() as new_judge, Pool(config.browser, Environment.read()) as pool:
        with progress("judge", len(todo)) as step:

            async def one(model: str, task: Task) -> None:
                async with slots:
                    files = paths.task(model, task.id)
                    desk = RolloutJob(task, model, files.page, files.judge(config.judge.name))
                    rollout = await roll_out(
                        desk,
                        new_judge(files),
                        pool,
                        config,
                        fingerprint(task, model, config, paths),
                    )
                    step(f"{model} {task.id}: {summary(rollout)}")

            await asyncio.gather(*(one(model, task) for model, task in todo))


def summary(rollout: Rollout) -> str:
    if rollout.status is RolloutStatus.FAILED:
        return f"not scored: {rollout.reason}"
    return f"{sum(step.credited for step in rollout.steps[1:])}/{len(rollout.steps) - 1} steps"


# ---- one page ------------------------------------------------------------------------------------------


class RolloutJob(NamedTuple):
    """One page to judge, and where the results go."""

    task: Task
    model: str
    page: Path  # index.html
    files: JudgePaths


async def roll_out(
    desk: RolloutJob, judge: Judge, pool: Pool, config: Config, made_from: Fingerprint
) -> Rollout:
    """Drive one page, save and return its record. Never raises for what a page, a judge or the browser does wrong."""
    started = time.monotonic()
    _clear(desk.files)
    drive = RolloutRunner(desk, judge)
    try:
        await pool.run(
            drive.run,
            Site(desk.page, desk.task.assets),
            desk.task.width,
            desk.task.height,
            scripts=[HOOK],
        )
    except PageError as error:  # it does not open, or it breaks every browser
        drive.end(FailedBy.PAGE, error)
    except IwrError as error:
        drive.end(FailedBy.INFRASTRUCTURE, error)
    except Exception as error:
        log.exception("%s %s", desk.model, desk.task.id)
        drive.end(FailedBy.INFRASTRUCTURE, error)
    steps = credited(drive.steps, await drive.answers())
    if config.protocol.high:
        steps = await _rated(
            steps, desk.task, judge, drive.pages, faulty=config.protocol.reference_faults
        )
    problem = unscored(steps)
    rollout = Rollout(
        model=desk.model,
        task=desk.task.id,
        judge=config.judge.name,
        status=RolloutStatus.FAILED if problem else RolloutStatus.OK,
        reason=problem,
        fingerprint=made_from,
        steps=tuple(steps),
        refused=drive.refused,
        seconds=round(time.monotonic() - started, 3),
        calls=judge.calls,
        browser=pool.version or None,
    )
    write_record(desk.files.rollout, rollout)
    return rollout


def _clear(files: JudgePaths) -> None:
    """Nothing of an earlier rollout may be taken for a part of this one."""
    files.rollout.unlink(missing_ok=True)
    files.calls.unlink(missing_ok=True)
    for old in files.folder.glob("step_*.png"):
        old.unlink()


class Answer(NamedTuple):
    """To one assertion. `failed_by` says who failed when there is no verdict."""

    verdict: Verdict
    failed_by: FailedBy | None = None


class RolloutRunner:
    """One walk through the actions. When a browser breaks, the pool runs it again from the start."""

    def __init__(self, desk: RolloutJob, judge: Judge):
        self.desk = desk
        self.judge = judge
        self.refused: dict[str, int] = {}
        self.steps: list[Step] = []
        self.pages: list[Snapshot] = []  # the states that were reached
        self._asked: dict[int, asyncio.Task[Answer]] = {}

    async def run(self, tab: Tab) -> None:
        """Opens, then acts until an action cannot be performed. Raises BrowserError, or what is a fault of ours."""
        self._restart()
        try:
            page = await self._look(
                tab, Step(step=0, performed=True, credited=True), time.monotonic()
            )
            for number, action in enumerate(self.desk.task.actions, 1):
                before, page = page, await self._act(tab, number, action, page)
                if action.logical_assertion:
                    self._asked[number] = asyncio.create_task(
                        self._ask(number, action.logical_assertion, before, page)
                    )
        except Ended:
            return
        except PageError as error:
            self.end(FailedBy.PAGE, error)
        finally:
            self.refused = dict(tab.refused)

    def _restart(self) -> None:
        for asked in self._asked.values():
            asked.cancel()
        self.steps, self.pages, self._asked = [], [], {}

    async def _act(self, tab: Tab, number: int, action: Action, page: Snapshot) -> Snapshot:
        """The page after action `number`. Raises Ended when the action cannot be performed; the step then says why."""
        started, found = time.monotonic(), None
        try:
            found = await self.judge.ground(number, action, page)
            if not found.found:
                raise PageError(found.reason or "nothing on the page fits the description")
            point = await perform(tab, action, found)
            found = found.model_copy(update={"point": point or found.point})
            return await self._look(
                tab,
                Step(step=number, action=action, grounding=found, performed=True, credited=False),
                started,
            )
        except (ActionError, PageError, JudgeError, ServerError) as error:
            self.end(attribute_failure(error), error, found)
            raise Ended from error

    async def _look(self, tab: Tab, step: Step, started: float) -> Snapshot:
        """Waits until the page is still, reads it, keeps the screenshot and the step."""
        settled = await tab.settle()
        page = parse(await tab.evaluate(WALK), await tab.screenshot())
        path = self.desk.files.screenshot(step.step)
        write_atomic(path, page.screenshot)
        self.pages.append(page)
        self.steps.append(
            step.model_copy(
                update={
                    "settled": settled,
                    "screenshot": path.name,
                    "screenshot_sha256": hashlib.sha256(page.screenshot).hexdigest(),
                    "seconds": round(time.monotonic() - started, 3),
                }
            )
        )
        return page

    async def _ask(self, number: int, assertion: str, before: Snapshot, after: Snapshot) -> Answer:
        try:
            return Answer(await self.judge.verify(number, assertion, before, after))
        except (JudgeError, ServerError) as error:
            return Answer(Verdict(passed=None, reason=str(error)), attribute_failure(error))

    async def answers(self) -> dict[int, Answer]:
        """To every assertion that was asked."""
        return dict(zip(self._asked, await asyncio.gather(*self._asked.values()), strict=True))

    def end(self, who: FailedBy, error: Exception, found: Grounding | None = None) -> None:
        """The next step fails, and those after it are never reached."""
        for number in range(len(self.steps), len(self.desk.task.actions) + 1):
            action = self.desk.task.action(number) if number else None
            self.steps.append(
                Step(
                    step=number,
                    action=action,
                    grounding=found,
                    performed=False,
                    credited=False,
                    failed_by=who,
                    reason=str(error),
                )
            )
            found, who, error = None, None, Exception("not reached")  # type: ignore[assignment]


class Ended(Exception):
    """The rollout is over; its steps say why."""


def attribute_failure(error: Exception) -> FailedBy:
    """Who failed, by the error that was raised while acting or judging."""
    for kind, who in (
        (ActionError, FailedBy.ACTION),
        (PageError, FailedBy.PAGE),
        (JudgeError, FailedBy.JUDGE),
    ):
        if isinstance(error, kind):
            return who
    return FailedBy.INFRASTRUCTURE


# ---- what it is worth ----------------------------------------------------------------------------------


def credited(steps: Sequence[Step], answers: Mapping[int, Answer]) -> list[Step]:
    """The steps with their verdicts; a step has credit when it and all before it were performed and none was refuted."""
    earning, result = True, []
    for step in steps:
        if step.step in answers:
            verdict, who = answers[step.step]
            who = FailedBy.ASSERTION if verdict.passed is False else who
            step = step.model_copy(
                update={
                    "verdict": verdict,
                    "failed_by": who,
                    "reason": verdict.reason if who else None,
                }
            )
        earning = earning and step.performed and step.failed_by is None
        result.append(step.model_copy(update={"credited": earning}))
    return result


async def _rated(
    steps: list[Step], task: Task, judge: Judge, pages: Sequence[Snapshot], *, faulty: bool
) -> list[Step]:
    """The checkpoints that count, with the judge's rubric; `faulty`: paired as the reference evaluator does."""
    wanted: dict[int, list[Path]] = {}
    for number, checkpoint in task.reference_pairs() if faulty else ():
        wanted.setdefault(number, []).append(task.reference_checkpoint(checkpoint))

    async def one(step: Step) -> Step:
        counts = (
            [task.checkpoints[step.step]] if step.credited and step.step in task.checkpoints else []
        )
        references = wanted.get(step.step, []) if faulty else counts
        if not references or step.step >= len(pages):
            return step
        if not judge.rates:
            return step.model_copy(update={"rubric_reason": NO_RUBRIC})
        try:
            rubrics = [
                await judge.rate(step.step, reference.read_bytes(), pages[step.step].screenshot)
                for reference in references
            ]
            return step.model_copy(
                update=dict(zip(("rubric", "second_rubric"), rubrics, strict=False))
            )
        except (JudgeError, ServerError, OSError) as error:
            return step.model_copy(update={"rubric_reason": f"rating failed: {error}"})

    return list(await asyncio.gather(*(one(step) for step in steps)))


def unscored(steps: Sequence[Step]) -> str | None:
    """Why the task cannot be scored: the first failure is not the page's. None: it can."""
    failed = next((step for step in steps if step.failed_by), None)
    if failed is not None and failed.failed_by in UNSCORED:
        return f"step {failed.step}: {failed.reason}"
    return next(
        (
            f"step {step.step}: {step.rubric_reason}"
            for step in steps
            if step.rubric_reason and step.rubric_reason != NO_RUBRIC
        ),
        None,
    )
