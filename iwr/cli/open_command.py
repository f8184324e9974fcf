"""`iwr open RUN MODEL TASK`: a page of a run in a window, to try by hand."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iwr.cli.arguments import print_result
from iwr.errors import EXIT_OK, ConfigError, DataError

if TYPE_CHECKING:
    from iwr.browser.page import Tab
    from iwr.browser.visible import VisiblePage
    from iwr.config import BrowserConfig
    from iwr.runs.paths import RunPaths


def open_page(options: Namespace) -> int:
    """Show a page of a run until its window is closed; print what the page complained of."""
    from iwr.browser.visible import require_display, show
    from iwr.config import Environment

    if len(options.settings) != 3:
        raise ConfigError("open takes a run, a model and a task", hint=options.example)
    run, model, task = options.settings
    page = page_of_run(Path(run), model, task)
    environment = Environment.read()
    require_display(environment)

    async def opened(tab: Tab) -> None:
        print(f"{page.site.page}: close the window to end")

    events = asyncio.run(show(page, environment, opened))
    lines = [f"{event.kind}: {event.text}" for event in events]
    print_result(options, [event.model_dump() for event in events], lines)
    return EXIT_OK


def page_of_run(folder: Path, model: str, name: str) -> VisiblePage:
    """Return a page of a run with the assets and the viewport of its task.

    The data set is the one that the run's manifest names. Raises DataError when the run, the page
    or the task does not exist.
    """
    from iwr.browser.site import Site
    from iwr.browser.visible import VisiblePage
    from iwr.config import DataConfig
    from iwr.runs.paths import RunPaths
    from iwr.tasks.load import data_root, load

    paths = RunPaths(folder.expanduser().absolute())
    settings = latest_settings(paths)
    files = paths.task(model, name)
    page = files.page
    if not page.is_file():
        raise DataError(f"there is no page at {page}", hint=_choices(paths, model))
    data = replace(DataConfig(**settings["data"]), tasks=[name])
    tasks = load(data_root(data), data.tasks).tasks
    if not tasks:
        raise DataError(f"the data set of this run has no task {name!r} any more")
    task = tasks[0]
    site = Site(page, task.assets, files.beside)
    return VisiblePage(site, task.width, task.height, _browser(settings))


def latest_settings(paths: RunPaths) -> dict[str, dict[str, Any]]:
    """Return the settings of the latest set-up of a run, by group.

    Raises DataError when there is no such run.
    """
    import json

    manifests = list(paths.manifests.glob("*.json"))
    hint = "name the folder of a run, such as runs/first"
    if not manifests:
        raise DataError(f"{paths.folder} is not the folder of a run", hint=hint)
    latest = max(manifests, key=lambda file: file.stat().st_mtime_ns)
    try:
        manifest = json.loads(latest.read_text(encoding="utf-8"))
        settings: dict[str, dict[str, Any]] = manifest["settings"]
    except (OSError, ValueError, LookupError) as error:
        raise DataError(f"{latest} cannot be read: {error}", hint=hint) from error
    return settings


def _browser(settings: dict[str, dict[str, Any]]) -> BrowserConfig:
    """Return the settings of the browser, as far as this version knows them."""
    from dataclasses import fields

    from iwr.config import BrowserConfig

    names = {field.name for field in fields(BrowserConfig)}
    known = {}
    for name, value in settings["browser"].items():
        if name in names:
            known[name] = value
    return BrowserConfig(**known)


def _choices(paths: RunPaths, model: str) -> str:
    """Return which models or tasks there are."""
    folder = paths.folder / model
    kind = "tasks"
    if not folder.is_dir():
        folder = paths.folder
        kind = "models"
    names = set()
    depth = "*/index.html" if kind == "tasks" else "*/*/index.html"
    for page in folder.glob(depth):
        names.add(page.relative_to(folder).parts[0])
    return f"{kind} with pages: {', '.join(sorted(names - {'report'})) or 'none'}"
