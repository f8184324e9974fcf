"""Evaluations from Python: the same runs, files and checks as the command `iwr run`.

    import iwr

    run = iwr.evaluate(["oracle", "blank"], settings={"data.tasks": ["film-rating"]})
    run.leaderboard    # a DataFrame; in a notebook `run` shows itself

Tables are pandas DataFrames: `pip install "iwr[notebook]"`.
"""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from iwr.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")
Setting = str | int | float | bool | None | Sequence[str | int | float]
"""A value as in the settings of the command line; a list stands for `[a,b]`."""


class Run(NamedTuple):
    """The results of a run, read from the report in its folder."""

    folder: Path

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.folder / "report" / "index.html"

    @property
    def leaderboard(self) -> pandas.DataFrame:
        """Return a row for each model, best first; what could not be computed is missing."""
        return _frame(_read(self.folder, "leaderboard.json"))

    @property
    def tasks(self) -> pandas.DataFrame:
        """Return a row for each model and task, with the reason where there is no score."""
        return _frame(_read(self.folder, "tasks.jsonl"))

    @property
    def costs(self) -> pandas.DataFrame:
        """Return a row for each model that wrote something: tokens, seconds, GPU-hours."""
        return _frame(_read(self.folder, "costs.json"))

    @property
    def repeats(self) -> pandas.DataFrame:
        """Return a row for each model with repeats: spread, pass@k, pass^k."""
        return _frame(_read(self.folder, "repeats.json"))

    def _repr_html_(self) -> str:
        """Return the leaderboard with judge, protocol and where the rest is, for notebooks."""
        table = self.leaderboard.to_html(index=False, float_format="{:.3f}".format, na_rep="–")
        manifest = html.escape(str(self.folder / "manifest.json"))
        report = html.escape(self.report.absolute().as_uri())
        return f'{table}<p>Manifest: {manifest}. <a href="{report}">Report</a></p>'


def evaluate(
    models: str | Sequence[str],
    *,
    data: str | None = None,
    judge: str | None = None,
    protocol: str | None = None,
    name: str | None = None,
    root: str | Path = "runs",
    settings: Mapping[str, Setting] | None = None,
) -> Run:
    """Generate, judge, score and report; what a run of this name has already is not done again.

    `settings` are those of the command line by their keys. It works inside a running event loop,
    as in a notebook, and returns when all is done. Raise IwrError as the command does; tasks that
    the infrastructure failed are unscored, with a reason, in `Run.tasks`.
    """
    if isinstance(models, str):
        models = [models]
    given: dict[str, Setting] = {
        "models": list(models),
        "data": data,
        "judge": judge,
        "protocol": protocol,
        "run.name": name,
        "run.root": str(root),
    }
    texts = [_text(key, value) for key, value in given.items() if value is not None]
    for key, value in (settings or {}).items():
        texts.append(_text(key, value))
    return _outside_of_loops(lambda: _evaluate(texts))


def load(folder: str | Path) -> Run:
    """Return a run that was reported before. Raise DataError when there is no report."""
    run = Run(Path(folder))
    _read(run.folder, "leaderboard.json")
    return run


def _evaluate(settings: Sequence[str]) -> Run:
    """Do what is pending of a run with these settings."""
    from iwr import progress
    from iwr.pipeline import stages
    from iwr.runs.settings import load_run

    config, models, to_store = load_run(settings)
    work = stages.prepare(config, models, to_store)
    stages.run(work, stages.STAGES, progress.show)
    return Run(work.paths.folder)


def _outside_of_loops(work: Callable[[], T]) -> T:
    """Do work that starts event loops of its own, in a thread where one already runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(work).result()


def _text(key: str, value: Any) -> str:
    """Return a setting as on the command line."""
    if value is None:
        return f"{key}=null"
    if isinstance(value, bool):
        return f"{key}={str(value).lower()}"
    if isinstance(value, list | tuple):
        return f"{key}=[{','.join(map(str, value))}]"
    return f"{key}={value}"


def _read(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table of the report. Raise DataError when it is not there."""
    path = folder / "report" / name
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}",
            hint=f"`iwr report run.root={folder.parent} run.name={folder.name}` writes it",
        ) from error
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def _frame(rows: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """Return rows as a DataFrame. Raise ConfigError when pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise ConfigError(
            "tables in Python need pandas", hint='pip install "iwr[notebook]"'
        ) from error
    return pandas.DataFrame(list(rows))
