"""The judging stage: every page is driven through its task's recorded actions.

The first action that cannot be performed ends a rollout; the first assertion that does not hold
ends its credit (protocol, section 3). See runner.py for one page and credit.py for what counts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from iwr.browser.pool import Pool
from iwr.config import Config, Environment
from iwr.judge.backends import JudgeBackend, judge_settings, opened, require_contracts
from iwr.judge.runner import RolloutJob, roll_out
from iwr.progress import Progress
from iwr.records import (
    Fingerprint,
    Generation,
    GenerationStatus,
    Rollout,
    RolloutStatus,
    Task,
    file_digest,
)
from iwr.runs.files import readable, whole_png
from iwr.runs.paths import JudgePaths, RunPaths
from iwr.runs.resume import is_pending

log = logging.getLogger(__name__)

JUDGE_VERSION = "1"  # raised when the same judge on the same page would answer differently
BROWSER_SETTINGS = ("page_seconds", "settle_seconds", "page_bytes", "renderer_mb")

ModelTask = tuple[str, Task]
"""(model name, task)"""


def judge(
    work: Sequence[ModelTask],
    config: Config,
    paths: RunPaths,
    progress: Progress,
) -> None:
    """Judge all pending pages. Each rollout is saved at once; one broken task stops no other.

    When the server of a judge model dies, it is started again (`server.restarts` times), and the
    pages that failed are judged again. Raises ConfigError, StaleRunError, ServerError.
    """
    pending = pending_rollouts(work, config, paths)
    if not pending:
        return
    with opened(config, paths) as backend:
        for restarts_left in range(config.server.restarts, -1, -1):
            asyncio.run(_judge_pages(pending, config, paths, backend, progress))
            if backend.alive() or restarts_left == 0:
                return
            pending = pending_rollouts(pending, config, paths)
            log.warning("the judge's server died; %d pages are judged again", len(pending))
            backend.restart()


async def _judge_pages(
    work: Sequence[ModelTask],
    config: Config,
    paths: RunPaths,
    backend: JudgeBackend,
    progress: Progress,
) -> None:
    # more slots than browsers: a page that waits for verdicts holds no browser
    slots = asyncio.Semaphore(2 * config.browser.contexts)
    async with backend.session() as new_judge, Pool(config.browser, Environment.read()) as pool:
        with progress("judge", len(work)) as step:

            async def judge_page(model: str, task: Task) -> None:
                files = paths.task(model, task.id)
                job = RolloutJob(task, model, files.page, files.judge(config.judge.name))
                async with slots:
                    inputs = fingerprint(task, model, config, paths)
                    rollout = await roll_out(job, new_judge(task, files), pool, config, inputs)
                    step(f"{model} {task.id}: {summary(rollout)}")

            rollouts = [judge_page(model, task) for model, task in work]
            await asyncio.gather(*rollouts)


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
    settings |= judge_settings(config, files, task)
    for name in BROWSER_SETTINGS:
        settings[f"browser.{name}"] = str(getattr(config.browser, name))
    return settings


def pending_rollouts(
    work: Sequence[ModelTask],
    config: Config,
    paths: RunPaths,
) -> list[ModelTask]:
    """Return the pages that have no rollout yet, or one that failed or has other inputs.

    Raises StaleRunError when a rollout was made under other settings, ConfigError when the judge
    needs contracts and the data has none.
    """
    require_contracts((task for _, task in work), config)
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
    files = paths.task(model, task.id).judge(config.judge.name)
    inputs = fingerprint(task, model, config, paths)

    def is_complete(rollout: Rollout) -> bool:
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
