"""Make a task from a page and an action script: recording, asset sheets, checkpoints, line of `data.jsonl`.

Two passes. The first is for people and models: real time, a visible cursor, filmed. The second is for scoring: the
sandboxed browser performs the same actions with the code that judges pages, so the true page reproduces every
checkpoint byte for byte.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from iwr.browser.site import Site
from iwr.config import BrowserConfig, Environment
from iwr.errors import DataError, PageError
from iwr.runs.files import write_atomic
from iwr.runs.paths import safe_name
from iwr.tasks.recorder import screencast as film
from iwr.tasks.recorder import session as studio
from iwr.tasks.recorder.script import Script, ScriptAction, read_script
from iwr.tasks.recorder.sheets import draw_sheets

if TYPE_CHECKING:
    from iwr.browser.chromium import Chromium

T = TypeVar("T")
BROWSER = BrowserConfig(
    name="recorder", page_seconds=300.0
)  # the page is the author's own: let a long script run


def record_task(
    page: Path,
    script: Path,
    data_root: Path,
    task_id: str,
    *,
    pace: float = 1.0,
    seed: int | None = None,
) -> Path:
    """Record `data_root/data/<task_id>` and put its line into `data_root/data.jsonl`. Returns the folder.

    `page` is a folder with `index.html` (or `page/index.html`) and, if the page has images, `assets/` beside it; it
    may be the task's folder itself. A task of the same id is replaced. `pace` and `seed`: see `record_video`.
    Raises DataError for a page or script that cannot be performed, BrowserError when Chromium fails.
    """
    folder = data_root / "data" / safe_name("task", task_id)
    checked, site = read_script(script), _site(page)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot make {folder.parent}: {error.strerror}", hint="choose another out="
        ) from error
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{task_id}.") as name:
        staging = Path(name)
        _copy_sources(site, script, staging)
        version = _named(
            script,
            lambda: _with_browser(
                lambda chromium: _produce(chromium, staging, checked, pace, seed)
            ),
        )
        _move_into(staging, folder)
    write_line(data_root, task_id, checked, version)
    return folder


def record_video(
    page: Path,
    assets: Path | None,
    script: Path | Script,
    out_mp4: Path,
    *,
    pace: float = 1.0,
    seed: int | None = None,
) -> None:
    """Film `script` performed on `page` (index.html) in real time, to an H.264 video of 25 frames a second.

    `pace` 2.0 takes about twice as long; `seed` varies every pause a little, None does not.
    Raises DataError for a page or script that cannot be performed, BrowserError when Chromium fails.
    """
    checked = script if isinstance(script, Script) else read_script(script)
    caught = _named(
        script,
        lambda: _with_browser(
            lambda chromium: studio.shoot(chromium, Site(page, assets), checked, pace, seed)
        ),
    )
    out_mp4.parent.mkdir(parents=True, exist_ok=True)
    film.encode(caught, out_mp4)


def checkpoints(page: Path, assets: Path | None, script: Path | Script) -> list[bytes]:
    """PNG of the opened page and of each state that the script keeps, as scoring sees them. Raises like `record_video`."""
    checked = script if isinstance(script, Script) else read_script(script)
    return _named(
        script, lambda: _with_browser(lambda chromium: _kept(chromium, Site(page, assets), checked))
    )


def write_line(data_root: Path, task_id: str, script: Script, environment: str) -> None:
    """Put the task's line into `data.jsonl`, in place of the one with the same id, else at the end."""
    file = data_root / "data.jsonl"
    line = json.dumps(_line(task_id, script, environment), ensure_ascii=False)
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    places = [number for number, old in enumerate(lines) if _id_of(old) == task_id]
    if places:
        lines[places[0]] = line
    else:
        lines.append(line)
    write_atomic(file, "".join(f"{line}\n" for line in lines))


def _line(task_id: str, script: Script, environment: str) -> dict[str, Any]:
    return {
        "id": task_id,
        "classification": script.classification.model_dump(exclude_none=True),
        "recording_details": {"resolution": script.resolution, "environment": environment},
        "source_website": script.source_website or task_id,
        "action_sequence": [_action(action) for action in script.actions],
    }


def _action(action: ScriptAction) -> dict[str, Any]:
    parameters = action.model_dump(
        include={"description", "text", "key", "direction"}, exclude_none=True
    )
    if action.pages is not None:
        parameters["scroll_page"] = f"{action.pages:g}"
    return {
        "type": str(action.type),
        "parameters": parameters,
        "visual_evaluation_flag": action.checkpoint,
        "logical_assertion": action.assertion,
    }


def _id_of(line: str) -> str | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None  # `iwr validate` reports it; here it is kept as it is
    return str(value.get("id")) if isinstance(value, dict) else None


async def _produce(
    chromium: Chromium, staging: Path, script: Script, pace: float, seed: int | None
) -> str:
    """Everything of the task but its line. Returns the browser's name and version."""
    assets = staging / "assets"
    site = Site(staging / "page" / "index.html", assets if assets.is_dir() else None)
    caught = await studio.shoot(chromium, site, script, pace, seed)
    for number, png in enumerate(await _kept(chromium, site, script)):
        write_atomic(staging / "checkpoints" / f"step_{number}.png", png)
    for number, png in enumerate(await draw_sheets(chromium, assets) if site.assets else [], 1):
        write_atomic(staging / "stitched_assets" / f"stitched_image_{number}.png", png)
    film.encode(caught, staging / "video.mp4")
    return chromium.version


async def _kept(chromium: Chromium, site: Site, script: Script) -> list[bytes]:
    wanted = [True, *(action.checkpoint for action in script.actions)]
    states = [png async for png in studio.replay(chromium, site, script)]
    return [png for png, kept in zip(states, wanted, strict=True) if kept]


def _with_browser(work: Callable[[Chromium], Awaitable[T]]) -> T:
    from iwr.browser.chromium import Chromium

    async def run() -> T:
        async with Chromium(BROWSER, Environment.read()) as chromium:
            return await work(chromium)

    return asyncio.run(run())


def _named(script: Path | Script, work: Callable[[], T]) -> T:
    """`work()`; what the page or the script did wrong becomes a DataError with the script's file name."""
    try:
        return work()
    except (DataError, PageError) as error:
        raise DataError(
            f"{script}: {error}" if isinstance(script, Path) else str(error), hint=error.hint
        ) from error


def _site(folder: Path) -> Site:
    found = [
        page for page in (folder / "index.html", folder / "page" / "index.html") if page.is_file()
    ]
    if not found:
        raise DataError(
            f"{folder}: there is no index.html",
            hint="page= is the folder that holds index.html, with assets/ beside it",
        )
    assets = folder / "assets"
    return Site(found[0], assets if assets.is_dir() else None)


def _copy_sources(site: Site, script: Path, staging: Path) -> None:
    (staging / "page").mkdir()
    shutil.copy(site.page, staging / "page" / "index.html")
    shutil.copy(script, staging / "script.yaml")
    if site.assets:
        shutil.copytree(site.assets, staging / "assets")


def _move_into(staging: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for made in staging.iterdir():
        old = folder / made.name
        if old.is_dir():
            shutil.rmtree(old)
        os.replace(made, old)
