"""What a run reads and writes: data, pages of other tools, metrics, disk."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from iwr.doctor.machine import temporary
from iwr.doctor.result import CheckResult, DoctorContext
from iwr.errors import ConfigError, MetricError
from iwr.runs.files import existing

RECORDS_GB = 0.1  # of a run besides screenshots: records, logs, caches of metrics
SERVER_GB, BROWSER_GB = 1.0, 0.2  # temporary files: compile caches, profiles


def data(context: DoctorContext) -> Iterator[CheckResult]:
    from iwr.tasks.load import data_root

    tasks, faults = context.loaded.tasks, context.loaded.faults
    found = f"{context.config.data.name}: {len(tasks)} tasks in {data_root(context.config.data)}"
    if not tasks:
        fix = "correct data.root, or fetch the data set: `iwr prefetch` with the same settings"
        yield CheckResult("data", "fail", f"{found}: {faults[0].message}", fix)
    elif faults:
        yield CheckResult(
            "data",
            "warn",
            f"{found}, {len(faults)} faults",
            "`iwr validate` with the same settings lists them",
        )
    else:
        yield CheckResult("data", "ok", found)


def pages(context: DoctorContext) -> Iterator[CheckResult]:
    """Of contestants that copy theirs: what is absent scores 0."""
    from iwr.inference.engines.baselines import page_in

    tasks = context.loaded.tasks
    for model in context.models:
        if model.kind not in ("oracle", "directory") or not tasks:
            continue
        try:
            there = sum(
                bool(task.true_page) if model.kind == "oracle" else page_in(model, task).is_file()
                for task in tasks
            )
        except ConfigError as error:
            yield CheckResult("pages", "fail", str(error), error.hint)
            continue
        fix = (
            "leave it out of models=…"
            if model.kind == "oracle"
            else f"put pages into {model.path}/<task>/index.html"
        )
        yield CheckResult(
            "pages",
            "ok" if there == len(tasks) else "warn",
            f"{model.name}: {there} of {len(tasks)} tasks have a page",
            fix,
        )


def metrics(context: DoctorContext) -> Iterator[CheckResult]:
    from iwr.metrics.base import build
    from iwr.scores.draft import metrics_of

    for name, settings in metrics_of(context.config.protocol).items():
        try:
            yield CheckResult("metrics", "ok", build(name, settings).engine)
        except (MetricError, ConfigError) as error:
            yield CheckResult("metrics", "fail", str(error), error.hint)


def disk(context: DoctorContext) -> Iterator[CheckResult]:
    shots = [
        path.stat().st_size for task in context.loaded.tasks for path in task.checkpoints.values()
    ]
    states = sum(len(task.actions) + 1 for task in context.loaded.tasks) * len(context.models)
    results = (
        states * sum(shots) / max(len(shots), 1) * 2 + RECORDS_GB * 1e9
    )  # twice: the report may copy
    root = Path(context.config.run.root).expanduser().absolute()
    yield _place("run.root", root, results, "choose another run.root, or free space")
    scratch = (SERVER_GB if context.served else BROWSER_GB) * 1e9
    yield _place(
        "temporary", temporary(context), scratch, "set IWR_TMP to another folder, or free space"
    )


def _place(check: str, folder: Path, needed: float, fix: str) -> CheckResult:
    """Check that files can be written, locked and kept in `folder`, which may not exist yet.

    `needed`: bytes.
    """
    there = existing(folder)
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = shutil.disk_usage(there).free
    except OSError as error:
        return CheckResult(
            check,
            "fail",
            f"{there}: {error.strerror}",
            f"{fix}; it must be writable and support file locks",
        )
    status = "fail" if free < needed else "warn" if free < 2 * needed else "ok"
    return CheckResult(
        check, status, f"{folder}: {free / 1e9:.1f} GB free, about {needed / 1e9:.1f} needed", fix
    )
