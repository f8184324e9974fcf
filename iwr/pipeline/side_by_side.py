"""Generation and judging at once: pages are judged as they come.

The two meet on disk, as always: a page is judged once its record says that it is there. Each has
GPUs of its own; where they do not suffice for both, the stages run one after another.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple

from iwr.config import Config, ModelConfig
from iwr.errors import IwrError
from iwr.inference.repeating import with_repeats
from iwr.inference.server.placement import Placement
from iwr.progress import Progress
from iwr.records import Task
from iwr.runs.paths import RunPaths

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0

ModelTask = tuple[str, Task]
"""(model name, task)"""


class Pages(NamedTuple):
    """The pages that models write for tasks, in one run."""

    models: Sequence[ModelConfig]
    tasks: Sequence[Task]
    config: Config
    paths: RunPaths

    @property
    def served(self) -> list[ModelConfig]:
        """Return the models that vLLM serves."""
        return [model for model in self.models if model.kind == "vllm"]

    @property
    def repeats(self) -> list[ModelConfig]:
        """Return the models, each once for each of its repeats."""
        return with_repeats(self.models, self.config)


def generate_and_judge(pages: Pages, progress: Progress, place: Placement) -> None:
    """Generate with all served models and judge each page as soon as it is there.

    Pages of other models are judged as they are found. When one of the two stages fails, the other
    goes on to its end before the error is raised. Raise what the stages raise.
    """
    from iwr.judge import rollout

    pairs = [(model.name, task) for model in pages.repeats for task in pages.tasks]
    config = pages.config
    with _Background(_generate(pages, progress, place.generation)) as generation:
        arrivals = _arrivals(pages, generation)
        try:
            rollout.judge(pairs, config, pages.paths, progress, arrivals=arrivals, gpus=place.judge)
        except IwrError as error:
            log.error("judging has stopped, generation goes on: %s", error)
            generation.wait()
            raise
    generation.raise_error()


async def _generate(pages: Pages, progress: Progress, gpus: Sequence[str] | None) -> None:
    """Let the served models write their pages, one model after another."""
    from iwr.inference.generate import generate_served

    for model in pages.served:
        await generate_served(pages.tasks, model, pages.config, pages.paths, progress, gpus)


def _arrivals(pages: Pages, generation: _Background) -> Iterator[list[ModelTask]]:
    """Yield every second the pages that have come; when generation ends, all that are left."""
    from iwr.inference.generate import pending_tasks

    waiting = {model.name: list(pages.tasks) for model in pages.repeats}
    has_ended = False
    while not has_ended:
        has_ended = generation.has_ended  # asked first: a last page may come while we look
        batch: list[ModelTask] = []
        for model in pages.repeats:
            tasks = waiting[model.name]
            pending: list[Task] = []
            if not has_ended:
                pending = pending_tasks(tasks, model, pages.config, pages.paths)
            names = {task.id for task in pending}
            batch += [(model.name, task) for task in tasks if task.id not in names]
            waiting[model.name] = pending
        yield batch
        if not has_ended:
            time.sleep(POLL_SECONDS)


class _Background:
    """A coroutine in a thread with an event loop of its own.

    The end of the `with` block waits for it; an exception in the block cancels it.
    """

    def __init__(self, coroutine: Coroutine[None, None, None]):
        self._coroutine = coroutine
        self._started = threading.Event()
        self._pool = ThreadPoolExecutor(1, "generation")

    @property
    def has_ended(self) -> bool:
        """Return whether the coroutine has returned or raised."""
        return self._future.done()

    def wait(self) -> None:
        """Wait for its end, however it ends."""
        self._future.exception()

    def raise_error(self) -> None:
        """Raise what it raised, if it did."""
        self._future.result()

    async def _work(self) -> None:
        """Run the coroutine, so that it can be cancelled from another thread."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._started.set()
        await self._coroutine

    def _cancel(self) -> None:
        """Cancel the coroutine, if it still runs."""
        if self._task is not None and not self.has_ended:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def __enter__(self) -> _Background:
        self._future = self._pool.submit(asyncio.run, self._work())
        self._started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._cancel()
        self._pool.shutdown()
