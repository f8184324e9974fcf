"""What a run reads and writes: data, pages of other tools, metrics, disk."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from iwr.doctor.finding import Case, Finding
from iwr.doctor.machine import temporary
from iwr.errors import ConfigError, MetricError
from iwr.runs.files import existing

RECORDS_GB = 0.1  # of a run besides screenshots: records, logs, caches of metrics
SERVER_GB, BROWSER_GB = 1.0, 0.2  # temporary files: compile caches, profiles


def data(case: Case) -> Iterator[Finding]:
    from iwr.tasks.load import data_root

    tasks, faults = case.loaded.tasks, case.loaded.faults
    found = f"{case.config.data.name}: {len(tasks)} tasks in {data_root(case.config.data)}"
    if not tasks:
        fix = "correct data.root, or fetch the data set: `iwr prefetch` with the same settings"
        yield Finding("data", "fail", f"{found}: {faults[0].message}", fix)
    elif faults:
        yield Finding(
            "data",
            "warn",
            f"{found}, {len(faults)} faults",
            "`iwr validate` with the same settings lists them",
        )
    else:
        yield Finding("data", "ok", found)


def pages(case: Case) -> Iterator[Finding]:
    """Of contestants that copy theirs: what is absent scores 0."""
    from iwr.inference.engines.baselines import page_in

    tasks = case.loaded.tasks
    for model in case.models:
        if model.kind not in ("oracle", "directory") or not tasks:
            continue
        try:
            there = sum(
                bool(task.true_page) if model.kind == "oracle" else page_in(model, task).is_file()
                for task in tasks
            )
        except ConfigError as error:
            yield Finding("pages", "fail", str(error), error.hint)
            continue
        fix = (
            "leave it out of models=…"
            if model.kind == "oracle"
            else f"put pages into {model.path}/<task>/index.html"
        )
        yield Finding(
            "pages",
            "ok" if there == len(tasks) else "warn",
            f"{model.name}: {there} of {len(tasks)} tasks have a page",
            fix,
        )


def metrics(case: Case) -> Iterator[Finding]:
    from iwr.metrics.base import build
    from iwr.scores.draft import metrics_of

    for name, settings in metrics_of(case.config.protocol).items():
        try:
            yield Finding("metrics", "ok", build(name, settings).engine)
        except (MetricError, ConfigError) as error:
            yield Finding("metrics", "fail", str(error), error.hint)


def disk(case: Case) -> Iterator[Finding]:
    shots = [
        path.stat().st_size for task in case.loaded.tasks for path in task.checkpoints.values()
    ]
    states = sum(len(task.actions) + 1 for task in case.loaded.tasks) * len(case.models)
    results = (
        states * sum(shots) / max(len(shots), 1) * 2 + RECORDS_GB * 1e9
    )  # twice: the report may copy
    root = Path(case.config.run.root).expanduser().absolute()
    yield _place("run.root", root, results, "choose another run.root, or free space")
    scratch = (SERVER_GB if case.served else BROWSER_GB) * 1e9
    yield _place(
        "temporary", temporary(case), scratch, "set IWR_TMP to another folder, or free space"
    )


def _place(check: str, folder: Path, needed: float, fix: str) -> Finding:
    """Whether files can be written, locked and kept in `folder` or where it will be made. `needed`: bytes."""
    there = existing(folder)
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(
            check,
            "fail",
            f"{there}: {error.strerror}",
            f"{fix}; it must be writable and support file locks",
        )
    status = "fail" if free < needed else "warn" if free < 2 * needed else "ok"
    return Finding(
        check, status, f"{folder}: {free / 1e9:.1f} GB free, about {needed / 1e9:.1f} needed", fix
    )
