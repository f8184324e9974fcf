"""Commands that work on data: data sets, recordings, pages and runs of other tools.

Each returns an exit code. Heavy modules are imported inside the functions.
"""

from __future__ import annotations

import json
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from iwr.cli.arguments import own_settings, print_result, require
from iwr.errors import EXIT_INCOMPLETE, EXIT_OK, ConfigError

if TYPE_CHECKING:
    from iwr.pipeline.imports import ImportedPages


def validate(options: Namespace) -> int:
    """Check a data set: one line for each fault."""
    from iwr.config import load_config
    from iwr.progress import show
    from iwr.tasks.load import data_root, load
    from iwr.tasks.recordings import broken_recordings

    config, _ = load_config(options.settings)
    data = load(data_root(config.data), config.data.tasks)
    broken = broken_recordings(data.tasks, show)
    faults = [*data.faults, *broken]
    for fault in faults:
        print(fault, file=sys.stderr)
    for note in data.notes:
        print(f"note: {note}", file=sys.stderr)
    if options.json:
        print(json.dumps([fault.model_dump() for fault in faults], indent=1))
    else:
        usable = len(data.tasks) - len(broken)
        print(f"{usable} tasks load, {len(faults)} faults")
    return EXIT_INCOMPLETE if faults else EXIT_OK


def record(options: Namespace) -> int:
    """Make a task from a page and an action script."""
    from iwr.tasks.recorder.record import record_task

    own, rest = own_settings(options, options.keys)
    if rest:
        names = [setting.partition("=")[0] for setting in rest]
        raise ConfigError(f"record: unknown: {', '.join(names)}", hint=options.example)
    require(options, own, "page", "script", "out", "id")
    folder = record_task(
        Path(own["page"]),
        Path(own["script"]),
        Path(own["out"]),
        own["id"],
        pace=_number("pace", own.get("pace", "1")),
        seed=int(_number("seed", own["seed"])) if "seed" in own else None,
    )
    print(f"recorded {folder}")
    return EXIT_OK


def _number(key: str, text: str) -> float:
    """Return the value of a setting. Raise ConfigError when it is no number."""
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"{key}={text} is not a number") from error


def import_(options: Namespace) -> int:
    """Take over pages from a folder of the reference evaluator."""
    from iwr.pipeline import imports
    from iwr.pipeline.stages import prepare
    from iwr.runs.settings import load_run, store

    own, settings = own_settings(options, options.keys)
    _refuse_old_key(settings)
    require(options, own, "from")
    folder = Path(own["from"]).expanduser()
    config, _, _ = load_run(settings)
    work = prepare(config, [])
    run = [*settings, f"run.name={config.run.name}"]
    names = imports.models_in(folder, work.all_tasks)
    if "only" in own:
        names = [own["only"]]
    results = []
    for name in names:
        path = work.paths.model(name)
        path.mkdir(parents=True, exist_ok=True)
        model_config, (model,), to_store = load_run([*run, *_directory(name, path)])
        result = imports.import_pages(
            folder=folder,
            tasks=work.all_tasks,
            model=model,
            config=model_config,
            paths=work.paths,
        )
        results.append(result)
        store(to_store, work.paths)
    lines = []
    for result in results:
        lines += _import_lines(result, settings)
    records = [result._asdict() for result in results]
    print_result(options, records, lines)
    return EXIT_OK


def _refuse_old_key(settings: Sequence[str]) -> None:
    """Raise ConfigError for the name that `only` had in earlier releases."""
    for setting in settings:
        if setting.startswith("contestant="):
            renamed = setting.replace("contestant", "only", 1)
            raise ConfigError(f"{setting}: write {renamed}")


def _import_lines(result: ImportedPages, settings: Sequence[str]) -> list[str]:
    """Return what came of one model, and the command that goes on with it."""
    path = Path(result.path)
    command = ["iwr", "run", *_directory(result.model, path), *settings]
    return [
        f"{result.model}: {result.pages} pages, {result.empty} empty, "
        f"{result.absent} tasks without a page",
        f"  next: {shlex.join(command)}",
    ]


def _directory(name: str, path: Path) -> list[str]:
    """Return the settings of a model whose pages are in the folder `path`."""
    return ["model=directory", f"model.name={name}", f"model.path={path}"]


def export(options: Namespace) -> int:
    """Write a run in the reference evaluator's layout."""
    from iwr.pipeline import exports
    from iwr.pipeline.stages import prepare
    from iwr.runs.settings import load_run, require_results

    own, settings = own_settings(options, options.keys)
    require(options, own, "to")
    require_results(settings, judged=True)
    config, models, _ = load_run(settings, judged=True)
    work = prepare(config, models)
    results = exports.export(
        folder=Path(own["to"]).expanduser(),
        models=work.names,
        tasks=work.all_tasks,
        config=config,
        paths=work.paths,
    )
    lines = []
    for result in results:
        lines.append(f"{result.model}: {result.pages} pages, {result.scored} tasks with scores")
    if not any(result.scored for result in results):
        lines.append(
            "scores are exported only with a judge model and a protocol that has OCR and DINO: "
            "protocol=paper or protocol=reference"
        )
    print_result(options, [result._asdict() for result in results], lines)
    return EXIT_OK
