"""Take over pages from the files of the reference evaluator; see iwr/pipeline/exports.py.

Only pages come in: verdicts and scores that were made with the reference evaluator's faults
(docs/protocol.md) are no results of ours, so judging and scoring stay pending.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from iwr.browser.site import PLACEHOLDER
from iwr.config import Config, ModelConfig
from iwr.digests import file_digest
from iwr.errors import DataError
from iwr.records import Generation, GenerationStatus, Task
from iwr.runs.files import exclusive, write_atomic, write_record
from iwr.runs.manifest import write_manifest
from iwr.runs.paths import RunPaths, TaskPaths
from iwr.runs.resume import is_pending


class ImportedPages(NamedTuple):
    """The pages of one model."""

    model: str
    path: str  # as `model.path`, for later commands
    pages: int
    empty: int  # files without content: the model answered, but not with a page
    absent: int


def models_in(folder: Path, tasks: Sequence[Task]) -> list[str]:
    """Return the names of the models that have pages for these tasks. Raise DataError for none."""
    names = set()
    for task in tasks:
        for page in folder.glob(f"{task.id}/*/index.html"):
            names.add(page.parent.name)
    if not names:
        raise DataError(
            f"{folder} holds no <task>/<model>/index.html for the tasks of this data set",
            hint="check from= and data.root",
        )
    return sorted(names)


def import_pages(
    folder: Path,
    tasks: Sequence[Task],
    model: ModelConfig,
    config: Config,
    paths: RunPaths,
) -> ImportedPages:
    """Copy the pages of one model into a run, where `model=directory` finds them.

    A second time does nothing. Raise StaleRunError when the run holds other pages under this
    name, DataError when files cannot be read or written.
    """
    write_manifest(config, [model], tasks, paths)
    pages = 0
    empty = 0
    with exclusive([paths.lock("generate", model.name, 0, 1)]):
        for task in tasks:
            source = folder / task.id / model.name / "index.html"
            if not source.is_file():
                continue
            page = _with_placeholder(source, task)
            files = paths.task(model.name, task.id)
            if page.strip():
                pages += 1
                _write_page(files, page)
            else:
                empty += 1
                _drop_old_page(files, page)
            _write_generation(files, task, model, config, is_empty=not page.strip())
    return ImportedPages(
        model=model.name,
        path=str(model.path),
        pages=pages,
        empty=empty,
        absent=len(tasks) - pages - empty,
    )


def _write_page(files: TaskPaths, page: bytes) -> None:
    """Write a page that another tool made; another one before it goes with its record."""
    _drop_old_page(files, page)
    write_atomic(files.page, page)


def _drop_old_page(files: TaskPaths, page: bytes) -> None:
    """Delete the generation record of another page, so that it is written again."""
    if files.page.is_file() and files.page.read_bytes() != page:
        files.generation.unlink(missing_ok=True)


def _write_generation(
    files: TaskPaths,
    task: Task,
    model: ModelConfig,
    config: Config,
    *,
    is_empty: bool,
) -> None:
    """Write the record of a page that another tool made, unless it is there."""
    from iwr.inference.fingerprint import fingerprint

    origin = fingerprint(task, model, config)
    if not is_pending(files.generation, Generation, origin, config.run.on_change):
        return
    generation = Generation(
        model=model.name,
        task=task.id,
        status=GenerationStatus.MISSING if is_empty else GenerationStatus.OK,
        fingerprint=origin,
        page_sha256=None if is_empty else file_digest(files.page),
        reason="the page is empty" if is_empty else None,
    )
    write_record(files.generation, generation)


def _with_placeholder(page: Path, task: Task) -> bytes:
    """Return the page with its path to the task's assets turned back into the placeholder."""
    name = re.escape(task.id.encode())
    path_to_assets = rb"(?:\.\./)+(?:[^\s\"'()<>]*/)?" + name + rb"/assets(?=/)"
    try:
        return re.sub(path_to_assets, PLACEHOLDER, page.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {page}: {error.strerror}") from error
