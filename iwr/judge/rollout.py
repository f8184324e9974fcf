"""The judging stage: every page is driven through its task's recorded actions.

The first action that cannot be performed ends a rollout; the first assertion that does not hold
ends its credit (protocol, section 3). See runner.py for one page and credit.py for what counts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import chain
from pathlib import Path

from iwr.browser.pool import Pool
from iwr.browser.scripts import code_digest
from iwr.config import Config, Environment
from iwr.config.fields import Result, settings_of
from iwr.digests import digest, file_digest
from iwr.judge.backends import (
    JudgeBackend,
    NewJudge,
    judge_settings,
    opened,
    require_contracts,
)
from iwr.judge.runner import RolloutJob, roll_out
from iwr.progress import Progress, Step
from iwr.records import (
    Fingerprint,
    Generation,
    GenerationStatus,
    Rollout,
    RolloutStatus,
    Task,
)
from iwr.runs.files import readable, whole_png
from iwr.runs.paths import JudgePaths, RunPaths
from iwr.runs.resume import is_pending

log = logging.getLogger(__name__)

JUDGE_VERSION = "1"  # raised when the same judge on the same page would answer differently

ModelTask = tuple[str, Task]
"""(model name, task)"""


def judge(
    work: Sequence[ModelTask],
    config: Config,
    paths: RunPaths,
    progress: Progress,
    *,
    arrivals: Iterator[Sequence[ModelTask]] | None = None,
    gpus: Sequence[str] | None = None,
) -> None:
    """Judge all pending pages. Each rollout is saved at once; one broken task stops no other.

    `arrivals` tells, while pages are still made, which of `work` can be judged now; without it, all
    of them can. `gpus`: those that the judge's servers may use; None: all. When the server of a
    judge model dies, it is started again (`server.restarts` times), and the pages that failed are
    judged again. Raises ConfigError, StaleRunError, ServerError.
    """
    if arrivals is None:
        work = pending_rollouts(work, config, paths)
        arrivals = iter([work])
    require_contracts((task for _, task in work), config)
    if not work:
        return
    with opened(config, paths, gpus) as backend:
        judging = _Judging(config, paths, backend, progress)
        for restarts_left in range(config.server.restarts, -1, -1):
            asyncio.run(judging.judge(work, arrivals, endures=restarts_left == 0))
            if backend.alive() or restarts_left == 0:
                return
            again = pending_rollouts(judging.arrived, config, paths)
            log.warning("the judge's server died; %d pages are judged again", len(again))
            later = [pair for pair in work if pair not in judging.arrived]
            work = again + later
            arrivals = chain([again], arrivals)
            backend.restart()


class _Judging:
    """Judges pages as they come. `arrived`: those that the last `judge` could judge."""

    def __init__(self, config: Config, paths: RunPaths, backend: JudgeBackend, progress: Progress):
        self.arrived: list[ModelTask] = []
        self._config = config
        self._paths = paths
        self._backend = backend
        self._progress = progress
        self._has_failures = False

    async def judge(
        self,
        work: Sequence[ModelTask],
        arrivals: Iterator[Sequence[ModelTask]],
        *,
        endures: bool,
    ) -> None:
        """Judge what arrives of `work`, until all has arrived.

        Ends early when the judge's server died, unless it `endures` that.
        """
        self.arrived = []
        # more slots than browsers: a page that waits for verdicts holds no browser
        self._slots = asyncio.Semaphore(2 * self._config.browser.contexts)
        pages = Pool(self._config.browser, Environment.read())
        async with self._backend.session() as new_judge, pages as pool:
            with self._progress("judge", len(work)) as step:
                rollouts: list[asyncio.Task[None]] = []
                async for batch in _batches(arrivals):
                    self.arrived += batch
                    for model, task in batch:
                        rollout = self._judge_page(model, task, new_judge, pool, step)
                        rollouts.append(asyncio.create_task(rollout))
                    _raise_first(rollouts)
                    if not endures and await self._is_dead():
                        break
                await asyncio.gather(*rollouts)

    async def _judge_page(
        self,
        model: str,
        task: Task,
        new_judge: NewJudge,
        pool: Pool,
        step: Step,
    ) -> None:
        """Judge a page, unless there is none or its rollout is there already."""
        config = self._config
        paths = self._paths
        if not _has_page(model, task, paths):
            step(f"{model} {task.id}: no page")
            return
        if not _is_pending(model, task, config, paths):
            step(f"{model} {task.id}: judged before")
            return
        files = paths.task(model, task.id)
        judge_files = files.judge(config.judge.name)
        job = RolloutJob(task, model, files.page, judge_files, files.beside)
        async with self._slots:
            inputs = fingerprint(task, model, config, paths)
            rollout = await roll_out(job, new_judge(task, files), pool, config, inputs)
        self._has_failures |= rollout.status is RolloutStatus.FAILED
        step(f"{model} {task.id}: {summary(rollout)}")

    async def _is_dead(self) -> bool:
        """Return whether pages fail because the judge's server died."""
        if not self._has_failures:
            return False
        self._has_failures = False
        return not await asyncio.to_thread(self._backend.alive)


