"""Contestants that are no models: floor and ceiling of every table, and pages made by other tools."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from iwr.config import ModelConfig
from iwr.errors import ConfigError
from iwr.inference import video
from iwr.records import Task, file_digest

KINDS = ("oracle", "screenshot", "blank", "directory")

BLANK = "<!doctype html>\n<html><head><title></title></head><body></body></html>\n"
SCREENSHOT = """\
<!doctype html>
<html><head><title></title><style>html,body{{margin:0;overflow:hidden}}img{{display:block;width:100vw;height:100vh}}</style></head>
<body><img src="{source}" alt=""></body></html>
"""


class Made(NamedTuple):
    """A page, or why there is none."""

    page: bytes | None
    reason: str | None = None


def make(task: Task, model: ModelConfig) -> Made:
    """The page of the baseline `model` for `task`. Raises DataError when the recording cannot be read."""
    if model.kind == "oracle":
        return _read(task.true_page, "the data has no true page for this task")
    if model.kind == "directory":
        return _read(page_in(model, task), f"no {task.id}/index.html in {model.path}")
    if model.kind == "screenshot":
        first = video.frames(task.video, [0], task.id)[0]
        return Made(SCREENSHOT.format(source=video.data_url(first)).encode())
    if model.kind == "blank":
        return Made(BLANK.encode())
    raise ConfigError(f"model.kind={model.kind}: choose vllm, transformers, {', '.join(KINDS)}")


def page_in(model: ModelConfig, task: Task) -> Path:
    """Where `model=directory` looks for a page. Raises ConfigError when its folder does not exist."""
    if not model.path:
        raise ConfigError(
            "model=directory needs model.path", hint="the folder that holds <task>/index.html"
        )
    folder = Path(model.path).expanduser()
    if not folder.is_dir():
        raise ConfigError(
            f"model.path={model.path} is no folder",
            hint="give the folder that holds <task>/index.html",
        )
    return folder / task.id / "index.html"


def input_digest(task: Task, model: ModelConfig) -> str | None:
    """Content that the page is copied from, for the fingerprint; None when the task alone decides."""
    if model.kind != "directory":
        return None
    page = page_in(model, task)
    return file_digest(page) if page.is_file() else "absent"


def _read(path: Path | None, otherwise: str) -> Made:
    if path is None or not path.is_file():
        return Made(None, otherwise)
    return Made(path.read_bytes())
