"""The HTML report: a folder that opens from disk, needs no server and no network.

It runs no page of any model. Only what changed since the last report is written again. Pictures and
recordings are hard links where the file system allows it, so the folder costs little space and can
still be copied or packed as it is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from iwr.digests import digest
from iwr.records import TaskScore
from iwr.report.figure import Figure
from iwr.report.links import Stamp, link_or_copy, stamp
from iwr.report.moments import Moments, moments_of
from iwr.report.pages import Pages
from iwr.report.summary import Summary, read_json
from iwr.report.templating import STATIC, TEMPLATES, template
from iwr.report.views import neighbours
from iwr.runs.files import write_atomic
from iwr.runs.paths import ReportPaths, RunPaths

INDEX = "index"
DECODERS = 4  # recordings that are read at a time


def write_html(
    summary: Summary,
    paths: RunPaths,
    figures: list[Figure],
) -> Path:
    """Write the report's pages; return the one to open. Raises DataError when the disk refuses."""
    report = ReportPaths(paths.report)
    previous = read_json(report.made_from)
    sources = _page_sources(summary, paths)
    sources[INDEX] = _index_source(summary, figures, sources)

    outdated = _outdated(summary.scores, previous, sources, report)
    if previous.get(INDEX) == sources[INDEX] and not outdated:
        return report.index

    _link_recordings(summary, report)
    pages = Pages(summary, paths, report)
    moments = _moments({score.task for score in outdated}, summary, report)
    for score in outdated:
        pages.write_task(score, moments[score.task])
    for name in STATIC:
        write_atomic(report.folder / name, template(name))
    _remove_orphans(summary, report)
    pages.write_selftest()
    write_atomic(report.gallery, pages.gallery())
    write_atomic(report.index, pages.index(figures))
    write_atomic(report.made_from, json.dumps(sources) + "\n")
    return report.index


def _remove_orphans(summary: Summary, report: ReportPaths) -> None:
    """Remove what earlier reports showed of models and tasks that this one does not have."""
    tasks = {task.id for task in summary.tasks}
    for folder in report.pages.glob("*"):
        if folder.name not in summary.repeat_names:
            shutil.rmtree(folder)
            continue
        for path in folder.iterdir():
            if path.name.removesuffix(".html") not in tasks:
                _remove(path)
    for folder in report.tasks.glob("*"):
        if folder.name not in tasks:
            _remove(folder)


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _outdated(
    scores: Sequence[TaskScore],
    previous: dict[str, str],
    sources: dict[str, str],
    report: ReportPaths,
) -> list[TaskScore]:
    """Return the scores whose pages are missing or show something else."""
    outdated = []
    for score in scores:
        key = _key(score)
        page = report.page(score.model, score.task)
        is_same = previous.get(key) == sources[key]
        if not is_same or not page.is_file():
            outdated.append(score)
    return outdated


def _key(score: TaskScore) -> str:
    """Return the name of a page in the record of sources."""
    return f"{score.model}/{score.task}"


def _page_sources(summary: Summary, paths: RunPaths) -> dict[str, str]:
    """Return the digest of everything that a page shows, by model/task."""
    names = [task.id for task in summary.tasks]
    finals: dict[str, list[tuple[str, float | None]]] = {}
    for score in summary.scores:
        finals.setdefault(score.task, []).append((score.model, score.final))
    shared = _shared_source(paths)
    sources = {}
    for score in summary.scores:
        sources[_key(score)] = digest(
            shared,
            score.model_dump(mode="json"),
            _record_stamps(score, paths),
            finals[score.task],
            neighbours(names, score.task),
        )
    return sources


def _shared_source(paths: RunPaths) -> str:
    """Return the digest of templates and of the code of this room."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    code = [module.read_bytes() for module in modules]
    texts = [template(name) for name in (*STATIC, *TEMPLATES)]
    return digest(paths.folder.name, *texts, *code)


def _record_stamps(score: TaskScore, paths: RunPaths) -> list[Stamp | None]:
    """Return the stamps of the records behind one page."""
    files = paths.task(score.model, score.task)
    judged = files.judge(score.judge)
    records = (files.generation, files.page, files.reply, judged.rollout, judged.calls)
    return [stamp(file) for file in records]


def _index_source(
    summary: Summary,
    figures: list[Figure],
    sources: dict[str, str],
) -> str:
    """Return the digest of everything that the index shows."""
    return digest(
        sources,
        summary.rows,
        summary.intervals,
        summary.repeats,
        summary.costs,
        summary.trust,
        summary.selftest.model_dump(mode="json") if summary.selftest else None,
        [figure._asdict() for figure in figures],
    )


def _link_recordings(summary: Summary, report: ReportPaths) -> None:
    """Link what all models' pages of a task show: recording and references."""
    for task in summary.tasks:
        link_or_copy(task.video, report.video(task.id))
        for step, checkpoint in task.checkpoints.items():
            link_or_copy(checkpoint, report.reference(task.id, step))


def _moments(
    names: set[str],
    summary: Summary,
    report: ReportPaths,
) -> dict[str, Moments]:
    """Return the moments of the recordings of these tasks; several are decoded at a time."""
    tasks = [task for task in summary.tasks if task.id in names]
    files = [report.moments(task.id) for task in tasks]
    with ThreadPoolExecutor(DECODERS) as executor:
        results = list(executor.map(moments_of, tasks, files))
    return {task.id: moments for task, moments in zip(tasks, results, strict=True)}
