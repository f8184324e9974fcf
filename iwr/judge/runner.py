"""The rollout of one page: its task's actions are performed one after another.

Assertions are functions of two states, so they are put to the judge while the rollout goes on, and
credit is cut afterwards: the same result with less waiting.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from iwr.browser.page_state import HOOK, Snapshot
from iwr.browser.pool import Pool
from iwr.browser.site import Site
from iwr.browser.states import State, settled_state
from iwr.config import Config
from iwr.errors import ActionError, IwrError, JudgeError, PageError, ServerError
from iwr.judge.base import ActingJudge, Judge
from iwr.judge.credit import AssertionAnswer, credit_steps, rate_steps, unscored_reason
from iwr.judge.perform import perform
from iwr.records import (
    Action,
    FailedBy,
    Fingerprint,
    Grounding,
    PageEvent,
    Rollout,
    RolloutStatus,
    Step,
    Task,
    Verdict,
)
from iwr.runs.files import write_atomic, write_record
from iwr.runs.paths import JudgePaths
from iwr.tasks.pairing import pairing_of

if TYPE_CHECKING:
    from iwr.browser.page import Tab

log = logging.getLogger(__name__)


class RolloutJob(NamedTuple):
    """One page to judge, and where the results go."""

    task: Task
    model: str
    page: Path  # index.html
    files: JudgePaths
    beside: Path | None = None  # folder of the files that the page brings along


async def roll_out(
    job: RolloutJob,
    judge: Judge,
    pool: Pool,
    config: Config,
    fingerprint: Fingerprint,
) -> Rollout:
    """Judge one page; save and return its record.

    Never raises for what the page, the judge or the browser does wrong: the record says it.
    """
    started = time.monotonic()
    _clear(job.files)
    runner = RolloutRunner(job, judge)
    await _walk(runner, pool)
    answers = await runner.answers()
    steps = credit_steps(runner.steps, answers)
    if config.protocol.high:
        pairing = pairing_of(config.protocol)
        steps = await rate_steps(steps, job.task, judge, runner.states, pairing)
    problem = unscored_reason(steps)
    status = RolloutStatus.OK
    if problem:
        status = RolloutStatus.FAILED
    rollout = Rollout(
        model=job.model,
        task=job.task.id,
        judge=config.judge.name,
        status=status,
        reason=problem,
        fingerprint=fingerprint,
        steps=tuple(steps),
        refused=runner.refused,
        events=tuple(runner.events),
        seconds=round(time.monotonic() - started, 3),
        calls=judge.calls,
        browser=pool.version or None,
    )
    write_record(job.files.rollout, rollout)
    return rollout


async def _walk(runner: RolloutRunner, pool: Pool) -> None:
    """Run on a page of the pool; a failure becomes a part of the steps."""
    try:
        await runner.run_in(pool)
    except PageError as error:  # it does not open, or it breaks every browser
        runner.end(FailedBy.PAGE, error)
    except IwrError as error:
        runner.end(FailedBy.INFRASTRUCTURE, error)
    except Exception as error:
        log.exception("%s %s", runner.job.model, runner.job.task.id)
        runner.end(FailedBy.INFRASTRUCTURE, error)


def _clear(files: JudgePaths) -> None:
    """Remove an earlier rollout, so that nothing of it is taken for a part of this one."""
    files.rollout.unlink(missing_ok=True)
    files.calls.unlink(missing_ok=True)
    for screenshot in files.folder.glob("step_*.png"):
        screenshot.unlink()


class RolloutEnded(Exception):
    """The rollout is over; its steps say why."""


class RolloutRunner:
    """One walk through a task's actions.

    When a browser breaks, the pool runs the walk again from the start.
    """

    def __init__(self, job: RolloutJob, judge: Judge):
        self.job = job
        self.judge = judge
        self.refused: dict[str, int] = {}
        self.events: list[PageEvent] = []
        self.steps: list[Step] = []
        self.states: list[Snapshot] = []  # as shown, one for each step that was reached
        self._answers: dict[int, asyncio.Task[AssertionAnswer]] = {}

    async def run_in(self, pool: Pool) -> None:
        """Run on a page of the pool. Raises PageError, BrowserError."""
        task = self.job.task
        site = Site(self.job.page, task.assets, self.job.beside)
        await pool.run(self.run, site, task.width, task.height, scripts=[HOOK])

    async def run(self, tab: Tab) -> None:
        """Perform the actions until one cannot be performed. Raises BrowserError."""
        self._restart()
        try:
            opened = Step(step=0, performed=True, credited=True)
            state = await self._record(tab, opened, None, time.monotonic())
            for number, action in enumerate(self.job.task.actions, 1):
                before = state.rest
                state = await self._act(tab, number, action, before)
                if action.logical_assertion:
                    answer = self._verify(number, action.logical_assertion, before, state.shown)
                    self._answers[number] = asyncio.create_task(answer)
        except RolloutEnded:
            return
        except PageError as error:
            self.end(FailedBy.PAGE, error)
        finally:
            self.refused = dict(tab.refused)
            self.events = tab.log.events

    def _restart(self) -> None:
        """Forget what an earlier walk recorded; its questions are cancelled."""
        for answer in self._answers.values():
            answer.cancel()
        self.steps = []
        self.states = []
        self._answers = {}

    async def _act(
        self,
        tab: Tab,
        number: int,
        action: Action,
        before: Snapshot,
    ) -> State:
        """Return the state after action `number`.

        Raises RolloutEnded when the action cannot be performed; the step then says why.
        """
        started = time.monotonic()
        tab.log.step = number
        grounding = None
        try:
            grounding = await self.judge.ground(number, action, before)
            if not grounding.found:
                raise PageError(grounding.reason or "nothing on the page fits the description")
            grounding = await self._perform(tab, number, action, grounding)
            step = Step(
                step=number, action=action, grounding=grounding, performed=True, credited=False
            )
            return await self._record(tab, step, before, started)
        except (ActionError, PageError, JudgeError, ServerError) as error:
            self.end(attribute_failure(error), error, grounding)
            raise RolloutEnded from error

    async def _perform(
        self,
        tab: Tab,
        number: int,
        action: Action,
        grounding: Grounding,
    ) -> Grounding:
        """Perform the action; return its grounding with the point that was acted on."""
        if isinstance(self.judge, ActingJudge):
            return await self.judge.perform(number, grounding, tab)
        point = await perform(tab, action, grounding)
        if point is None:
            return grounding
        return grounding.model_copy(update={"point": point})

    async def _record(self, tab: Tab, step: Step, before: Snapshot | None, started: float) -> State:
        """Wait until the page is still; keep its state, its screenshots and the step."""
        state = await settled_state(tab, before)
        observation = {
            "settled": tab.unsettled_reason is None,
            "unsettled_reason": tab.unsettled_reason,
            **self._keep(step.step, state),
            "seconds": round(time.monotonic() - started, 3),
        }
        self.states.append(state.shown)
        self.steps.append(step.model_copy(update=observation))
        return state

    def _keep(self, number: int, state: State) -> dict[str, str]:
        """Write the screenshots of a state; return their names for the record."""
        png = state.shown.screenshot
        path = self.job.files.screenshot(number)
        write_atomic(path, png)
        names = {
            "screenshot": path.name,
            "screenshot_sha256": hashlib.sha256(png).hexdigest(),
        }
        if state.rest is not state.shown:
            rest = self.job.files.rest_screenshot(number)
            write_atomic(rest, state.rest.screenshot)
            names["rest_screenshot"] = rest.name
        return names

    async def _verify(
        self,
        number: int,
        assertion: str,
        before: Snapshot,
        after: Snapshot,
    ) -> AssertionAnswer:
        """Put an assertion to the judge. A failure of the judge is an answer, too."""
        try:
            verdict = await self.judge.verify(number, assertion, before, after)
        except (JudgeError, ServerError) as error:
            verdict = Verdict(passed=None, reason=str(error))
            return AssertionAnswer(verdict, attribute_failure(error))
        return AssertionAnswer(verdict)

    async def answers(self) -> dict[int, AssertionAnswer]:
        """Return the answers to all assertions, by step, as soon as the last one is there."""
        answers = await asyncio.gather(*self._answers.values())
        return dict(zip(self._answers, answers, strict=True))

    def end(
        self,
        failed_by: FailedBy,
        error: Exception,
        grounding: Grounding | None = None,
    ) -> None:
        """Record that the next step failed and that those after it were not reached."""
        first = len(self.steps)
        for number in range(first, len(self.job.task.actions) + 1):
            step = Step(
                step=number,
                action=self.job.task.action(number) if number else None,
                performed=False,
                credited=False,
                reason="not reached",
            )
            if number == first:
                failure = {
                    "grounding": grounding,
                    "failed_by": failed_by,
                    "reason": str(error),
                }
                step = step.model_copy(update=failure)
            self.steps.append(step)


def attribute_failure(error: Exception) -> FailedBy:
    """Return who failed, by the error that was raised while acting or judging."""
    match error:
        case ActionError():
            return FailedBy.ACTION
        case PageError():
            return FailedBy.PAGE
        case JudgeError():
            return FailedBy.JUDGE
        case _:
            return FailedBy.INFRASTRUCTURE
