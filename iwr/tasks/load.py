"""Strict reader of a data set: `data.jsonl` and one folder a task, as IWR-Bench lays them out.

    <root>/data.jsonl
    <root>/data/<id>/video.mp4
    <root>/data/<id>/assets/<file>
    <root>/data/<id>/stitched_assets/stitched_image*.png|jpg
    <root>/data/<id>/checkpoints/step_<k>.png
    <root>/data/<id>/page/index.html          the true page; only recorded tasks have it
    <root>/data/<id>/contract.json            what it does; only recorded tasks have it

A task with a fault is refused, the others go on. A Task that is returned can be used without
further checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import DataConfig
from iwr.digests import digest
from iwr.errors import ConfigError
from iwr.records import Classification, Record, Task
from iwr.runs.paths import safe_name
from iwr.tasks.checkpoints import checkpoints_of
from iwr.tasks.contract_file import contract_of
from iwr.tasks.files import (
    FileError,
    assets_of,
    check_video,
    contents_of,
    optional_file,
    stitched_of,
)
from iwr.tasks.schema import LineError, TaskLine, parse, problems, unknown_fields

LISTED_TASKS = 20
"""In the message for a task that does not exist."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Fault(Record):
    """Why a task was refused. `line` and `step` count from 1."""

    file: str
    line: int | None = None
    task: str | None = None
    step: int | None = None
    field: str | None = None
    message: str  # what is wrong and what to do

    def __str__(self) -> str:
        """Return the fault on one line, with its place."""
        place = self.file
        if self.line is not None:
            place = f"{place}:{self.line}"
        parts = [place]
        if self.task is not None:
            parts.append(f"task {self.task}")
        if self.step is not None:
            parts.append(f"step {self.step}")
        if self.field:
            parts.append(self.field)
        return ": ".join([*parts, self.message])


