"""The pages of models that copy them: a page that is absent scores 0."""

from __future__ import annotations

from collections.abc import Iterator

from iwr.config import ModelConfig
from iwr.doctor.result import CheckResult, DoctorContext
from iwr.errors import ConfigError
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
        except ConfigError as error:
            yield CheckResult("pages", "fail", str(error), error.hint)
            continue
        status = "ok" if pages == len(tasks) else "warn"
        text = f"{model.name}: {pages} of {len(tasks)} tasks have a page"
        yield CheckResult("pages", status, text, _fix(model))


def _has_page(model: ModelConfig, task: Task) -> bool:
    from iwr.inference.engines.baselines import page_in

    if model.kind == "oracle":
        return bool(task.true_page)
    return page_in(model, task).is_file()


def _fix(model: ModelConfig) -> str:
    if model.kind == "oracle":
        return "leave it out of models=…"
    return f"put pages into {model.path}/<task>/index.html"
