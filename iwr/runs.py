"""Files of a run: their names, how they are written, and what is done, owed or stale.

    <run.root>/<run.name>/manifest.json, manifests/<digest>.json
    <run.root>/<run.name>/<model>/<task>/generation.json, reply.txt, index.html
    <run.root>/<run.name>/<model>/<task>/judge-<judge>/rollout.json, step_<k>.png, score-<protocol>.json
    <run.root>/<run.name>/report/

Every file appears whole or not at all: it is written under a temporary name and renamed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError

from iwr.errors import ConfigError, DataError, StaleRunError
from iwr.records import Fingerprint, Record, file_digest

log = logging.getLogger(__name__)
R = TypeVar("R", bound=Record)
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def safe_name(kind: str, name: str) -> str:
    """`name`, if it can be a folder name. Raises ConfigError otherwise, so nothing is written outside the run."""
    if not SAFE_NAME.fullmatch(name):
        raise ConfigError(f"{kind} {name!r} cannot be a folder name", hint="use letters, digits, '.', '_' and '-'")
    return name


@dataclass(frozen=True)
class JudgePaths:
    folder: Path

    @property
    def rollout(self) -> Path:
        return self.folder / "rollout.json"

    @property
    def calls(self) -> Path:
        """Every question to a judge model and its answer, one line each."""
        return self.folder / "calls.jsonl"

    def screenshot(self, step: int) -> Path:
        return self.folder / f"step_{step}.png"

    def score(self, protocol: str) -> Path:
        return self.folder / f"score-{safe_name('protocol', protocol)}.json"


@dataclass(frozen=True)
class TaskPaths:
    folder: Path

    @property
    def generation(self) -> Path:
        return self.folder / "generation.json"

    @property
    def reply(self) -> Path:
        return self.folder / "reply.txt"

    @property
    def page(self) -> Path:
        return self.folder / "index.html"

    def judge(self, judge: str) -> JudgePaths:
        return JudgePaths(self.folder / f"judge-{safe_name('judge', judge)}")


@dataclass(frozen=True)
class ReportPaths:
    """The HTML report: a folder that holds all it shows, so it can be copied anywhere."""

    folder: Path

    @property
    def index(self) -> Path:
        return self.folder / "index.html"

    @property
    def made_from(self) -> Path:
        """What the pages were made from, so that unchanged ones are not made again."""
        return self.folder / "made_from.json"

    @property
    def figures(self) -> Path:
        return self.folder / "figures"

    def page(self, model: str, task: str) -> Path:
        return self.folder / "pages" / safe_name("model", model) / f"{safe_name('task', task)}.html"

    def screenshot(self, model: str, task: str, step: int) -> Path:
        return self.page(model, task).with_suffix("") / f"step_{step}.png"

    def reference(self, task: str, step: int) -> Path:
        return self.folder / "tasks" / safe_name("task", task) / f"step_{step}.png"

    def video(self, task: str) -> Path:
        return self.folder / "tasks" / safe_name("task", task) / "video.mp4"


@dataclass(frozen=True)
class RunPaths:
    """The one owner of every file name in a run."""

    folder: Path

    @classmethod
    def of(cls, root: str | Path, name: str) -> RunPaths:
        return cls(Path(root).expanduser().absolute() / safe_name("run.name", name))

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def manifests(self) -> Path:
        return self.folder / "manifests"

    @property
    def report(self) -> Path:
        return self.folder / "report"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def selftest(self, judge: str) -> Path:
        return self.folder / f"selftest-{safe_name('judge', judge)}.json"

    def session(self, model: str, name: str) -> Path:
        """What one process did with one model's servers; `name` is unique to the process."""
        return self.logs / f"session-{safe_name('model', model)}-{name}.json"

    def sessions(self, model: str) -> list[Path]:
        return sorted(self.logs.glob(f"session-{safe_name('model', model)}-[0-9]*.json"))

    def generations(self) -> list[Path]:
        """Of every model and task."""
        return sorted(self.folder.glob("*/*/generation.json"))

    def lock(self, stage: str, model: str, shard: int, shards: int) -> Path:
        """Held by the one process that works on this stage of this shard."""
        return self.folder / "locks" / f"{stage}-{safe_name('model', model)}-{shard}of{shards}.lock"

    def task(self, model: str, task: str) -> TaskPaths:
        return TaskPaths(self.folder / safe_name("model", model) / safe_name("task", task))


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write `data` to `path` whole or not at all. Raises DataError when the disk refuses."""
    data = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    temporary = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise DataError(f"cannot write {path}: {error.strerror}", hint="free disk space or choose another run.root") from error


def existing(folder: Path) -> Path:
    """`folder`, or the nearest one above it that exists: where its files will take their space."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def part_of(path: Path) -> Path:
    """A name beside `path` for a file that is not finished, which no other process uses."""
    return path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.{uuid.uuid4().hex[:8]}.part")