async def _batches(
    arrivals: Iterator[Sequence[ModelTask]],
) -> AsyncIterator[Sequence[ModelTask]]:
    """Yield what arrives; the iterator waits in a thread."""
    while True:
        batch = await asyncio.to_thread(next, arrivals, None)
        if batch is None:
            return
        yield batch


def _raise_first(rollouts: Sequence[asyncio.Task[None]]) -> None:
    """Raise the error of a rollout that has none of its own, such as a full disk."""
    for rollout in rollouts:
        if rollout.done():
            rollout.result()


def summary(rollout: Rollout) -> str:
    """Return the result in a few words, for the progress display."""
    if rollout.status is RolloutStatus.FAILED:
        return f"not scored: {rollout.reason}"
    actions = rollout.steps[1:]
    credited = sum(step.credited for step in actions)
    return f"{credited}/{len(actions)} steps"


# ---- what is pending ---------------------------------------------------------------------------


def fingerprint(
    task: Task,
    model: str,
    config: Config,
    paths: RunPaths,
) -> Fingerprint:
    """Return what a rollout is made from. `input.*` are contents, the rest are settings."""
    files = paths.task(model, task.id)
    protocol = config.protocol
    pairing = ", paired as in the reference" if protocol.reference_faults else ""
    settings = {
        "input.task": task.digest,
        "input.page": file_digest(files.page) if files.page.is_file() else "none",
        "judge.version": JUDGE_VERSION,
        "judge.rubric": f"{protocol.high}{pairing}",
    }
    if files.beside.is_dir():
        settings["input.beside"] = _digest_of_files(files.beside)
    settings |= judge_settings(config, files, task)
    for name, value in settings_of(config.browser, Result.ROLLOUTS):
        settings[f"browser.{name}"] = str(value)
    settings["input.browser_code"] = code_digest()
    return settings


def _digest_of_files(folder: Path) -> str:
    """Return a digest of all files in a folder, and of their names."""
    contents = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            contents.append((str(path.relative_to(folder)), file_digest(path)))
    return digest(contents)


def pending_rollouts(
    work: Sequence[ModelTask],
    config: Config,
    paths: RunPaths,
) -> list[ModelTask]:
    """Return the pages that have no rollout yet, or one that failed or has other inputs.

    Raises StaleRunError when a rollout was made under other settings.
    """
    pending = []
    for model, task in work:
        if _has_page(model, task, paths) and _is_pending(model, task, config, paths):
            pending.append((model, task))
    return pending


def _is_pending(
    model: str,
    task: Task,
    config: Config,
    paths: RunPaths,
) -> bool:
    """Return whether a page has still to be judged. Raise StaleRunError."""
    files = paths.task(model, task.id).judge(config.judge.name)
    inputs = fingerprint(task, model, config, paths)

    def is_complete(rollout: Rollout) -> bool:
        """Return whether all screenshots are on disk."""
        return _has_screenshots(rollout, files)

    return is_pending(files.rollout, Rollout, inputs, config.run.on_change, is_complete)


def _has_screenshots(rollout: Rollout, files: JudgePaths) -> bool:
    """Return whether all screenshots are whole; judging again replaces a lost one."""
    for step in rollout.steps:
        if step.screenshot and not whole_png(files.folder / step.screenshot):
            return False
    return True


def _has_page(
    model: str,
    task: Task,
    paths: RunPaths,
) -> bool:
    """Return whether there is a page to judge: the generation is neither missing nor failed."""
    files = paths.task(model, task.id)
    generation = readable(files.generation, Generation)
    if generation is None or generation.status is not GenerationStatus.OK:
        return False
    return files.page.is_file()
