"""Strict reader of a data set: `data.jsonl` and one folder a task, as IWR-Bench lays them out.

    <root>/data.jsonl
    <root>/data/<id>/video.mp4
    <root>/data/<id>/assets/<file>
    <root>/data/<id>/stitched_assets/stitched_image*.png|jpg
    <root>/data/<id>/checkpoints/step_<k>.png
    <root>/data/<id>/page/index.html          the true page; only the samples have it

A task with a fault is refused, the others go on. Whatever is returned as a Task can be used without further checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import DataConfig
from iwr.errors import ConfigError
from iwr.records import Classification, Record, Task, digest
from iwr.runs.paths import safe_name
from iwr.tasks.files import (
    FileError,
    assets_of,
    check_video,
    checkpoints_of,
    content_digest,
    inside,
    stitched_of,
)
from iwr.tasks.schema import Line, LineError, parse, problems, unknown_fields


class Fault(Record):
    """Why a task was refused. `line` and `step` count from 1; `message` says what is wrong and what to do."""

    file: str
    line: int | None = None
    task: str | None = None
    step: int | None = None
    field: str | None = None
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        names = [
            f"task {self.task}" if self.task is not None else None,
            f"step {self.step}" if self.step is not None else None,
            self.field,
        ]
        return ": ".join([place, *filter(None, names), self.message])


class Loaded(NamedTuple):
    tasks: tuple[Task, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]  # what was tolerated: unknown fields, files that nothing refers to


def data_root(data: DataConfig) -> Path:
    """Return the folder that holds `data.jsonl`: that of the samples unless the settings name one."""
    return Path(data.root).expanduser().absolute() if data.root else samples_root()


def samples_root() -> Path:
    """The data set bundled with the package."""
    return Path(__file__).parent / "samples"


def load(root: Path, only: list[str] | None = None) -> Loaded:
    """All tasks under `root`, in the order of `data.jsonl`; with `only`, the tasks of these ids. Never raises for bad data."""
    return _Reader(Path(root), only).read()


class _Reader:
    def __init__(self, root: Path, only: list[str] | None):
        self.root, self.only = root, only
        self.file = root / "data.jsonl"
        self.tasks: list[Task] = []
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.lines: dict[str, int] = {}  # task id -> its line
        self.unknown: dict[str, list[int]] = {}  # unknown field -> lines

    def read(self) -> Loaded:
        for number, raw in self._lines():
            self._line(number, raw)
        missing = [task for task in self.only or [] if task not in self.lines]
        for task in missing:
            self._fault(
                f"there is no such task; choose from {', '.join(list(self.lines)[:20]) or '(none)'}",
                task=task,
                field="id",
            )
        if not self.lines and not self.faults:
            self._fault("holds no task; write one JSON object on each line")
        for field, lines in self.unknown.items():
            self.notes.append(
                f"{self.file}:{lines[0]}: unknown field {field} is ignored ({len(lines)} tasks)"
            )
        return Loaded(tuple(self.tasks), tuple(self.faults), tuple(self.notes))

    def _fault(self, message: str, *, file: Path | None = None, **place: Any) -> None:
        self.faults.append(Fault(file=str(file or self.file), message=message, **place))

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        try:
            content = self.file.read_bytes()
        except OSError as error:
            self._fault(
                f"cannot be read: {error.strerror}; data.root must be the folder that holds data.jsonl"
            )
            return
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            self._fault("is UTF-16; save it as UTF-8")
            return
        if content.startswith(b"\xef\xbb\xbf"):
            self.notes.append(f"{self.file}:1: the byte order mark is ignored")
            content = content[3:]
        yield from (
            (number, raw) for number, raw in enumerate(content.split(b"\n"), 1) if raw.strip()
        )

    def _line(self, number: int, raw: bytes) -> None:
        try:
            value = parse(raw)
        except LineError as error:
            return self._fault(str(error), line=number)
        task = str(value["id"]) if isinstance(value.get("id"), int | str) else None
        if task is not None and self.only is not None and task not in self.only:
            return None
        if task in self.lines:
            return self._fault(
                f"the same id stands in line {self.lines[task]}; give each task its own",
                line=number,
                task=task,
                field="id",
            )
        if task is not None:
            self.lines[task] = number
        wrong = list(problems(value))
        for step, field, message in wrong:
            self._fault(message, line=number, task=task, step=step, field=field)
        if not wrong and task is not None:
            self._task(number, task, value)
        return None

    def _task(self, number: int, name: str, value: dict[str, Any]) -> None:
        line = Line.model_validate(value)
        for field in dict.fromkeys(unknown_fields(line)):
            self.unknown.setdefault(field, []).append(number)
        try:
            safe_name("task", name)
        except ConfigError as error:
            return self._fault(f"{error}; {error.hint}", line=number, task=name, field="id")
        try:
            self.tasks.append(self._checked(name, line, value))
        except FileError as error:
            self._fault(str(error), file=error.file, task=name, step=error.step, field=error.field)
        return None

    def _checked(self, name: str, line: Line, value: dict[str, Any]) -> Task:
        folder = self.root / "data" / name
        if not folder.is_dir():
            raise FileError(folder, "the task's folder is missing")
        video, assets, page = (
            folder / "video.mp4",
            folder / "assets",
            folder / "page" / "index.html",
        )
        check_video(folder, video)
        checkpoints, spare = checkpoints_of(self.root, folder, line.action_sequence)
        if spare:
            self.notes.append(
                f"{folder / 'checkpoints'}: no flagged action refers to {', '.join(spare)}"
            )
        stitched = stitched_of(folder)
        files = assets_of(folder, assets)
        if files and not stitched:
            self.notes.append(
                f"{folder}: there are assets but no stitched_assets; a model cannot learn their names"
            )
        true_page = page if page.is_file() else None
        used = [
            video,
            *checkpoints.values(),
            *stitched,
            *files,
            *([inside(folder, page)] if true_page else []),
        ]
        try:
            contents = {
                file.relative_to(folder).as_posix(): content_digest(file)
                for file in dict.fromkeys(used)
            }
        except OSError as error:
            raise FileError(
                Path(error.filename or folder), f"cannot be read: {error.strerror}"
            ) from error
        width, height = line.size
        return Task(
            id=name,
            folder=folder,
            width=width,
            height=height,
            classification=line.classification.record()
            if line.classification
            else Classification(),
            source_website=line.source_website,
            environment=line.recording_details.environment,
            actions=tuple(action.action() for action in line.action_sequence),
            checkpoints=checkpoints,
            video=video,
            assets=assets if assets.is_dir() else None,
            stitched=stitched,
            true_page=true_page,
            digest=digest(value, contents),
        )
