"""The settings that a run was made with, as they were given; later commands need not repeat them.

`<run>/settings.json` is written by every command that makes results. A later command on the run
takes what it does not name from there. All results of a run are of one data set and one protocol.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from iwr.config import (
    CommandLine,
    Config,
    ModelConfig,
    RunConfig,
    compose_run,
    load_config,
    split,
)
from iwr.config.command_line import texts
from iwr.config.overrides import Assignment, assignment_of, default_choices, nearest
from iwr.config.values import list_of
from iwr.errors import DataError, StaleRunError
from iwr.records import Record
from iwr.runs.files import exclusive, read_record, write_record
from iwr.runs.paths import RunPaths

log = logging.getLogger(__name__)

OF_ONE_COMMAND = (
    "run.root",
    "run.name",
    "run.on_change",
    "run.shard",
    "run.shards",
    "run.allow_unscored",
)
"""Settings that say where and how a command works, not what the run is."""

TASKS = "data.tasks"
PATH_KEYS = ("data.root", "model.path", "judge.model.path", "run.cache", "browser.executable")
"""Settings that may be relative to the folder in which a command was given."""
METRIC_PATH = re.compile(r"protocol\.metrics\.[^.]+\.path")

SUBSET = ("data.where", "data.sample", "data.limit")
"""Beginnings of the settings that leave tasks out."""

OF_ALL_RESULTS = ("data", "data.root", "protocol")
"""Settings that all results of a run have in common."""


class RunSettings(Record):
    """Settings as on a command line: those of all models, and of each model by its name."""

    common: tuple[str, ...] = ()
    models: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class RunCommand(NamedTuple):
    """A command on a run: what it works with, and what the run is to store of it."""

    config: Config
    models: list[ModelConfig]
    settings: RunSettings


def load_run(arguments: Sequence[str], *, judged: bool = False, tell: bool = True) -> RunCommand:
    """Return the settings of a command, completed with those that its run stores.

    `judged`: as for `load_config`. `tell`: log what comes from the run. Raise StaleRunError for
    another data set or protocol than the run's, DataError when the record is damaged.
    """
    line = split(arguments)
    paths = _paths_of(arguments, line, judged)
    stored = read_record(paths.settings, RunSettings) or RunSettings()
    _check_same(line, stored, paths)
    common = _merged(stored.common, line.common)
    models = _models_of(line, stored)
    config, configs = compose_run(common, models, judged=judged)
    config.run.name = paths.folder.name
    if tell:
        _tell_inherited(line, stored, paths)
    settings = _to_store(line, stored, (config, configs), models)
    return RunCommand(config, configs, settings)


def require_results(arguments: Sequence[str], *, judged: bool = False) -> None:
    """Raise DataError when a command that only reads has no run, or needs settings of an old one.

    Runs of version 0.2 and earlier store no settings.
    """
    line = split(arguments)
    paths = _paths_of(arguments, line, judged)
    if not paths.folder.is_dir():
        root = paths.folder.parent
        names = sorted(path.name for path in root.glob("*") if path.is_dir())
        listed = f"{root} holds {', '.join(names) or 'no run'}"
        hint = nearest(paths.folder.name, names)
        raise DataError(f"there is no run {paths.folder.name}: {listed}", hint=hint)
    if line.names is None and not paths.settings.exists():
        raise DataError(
            f"the run {paths.folder.name} stores no settings: an earlier version made it",
            hint=f"name them, for example {_settings_of_old(paths)}",
        )


def store(settings: RunSettings, paths: RunPaths) -> None:
    """Add the settings of a command to those of its run. Raise DataError when the disk refuses."""
    if _with(settings, paths) is None:
        return
    with exclusive([paths.settings_lock]):
        changed = _with(settings, paths)
        if changed:
            write_record(paths.settings, changed)


def _with(settings: RunSettings, paths: RunPaths) -> RunSettings | None:
    """Return the stored settings with those of a command; None where that changes nothing."""
    stored = read_record(paths.settings, RunSettings) or RunSettings()
    models = stored.models | settings.models
    changed = RunSettings(common=settings.common, models=models)
    return None if changed == stored else changed


# ---- where the run is, and what it is of --------------------------------------------------------


def _paths_of(arguments: Sequence[str], line: CommandLine, judged: bool) -> RunPaths:
    """Return the paths of the run; its name may come from the models and the data."""
    name = line.value("run.name")
    if not name:
        config, _ = load_config(list(arguments), judged=judged)
        name = config.run.name
    root = line.value("run.root") or RunConfig().root
    return RunPaths.of(root, name)


def _check_same(line: CommandLine, stored: RunSettings, paths: RunPaths) -> None:
    """Raise StaleRunError for another data set or protocol, unless results may be overwritten."""
    if line.value("run.on_change") == "overwrite":
        return
    for text in stored.common:
        old = assignment_of(text)
        given = line.value(old.key)
        if old.key not in OF_ALL_RESULTS or given is None:
            continue
        if _absolute(Assignment(old.key, given)) != old:
            raise StaleRunError(
                f"the run {paths.folder.name} is of {old}, not of {old.key}={given}",
                hint="choose another run.name, or set run.on_change=overwrite to redo what differs",
            )


def _settings_of_old(paths: RunPaths) -> str:
    """Return settings that fit the results of a run, from the names of its files."""
    models = sorted({path.parent.parent.name for path in paths.generations()})
    settings = [f"models=[{','.join(models)}]", "data=… data.root=…"]
    for path in sorted(paths.folder.glob("*/*/judge-*/score-*.json"))[:1]:
        judge = path.parent.name.removeprefix("judge-")
        protocol = path.stem.removeprefix("score-")
        settings += [f"judge={judge}", f"protocol={protocol}"]
    return " ".join(settings)


# ---- stored and given settings together ---------------------------------------------------------


def _merged(stored: Sequence[str], given: Sequence[Assignment]) -> list[str]:
    """Return all settings, without the stored ones that are given again."""
    kept = []
    for text in stored:
        old = assignment_of(text)
        if not any(_replaces(new, old, stored) for new in given):
            kept.append(text)
    return [*kept, *texts(given)]


def _replaces(new: Assignment, old: Assignment, stored: Sequence[str]) -> bool:
    """Return whether a stored setting ends: it is given anew, or belongs to another choice."""
    if new.key == old.key:
        return True
    is_other_choice = new.is_choice and str(new) not in stored
    return is_other_choice and old.key.startswith(f"{new.key}.")


def _models_of(line: CommandLine, stored: RunSettings) -> list[list[str]]:
    """Return the settings of each model that a command works with: without names, all stored."""
    if line.names is None:
        bases = list(stored.models.values()) or [()]
    else:
        bases = [_base(name, line, stored) for name in line.names]
    return [_merged(base, line.of_models) for base in bases]


def _base(name: str, line: CommandLine, stored: RunSettings) -> tuple[str, ...]:
    """Return what is stored of a model, by its own name or by that of its config file."""
    choice = f"model={name}"
    names = [each.text for each in line.of_models if each.key == "model.name"]
    if not names:
        return stored.models.get(name, (choice,))
    settings = stored.models.get(str(names[-1]), ())
    return settings if choice in settings else (choice,)


def _tell_inherited(line: CommandLine, stored: RunSettings, paths: RunPaths) -> None:
    """Log what a command did not name and takes from its run."""
    defaults = default_choices()
    inherited = []
    for text in stored.common:
        key, value = assignment_of(text)
        is_given = any(each.key == key for each in line.common)
        if not is_given and defaults.get(key) != value:
            inherited.append(text)
    if line.names is None and stored.models:
        inherited.append(f"models=[{','.join(stored.models)}]")
    if inherited:
        log.info("as in %s: %s", paths.settings, " ".join(inherited))


# ---- what is stored -----------------------------------------------------------------------------


def _to_store(
    line: CommandLine,
    stored: RunSettings,
    command: tuple[Config, Sequence[ModelConfig]],
    models: Sequence[Sequence[str]],
) -> RunSettings:
    """Return what a run is to store of a command: choices by name, paths from the root."""
    config, configs = command
    common = []
    for text in _merged(stored.common, line.common):
        assignment = assignment_of(text)
        if not _is_of_one_command(assignment, stored):
            common.append(str(_absolute(assignment)))
    chosen = {assignment_of(text).key for text in common}
    for group in ("protocol", "judge", "data"):
        if group not in chosen:
            common.insert(0, f"{group}={getattr(config, group).name}")
    by_name = {}
    for model, settings in zip(configs, models, strict=True):
        by_name[model.name] = _named(model, settings)
    return RunSettings(common=(*common, *_tasks(line, stored)), models=by_name)


def _is_of_one_command(assignment: Assignment, stored: RunSettings) -> bool:
    """Return whether a setting is not stored; a subset is that of a new run, never of a whole."""
    key = assignment.key
    if key in (*OF_ONE_COMMAND, TASKS):
        return True
    if not key.startswith(SUBSET) or not stored.models:
        return False
    return not any(assignment_of(text).key == key for text in stored.common)


def _named(model: ModelConfig, settings: Sequence[str]) -> tuple[str, ...]:
    """Return the settings of a model, with its config file."""
    absolute = [str(_absolute(assignment_of(text))) for text in settings]
    keys = [assignment_of(text).key for text in settings]
    if "model" not in keys and "model.name" not in keys:
        return (f"model={model.name}", *absolute)
    return tuple(absolute)


def _tasks(line: CommandLine, stored: RunSettings) -> list[str]:
    """Return the tasks of a run: those of all its commands together; nothing for all tasks."""
    old = [text for text in stored.common if text.startswith(f"{TASKS}=")]
    given = line.value(TASKS)
    is_new = not stored.models
    if given is None:
        return old
    if given == "null" or (not old and not is_new):
        return []
    ids: dict[str, None] = {}
    for text in (*old, f"{TASKS}={given}"):
        _, value = assignment_of(text)
        ids |= dict.fromkeys(list_of(str(value)))
    return [f"{TASKS}=[{','.join(ids)}]"]


def _absolute(assignment: Assignment) -> Assignment:
    """Return a setting with its path from the root, where it names something that exists."""
    key, text = assignment
    if text is None or not (key in PATH_KEYS or METRIC_PATH.fullmatch(key)):
        return assignment
    path = Path(text).expanduser()
    if path.is_absolute() or not path.exists():
        return assignment
    return Assignment(key, str(path.absolute()))
