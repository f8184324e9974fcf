"""Pages without a model: floor and ceiling of every table, and pages made by other tools."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from iwr.config import ModelConfig
from iwr.digests import digest, file_digest
from iwr.errors import ConfigError, DataError
from iwr.inference import video
from iwr.records import Task

KINDS = ("oracle", "screenshot", "blank", "directory")
MOST_FILES = 500
MOST_BYTES = 50_000_000
NOTHING: Mapping[str, Path] = {}

BLANK = "<!doctype html>\n<html><head><title></title></head><body></body></html>\n"
SCREENSHOT = (
    "<!doctype html>\n"
    "<html><head><title></title><style>html,body{{margin:0;overflow:hidden}}"
    "img{{display:block;width:100vw;height:100vh}}</style></head>\n"
    '<body><img src="{source}" alt=""></body></html>\n'
)


class BaselinePage(NamedTuple):
    """A page, or the reason why there is none."""

    content: bytes | None
    reason: str | None = None
    beside: Mapping[str, Path] = NOTHING
    """What lies in the folder of the page, by the name that the page has for it."""


def make(task: Task, model: ModelConfig) -> BaselinePage:
    """Return the page of the baseline `model` for `task`.

    Raise DataError when the recording cannot be read, ConfigError for a model that is no baseline.
    """
    if model.kind == "oracle":
        return _read(task.true_page, "the data has no true page for this task")
    if model.kind == "directory":
        path = _page_in(model, task)
        page = _read(path, f"no {task.id}/index.html in {model.path}")
        return page._replace(beside=_beside(path))
    if model.kind == "screenshot":
        first = video.frames(task.video, [0], task.id)[0]
        return BaselinePage(SCREENSHOT.format(source=video.data_url(first)).encode())
    if model.kind == "blank":
        return BaselinePage(BLANK.encode())
    raise ConfigError(f"model.kind={model.kind}: choose vllm, transformers, {', '.join(KINDS)}")


def _page_in(model: ModelConfig, task: Task) -> Path:
    """Return where `model=directory` looks for a page.

    Raise ConfigError when its folder does not exist.
    """
    hint = "give the folder that holds <task>/index.html"
    if not model.path:
        raise ConfigError("model=directory needs model.path", hint=hint)
    folder = Path(model.path).expanduser()
    if not folder.is_dir():
        raise ConfigError(f"model.path={model.path} is not a folder", hint=hint)
    return folder / task.id / "index.html"


def input_digest(task: Task, model: ModelConfig) -> str | None:
    """Return the digest of the file that the page is copied from, for the fingerprint.

    Return None when the task alone decides the page.
    """
    if model.kind != "directory":
        return None
    page = _page_in(model, task)
    if not page.is_file():
        return "absent"
    beside = _beside(page)
    if not beside:
        return file_digest(page)
    return digest(file_digest(page), contents(beside))


def contents(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the digest of each file by name."""
    digests = {}
    for name, path in files.items():
        digests[name] = file_digest(path)
    return digests


def _beside(page: Path) -> dict[str, Path]:
    """Return the files beside a page and below its folder, without links and hidden ones.

    Raise DataError when they are more than a page may bring along.
    """
    folder = page.parent
    if (folder / "generation.json").exists():  # a page of a run: the rest is about it
        folder = folder / "beside"
    files = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in name.parts)
        is_link = path.resolve() != folder.resolve() / name
        if path == page or is_hidden or is_link or not path.is_file():
            continue
        files[name.as_posix()] = path
        size += path.stat().st_size
    if len(files) > MOST_FILES or size > MOST_BYTES:
        raise DataError(
            f"{folder}: {len(files)} files of {size / 1e6:.0f} MB lie beside index.html; at most "
            f"{MOST_FILES} of {MOST_BYTES / 1e6:.0f} MB are taken over",
            hint="leave only what the page uses",
        )
    return files


def _read(path: Path | None, reason: str) -> BaselinePage:
    """Return the page at `path`; without a file, or with an empty one, the reason."""
    if path is None or not path.is_file():
        return BaselinePage(None, reason)
    content = path.read_bytes()
    if not content.strip():
        return BaselinePage(None, f"{path.parent.name}/{path.name} is empty")
    return BaselinePage(content)