def clear_parts(folder: Path) -> None:
    """Delete what writers that were killed left anywhere in `folder`: unfinished files of processes of this host that are gone."""
    mine = re.compile(rf"\..*\.{re.escape(socket.gethostname())}-(\d+)\.[^.]+\.part")
    for place, _, names in os.walk(folder):
        for name in names:
            owner = mine.fullmatch(name)
            if owner and not Path("/proc", owner[1]).exists():
                Path(place, name).unlink(missing_ok=True)


@contextmanager
def exclusive(locks: Sequence[Path]) -> Iterator[None]:
    """Hold all `locks`, waiting for whoever has them. They fall with the process, however it ends.

    Raises DataError where the file system refuses.
    """
    with ExitStack() as stack:
        for path in sorted(locks):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = FileLock(path)
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    log.info("waiting: another process works on %s", path.stem)
                    lock.acquire()
            except (OSError, NotImplementedError) as error:
                raise DataError(f"cannot lock {path}: {error}", hint="run.root must be writable and support file locks") from error
            stack.callback(lock.release)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds this lock now."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def write_record(path: Path, record: Record) -> None:
    write_atomic(path, record.model_dump_json(indent=1) + "\n")


def read_record(path: Path, kind: type[R]) -> R | None:
    """The record at `path`, None if there is none. Raises DataError when it cannot be read as `kind`."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        field = ".".join(map(str, first["loc"])) or "file"
        raise DataError(f"{path}: not a valid {kind.__name__}: {field}: {first['msg']}", hint="delete the file and run again") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def readable(path: Path, kind: type[R]) -> R | None:
    """Like `read_record`, but a damaged record counts as not there (it is then made again), with a warning."""
    try:
        return read_record(path, kind)
    except DataError as error:
        log.warning("%s; it will be made again", error)
        return None


def differing_keys(old: Fingerprint, new: Fingerprint) -> list[str]:
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def check_same_settings(path: Path, old: Fingerprint, new: Fingerprint) -> None:
    """Raises StaleRunError naming the settings under which an existing record was made differently."""
    keys = differing_keys(old, new)
    if keys:
        changes = "; ".join(f"{key}: {old.get(key, '(none)')} -> {new.get(key, '(none)')}" for key in keys)
        raise StaleRunError(
            f"{path} was made under other settings ({changes})",
            hint="restore these settings to resume, set run.on_change=overwrite to redo what they affect, or choose a new run.name",
        )


def owed(path: Path, kind: type[R], fingerprint: Fingerprint, on_change: str, intact: Callable[[R], bool] = lambda _: True) -> bool:
    """Whether the record at `path` must be (re)made: absent, damaged, failed, not `intact`, or made from other inputs.

    Keys named `input.*` are contents made by an earlier stage: when they change, the work is simply owed again.
    All other keys are settings: when they change, StaleRunError is raised unless `on_change` is "overwrite".
    `kind` has the fields `status` and `fingerprint`; the statuses "failed" and "unscored" mean "try again".
    """
    record: Any = readable(path, kind)
    if record is None:
        return True
    if on_change != "overwrite":
        settings = [{key: value for key, value in f.items() if not key.startswith("input.")} for f in (record.fingerprint, fingerprint)]
        check_same_settings(path, *settings)
    return record.status in ("failed", "unscored") or record.fingerprint != fingerprint or not intact(record)


def whole_png(path: Path) -> bool:
    """Whether the file is there from its first to its last bytes."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(-12, os.SEEK_END)
            return start == b"\x89PNG\r\n\x1a\n" and file.read()[4:8] == b"IEND"
    except OSError:
        return False


VOLATILE = {"seconds", "input.generation", "input.rollout"}  # how long it took, and hashes of files that say so
NO_RESULTS = ("cache", "locks", "logs", "manifests", "manifest.json")


def content(folder: Path) -> dict[str, str]:
    """Everything that a run's results say, by file name: records without times, tables and images as hashes. The HTML
    report is left out: it shows times.

    Two runs of deterministic contestants under the same settings have equal content.
    """
    said = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        timed = name.parts[0] == "report" and (path.suffix == ".html" or path.name == "made_from.json")
        if name.parts[0] in NO_RESULTS or timed or not path.is_file():
            continue
        if path.suffix == ".json":
            said[str(name)] = json.dumps(_without_times(json.loads(path.read_bytes())))
        else:
            said[str(name)] = file_digest(path)
    return said


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in VOLATILE}
    return [_without_times(item) for item in value] if isinstance(value, list) else value