class Loaded(NamedTuple):
    """A data set as it was read."""

    tasks: tuple[Task, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    """What was tolerated: unknown fields, files that nothing refers to."""


def data_root(data: DataConfig) -> Path:
    """Return the folder that holds `data.jsonl`: that of the samples unless one is configured."""
    if not data.root:
        return samples_root()
    return Path(data.root).expanduser().absolute()


def samples_root() -> Path:
    """Return the folder of the data set that is bundled with the package."""
    return Path(__file__).parent / "samples"


def load(root: Path, only: list[str] | None = None) -> Loaded:
    """Return the tasks under `root` in the order of `data.jsonl`, and all faults.

    `only` restricts them to these ids. Never raises for bad data.
    """
    return _Reader(Path(root), only).read()


class _Reader:
    """Reads one data set and collects what it finds."""

    def __init__(self, root: Path, only: list[str] | None):
        self.root = root
        self.only = only
        self.file = root / "data.jsonl"
        self.tasks: list[Task] = []
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.lines: dict[str, int] = {}  # task id -> its line
        self.unknown: dict[str, list[int]] = {}  # unknown field -> lines

    def read(self) -> Loaded:
        """Read all lines; what is wrong with one does not stop the others."""
        for number, raw in self._lines():
            self._read_line(number, raw)
        self._check_selection()
        if not self.lines and not self.faults:
            self._refuse("holds no task; write one JSON object on each line")
        for field, lines in self.unknown.items():
            where = f"{self.file}:{lines[0]}"
            self.notes.append(f"{where}: unknown field {field} is ignored ({len(lines)} tasks)")
        return Loaded(
            tasks=tuple(self.tasks),
            faults=tuple(self.faults),
            notes=tuple(self.notes),
        )

    def _refuse(
        self,
        message: str,
        *,
        file: Path | None = None,
        line: int | None = None,
        task: str | None = None,
        step: int | None = None,
        field: str | None = None,
    ) -> None:
        """Add a fault. `file` is `data.jsonl` unless another one is to blame."""
        place = str(file or self.file)
        fault = Fault(
            file=place,
            line=line,
            task=task,
            step=step,
            field=field,
            message=message,
        )
        self.faults.append(fault)

    def _check_selection(self) -> None:
        """Add a fault for each id that was asked for and is not there."""
        first = list(self.lines)[:LISTED_TASKS]
        choices = ", ".join(first) or "(none)"
        for task in self.only or []:
            if task not in self.lines:
                message = f"there is no such task; choose from {choices}"
                self._refuse(
                    message,
                    task=task,
                    field="id",
                )

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and content of each line that is not blank."""
        try:
            content = self.file.read_bytes()
        except OSError as error:
            self._refuse(
                f"cannot be read: {error.strerror}; "
                "data.root must be the folder that holds data.jsonl"
            )
            return
        if content.startswith(UTF_16):
            self._refuse("is UTF-16; save it as UTF-8")
            return
        if content.startswith(BYTE_ORDER_MARK):
            self.notes.append(f"{self.file}:1: the byte order mark is ignored")
            content = content.removeprefix(BYTE_ORDER_MARK)
        for number, raw in enumerate(content.split(b"\n"), 1):
            if raw.strip():
                yield number, raw

    def _read_line(self, number: int, raw: bytes) -> None:
        """Read the task on one line, unless it was not asked for."""
        try:
            value = parse(raw)
        except LineError as error:
            self._refuse(str(error), line=number)
            return
        task = _task_id(value)
        if task is not None and self.only is not None and task not in self.only:
            return
        if task in self.lines:
            message = f"line {self.lines[task]} has the same id; give each task its own"
            self._refuse(
                message,
                line=number,
                task=task,
                field="id",
            )
            return
        if task is not None:
            self.lines[task] = number
        faults = list(problems(value))
        for step, field, message in faults:
            self._refuse(
                message,
                line=number,
                task=task,
                step=step,
                field=field,
            )
        if task is not None and not faults:
            self._read_task(number, task, value)

    def _read_task(
        self,
        number: int,
        name: str,
        value: dict[str, Any],
    ) -> None:
        """Add the task of a line that is valid, once its files are checked as well."""
        line = TaskLine.model_validate(value)
        for field in dict.fromkeys(unknown_fields(line)):
            self.unknown.setdefault(field, []).append(number)
        try:
            safe_name("task", name)
        except ConfigError as error:
            self._refuse(
                f"{error}; {error.hint}",
                line=number,
                task=name,
                field="id",
            )
            return
        try:
            self.tasks.append(self._task(name, line, value))
        except FileError as error:
            self._refuse(
                str(error),
                file=error.file,
                task=name,
                step=error.step,
                field=error.field,
            )

    def _task(
        self,
        name: str,
        line: TaskLine,
        value: dict[str, Any],
    ) -> Task:
        """Return the task with its files checked. Raises FileError."""
        folder = self.root / "data" / name
        if not folder.is_dir():
            raise FileError(folder, "the task's folder is missing")
        video = folder / "video.mp4"
        check_video(folder, video)
        checkpoints, unused = checkpoints_of(self.root, folder, line.action_sequence)
        assets = folder / "assets"
        stitched = stitched_of(folder)
        asset_files = assets_of(folder, assets)
        true_page = optional_file(folder, "page/index.html")
        self._note_leftovers(
            folder,
            unused,
            asset_files,
            stitched,
        )
        files = [video, *checkpoints.values(), *stitched, *asset_files]
        if true_page:
            files.append(true_page)
        width, height = line.size
        classes = line.classification
        return Task(
            id=name,
            folder=folder,
            width=width,
            height=height,
            classification=classes.record() if classes else Classification(),
            source_website=line.source_website,
            environment=line.recording_details.environment,
            actions=tuple(action.record() for action in line.action_sequence),
            checkpoints=checkpoints,
            video=video,
            assets=assets if assets.is_dir() else None,
            stitched=stitched,
            true_page=true_page,
            contract=contract_of(folder, len(line.action_sequence)),
            digest=digest(value, contents_of(folder, files)),
        )

    def _note_leftovers(
        self,
        folder: Path,
        unused: Sequence[str],
        assets: Sequence[Path],
        stitched: Sequence[Path],
    ) -> None:
        """Note files that nothing refers to, and assets that models do not see."""
        if unused:
            place = folder / "checkpoints"
            self.notes.append(f"{place}: no flagged action refers to {', '.join(unused)}")
        if assets and not stitched:
            self.notes.append(
                f"{folder}: there are assets but no stitched_assets; "
                "a model cannot learn their names"
            )


def _task_id(value: dict[str, Any]) -> str | None:
    """Return the id of a line as text; None where it has none that can be one."""
    name = value.get("id")
    if isinstance(name, int | str):
        return str(name)
    return None
