"""The pages of models that copy them: a page that is absent scores 0."""

from __future__ import annotations

from collections.abc import Iterator

from iwr.config import ModelConfig
from iwr.doctor.result import CheckResult, DoctorContext
from iwr.errors import ConfigError, DataError
from iwr.records import Task


def copies(context: DoctorContext) -> Iterator[CheckResult]:
    """Count the tasks for which each such model has a page."""
    tasks = context.loaded.tasks
    if not tasks:
        return
    for model in context.models:
        if model.kind not in ("oracle", "directory"):
            continue
        try:
            pages = sum(_has_page(model, task) for task in tasks)
        except (ConfigError, DataError) as error:
            yield CheckResult("pages", "fail", str(error), error.hint)
            continue
        status = _status(pages, len(tasks))
        text = f"{model.name}: {pages} of {len(tasks)} tasks have a page"
        yield CheckResult("pages", status, text, _fix(model))


def _status(pages: int, tasks: int) -> str:
    """Return how bad it is that only so many tasks have a page."""
    if pages == 0:
        return "fail"
    if pages < tasks:
        return "warn"
    return "ok"


def _has_page(model: ModelConfig, task: Task) -> bool:
    """Return whether a model has a page for a task. Raises ConfigError, DataError."""
    from iwr.inference.engines.baselines import make

    return make(task, model).content is not None


def _fix(model: ModelConfig) -> str:
    """Return where the pages of a model belong."""
    if model.kind == "oracle":
        return "leave it out of models=…"
    return f"put pages into {model.path}/<task>/index.html"
