"""What the pending stages of a run will ask for: requests, tokens, GPU-hours, disk.

Tokens are counted as they will be sent, with the model's own processor. Hours follow from what the
run has done so far, for instance from a probe of three tasks; without that they are None.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from iwr.config import Config, ModelConfig
from iwr.doctor.disk import run_bytes
from iwr.errors import DataError, RequestError
from iwr.inference import video
from iwr.inference.engines import baselines
from iwr.inference.fitting import FittedRequest, fit
from iwr.inference.generate import pending_tasks
from iwr.inference.prompt import text_for
from iwr.inference.sampling import max_tokens
from iwr.inference.tokens import TokenCounter
from iwr.judge.rollout import pending_rollouts
from iwr.pipeline.stages import Work, run
from iwr.progress import Progress
from iwr.records import Rollout, Session, Task
from iwr.repeats import model_of
from iwr.runs.files import read_record
from iwr.tasks import recordings

HOUR = 3600  # seconds
PROBED = ("generate", "judge", "score")


class StagePlan(NamedTuple):
    """What one model, or the judge of its pages, still has to do. None: unknown."""

    model: str
    stage: str
    pending: int  # tasks
    requests: int | None  # to a model on a GPU
    prompt_tokens: int | None = None
    video_tokens: int | None = None  # of the prompt
    answer_tokens: int | None = None  # at most
    hours: float | None = None  # of one machine
    gpu_hours: float | None = None


class RunPlan(NamedTuple):
    """The plan of a run. `bytes`: what all results take on the disk, about."""

    stages: list[StagePlan]
    bytes: float
    notes: list[str]  # why a figure is missing
    refused: list[str]  # tasks that a model cannot be asked, with the reason


def plan(work: Work, progress: Progress) -> RunPlan:
    """Return what is left to do for all tasks of a run, whatever its shards.

    Raise StaleRunError when settings changed since earlier results.
    """
    stages = []
    notes: list[str] = []
    refused: list[str] = []
    for model in work.repeats:
        tasks = pending_tasks(work.all_tasks, model, work.config, work.paths)
        requests = _requests(model, tasks, work.config, progress)
        generation = _generation(work, model, tasks, requests)
        judging = _judging(work, model, tasks)
        stages += [generation, judging]
        notes += requests.notes
        refused += requests.refused
    unknown = [stage for stage in stages if stage.pending and stage.hours is None]
    if unknown:
        notes.append("hours are unknown until something is done: probe=3 runs three tasks first")
    size = run_bytes(work.all_tasks, len(work.repeats))
    return RunPlan(stages, size, notes, refused)


def probe(work: Work, number: int, progress: Progress) -> None:
    """Generate, judge and score a few of the pending tasks; they are results of the run.

    They differ in length: of three, one each from the shorter, middle and longer recordings.
    """
    pending: dict[str, Task] = {}
    for model in work.repeats:
        for task in pending_tasks(work.all_tasks, model, work.config, work.paths):
            pending[task.id] = task
    by_length = sorted(pending.values(), key=lambda task: video.stated_seconds(task.video))
    ids = [task.id for task in _spread(by_length, number)]
    if not ids:
        return
    one_process = dataclasses.replace(work.config.run, shards=1, shard=None)
    config = dataclasses.replace(work.config, run=one_process)
    run(work._replace(config=config, shards=[ids]), PROBED, progress)


def _spread(tasks: Sequence[Task], number: int) -> list[Task]:
    """Return the tasks in the middle of `number` parts of equal size."""
    number = min(number, len(tasks))
    return [tasks[(2 * part + 1) * len(tasks) // (2 * number)] for part in range(number)]


def _requests(
    model: ModelConfig,
    tasks: Sequence[Task],
    config: Config,
    progress: Progress,
) -> _Requests:
    """Return the requests for these tasks, their tokens counted; a baseline needs none."""
    requests = _Requests(model, config)
    if model.kind in baselines.KINDS:
        return requests
    with progress(f"plan {model.name}", len(tasks)) as step:
        for task in tasks:
            requests.add(task)
            step(task.id)
    return requests


class _Requests:
    """Sums up the requests for pages to one model."""

    def __init__(self, model: ModelConfig, config: Config):
        self.notes: list[str] = []
        self.refused: list[str] = []
        self.fitted: list[FittedRequest] = []
        self._model = model
        self._protocol = config.protocol
        self._max_tokens = max_tokens(model, config)
        self._counter = TokenCounter(model, audits=False)

    def add(self, task: Task) -> None:
        """Count the tokens of one task, or note why it cannot be asked."""
        try:
            self.fitted.append(self._fitted(task))
        except (DataError, RequestError) as error:
            self.refused.append(f"{self._model.name}: {error}")
        problem = self._counter.problem
        if problem and not self.notes:
            self.notes.append(f"tokens of {self._model.name} are unknown: {problem}")

    def _fitted(self, task: Task) -> FittedRequest:
        """Return the request for one task as it will be sent. Raise DataError, RequestError."""
        recording = recordings.probe(task.video, task.id)
        sheets = task.stitched
        number = video.count_for(recording, self._protocol, self._model, len(sheets))
        measure = partial(self._counter.plan, recording, sheets=sheets, text=text_for(task))
        return fit(
            measure,
            number,
            self._max_tokens,
            self._model.context,
            self._model.over_context,
            task.id,
        )


def _generation(
    work: Work, model: ModelConfig, tasks: Sequence[Task], requests: _Requests
) -> StagePlan:
    """Return what a model has to write."""
    if model.kind in baselines.KINDS:
        return StagePlan(model.name, "generate", len(tasks), 0, 0, 0, 0, 0.0, 0.0)
    plans = [request.plan for request in requests.fitted]
    sessions = _sessions(work, model)
    hours = _hours_of_answers(sessions, len(plans))
    return StagePlan(
        model=model.name,
        stage="generate",
        pending=len(tasks),
        requests=len(plans),
        prompt_tokens=_sum([each.prompt_tokens for each in plans]),
        video_tokens=_sum([each.video_tokens for each in plans]),
        answer_tokens=sum(request.max_tokens for request in requests.fitted),
        hours=hours,
        gpu_hours=_times(hours, max((session.gpus for session in sessions), default=model.gpus)),
    )


def _judging(work: Work, model: ModelConfig, unwritten: Sequence[Task]) -> StagePlan:
    """Return what the judge has to do with the pages of a model, those to come included."""
    pairs = [(model.name, task) for task in work.all_tasks]
    pending = {task.id: task for _, task in pending_rollouts(pairs, work.config, work.paths)}
    pending |= {task.id: task for task in unwritten}
    rollouts = _rollouts(work, model)
    judge_model = work.config.judge.model
    hours = _hours_of_rollouts(work, rollouts, len(pending))
    return StagePlan(
        model=model.name,
        stage="judge",
        pending=len(pending),
        requests=_questions(list(pending.values()), rollouts) if judge_model else 0,
        hours=hours,
        gpu_hours=_times(hours, judge_model.gpus) if judge_model else 0.0,
    )


def _questions(tasks: Sequence[Task], rollouts: Sequence[Rollout]) -> int:
    """Return the number of questions to a judge model.

    It follows from the rollouts so far; without any, each action asks for its element, and each
    assertion once.
    """
    if rollouts:
        mean = statistics.fmean(rollout.calls for rollout in rollouts)
        return round(mean * len(tasks))
    count = 0
    for task in tasks:
        assertions = sum(bool(action.logical_assertion) for action in task.actions)
        count += len(task.actions) + assertions
    return count


# ---- hours, from what was done so far -----------------------------------------------------------


def _sessions(work: Work, model: ModelConfig) -> list[Session]:
    """Return the sessions of a model that have answered something."""
    sessions = []
    for path in work.paths.sessions(model_of(model.name)):
        session = read_record(path, Session)
        if session is not None and session.answered:
            sessions.append(session)
    return sessions


def _hours_of_answers(sessions: Sequence[Session], number: int) -> float | None:
    """Return the hours that so many answers take, with one start of the model."""
    if not number:
        return 0.0
    if not sessions:
        return None
    start = statistics.fmean(session.start_seconds for session in sessions)
    busy = sum(session.seconds for session in sessions)
    answers = sum(session.answered for session in sessions)
    return (start + busy / answers * number) / HOUR


def _rollouts(work: Work, model: ModelConfig) -> list[Rollout]:
    """Return the rollouts of a model so far."""
    rollouts = []
    for task in work.all_tasks:
        files = work.paths.task(model.name, task.id).judge(work.config.judge.name)
        rollout = read_record(files.rollout, Rollout)
        if rollout is not None:
            rollouts.append(rollout)
    return rollouts


def _hours_of_rollouts(work: Work, rollouts: Sequence[Rollout], number: int) -> float | None:
    """Return the hours that so many rollouts take, `browser.contexts` at a time."""
    if not number:
        return 0.0
    if not rollouts:
        return None
    mean = statistics.fmean(rollout.seconds for rollout in rollouts)
    at_once = min(work.config.browser.contexts, number)
    return mean * number / at_once / HOUR


# ---- sums of what may be unknown ----------------------------------------------------------------


def _sum(counts: Sequence[int | None]) -> int | None:
    """Return the sum; None when one of them is unknown."""
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def _times(hours: float | None, gpus: int) -> float | None:
    """Return GPU-hours; None where the hours are unknown."""
    return None if hours is None else hours * gpus
