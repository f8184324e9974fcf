"""Pages without a model: floor and ceiling of every table, and pages made by other tools."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from iwr.config import ModelConfig
from iwr.errors import ConfigError
from iwr.inference import video
from iwr.records import Task, file_digest

KINDS = ("oracle", "screenshot", "blank", "directory")

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


def make(task: Task, model: ModelConfig) -> BaselinePage:
    """Return the page of the baseline `model` for `task`.

    Raise DataError when the recording cannot be read, ConfigError for a model that is no baseline.
    """
    if model.kind == "oracle":
        return _read(task.true_page, "the data has no true page for this task")
    if model.kind == "directory":
        return _read(page_in(model, task), f"no {task.id}/index.html in {model.path}")
    if model.kind == "screenshot":
        first = video.frames(task.video, [0], task.id)[0]
        return BaselinePage(SCREENSHOT.format(source=video.data_url(first)).encode())
    if model.kind == "blank":
        return BaselinePage(BLANK.encode())
    raise ConfigError(f"model.kind={model.kind}: choose vllm, transformers, {', '.join(KINDS)}")


def page_in(model: ModelConfig, task: Task) -> Path:
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
    page = page_in(model, task)
    return file_digest(page) if page.is_file() else "absent"


def _read(path: Path | None, reason: str) -> BaselinePage:
    """Return the page at `path`; without a file, `reason`."""
    if path is None or not path.is_file():
        return BaselinePage(None, reason)
    return BaselinePage(path.read_bytes())
