"""Make a task from a page and an action script.

A task is a recording, asset sheets, checkpoints, a contract and a line of `data.jsonl`. There are
two passes. The first is for people and models: real time, a visible cursor, filmed. The second is
for scoring: the sandboxed browser performs the same actions with the code that judges pages, so the
true page reproduces every checkpoint byte for byte.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from iwr.browser.site import Site
from iwr.config import BrowserConfig, Environment
from iwr.errors import DataError, PageError
from iwr.runs.files import write_atomic
from iwr.runs.paths import safe_name
from iwr.tasks.contract_file import CONTRACT
from iwr.tasks.recorder import screencast, session
from iwr.tasks.recorder.contract_writer import ContractObserver, write_contract
from iwr.tasks.recorder.data_line import write_line
from iwr.tasks.recorder.script import Script
from iwr.tasks.recorder.script_file import read_script
from iwr.tasks.recorder.sheets import draw_sheets

if TYPE_CHECKING:
    from iwr.browser.chromium import Chromium
    from iwr.contract import Contract

T = TypeVar("T")
BROWSER = BrowserConfig(name="recorder", page_seconds=300.0)
"""The page is the author's own, so a long script may take its time."""


def record_task(
    page: Path,
    script: Path,
    data_root: Path,
    task_id: str,
    *,
    pace: float = 1.0,
    seed: int | None = None,
) -> Path:
    """Record `data_root/data/<task_id>` and put its line into `data_root/data.jsonl`.

    `page` is a folder with `index.html` (or `page/index.html`) and, if the page has images,
    `assets/` beside it; it may be the task's folder itself. A task of the same id is replaced.
    `pace` and `seed`: see `record_video`. Return the task's folder. Raises DataError for a page or
    script that cannot be performed, BrowserError when Chromium fails.
    """
    folder = data_root / "data" / safe_name("task", task_id)
    checked = read_script(script)
    site = _site(page)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make {folder.parent}: {error.strerror}"
        raise DataError(message, hint="choose another out=") from error
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{task_id}.") as name:
        staging = Path(name)
        _copy_sources(site, script, staging)
        version = _run(
            script,
            lambda chromium: _produce(
                chromium,
                staging,
                checked,
                pace,
                seed,
            ),
        )
        _move_into(staging, folder)
    write_line(
        data_root,
        task_id,
        checked,
        version,
    )
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
    """Film `script` performed on `page` (index.html) in real time, to H.264 at 25 frames a second.

    `pace` 2.0 takes about twice as long; `seed` varies every pause a little, None does not. Raises
    DataError for a page or script that cannot be performed, BrowserError when Chromium fails.
    """
    checked = _read(script)
    site = Site(page, assets)
    film = _run(
        script,
        lambda chromium: session.film(
            chromium,
            site,
            checked,
            pace,
            seed,
        ),
    )
    out_mp4.parent.mkdir(parents=True, exist_ok=True)
    screencast.encode(film, out_mp4)


def checkpoints(page: Path, assets: Path | None, script: Path | Script) -> list[bytes]:
    """Return PNGs of the opened page and of each state that the script keeps, as scoring sees them.

    Raises like `record_video`.
    """
    checked = _read(script)
    site = Site(page, assets)
    return _run(script, lambda chromium: _checkpoints(chromium, site, checked))


def record_contract(folder: Path) -> Path:
    """Write only the contract of the recorded task in `folder`, from its page and script.

    Return its file. Raises like `record_video`.
    """
    script = folder / "script.yaml"
    checked = read_script(script)
    site = _site(folder)
    contract = _run(script, lambda chromium: _contract(chromium, site, checked))
    return _save_contract(contract, folder)


# ---- what a task consists of -----------------------------------------------------------


async def _produce(
    chromium: Chromium,
    staging: Path,
    script: Script,
    pace: float,
    seed: int | None,
) -> str:
    """Make everything of the task but its line. Return the browser's name and version."""
    site = _site(staging)
    film = await session.film(
        chromium,
        site,
        script,
        pace,
        seed,
    )
    states = await _checkpoints(chromium, site, script)
    for number, png in enumerate(states):
        write_atomic(staging / "checkpoints" / f"step_{number}.png", png)
    sheets = []
    if site.assets:
        sheets = await draw_sheets(chromium, site.assets)
    for number, png in enumerate(sheets, 1):
        write_atomic(staging / "stitched_assets" / f"stitched_image_{number}.png", png)
    contract = await _contract(chromium, site, script)
    _save_contract(contract, staging)
    screencast.encode(film, staging / "video.mp4")
    return chromium.version


async def _checkpoints(chromium: Chromium, site: Site, script: Script) -> list[bytes]:
    """Return the opened page and the states that the script keeps."""
    states = []
    step = 0
    async for png in session.replay(chromium, site, script):
        if step == 0 or script.actions[step - 1].checkpoint:
            states.append(png)
        step += 1
    return states


async def _contract(chromium: Chromium, site: Site, script: Script) -> Contract:
    """Return the contract, from two replays without a film."""
    replays = ContractObserver(script.size), ContractObserver(script.size)
    for observer in replays:
        async for _ in session.replay(
            chromium,
            site,
            script,
            observer,
        ):
            pass
    return write_contract(*replays)


def _save_contract(contract: Contract, folder: Path) -> Path:
    """Write the contract into the folder of the task; return its path."""
    path = folder / CONTRACT
    text = contract.model_dump_json(indent=1, exclude_none=True)
    write_atomic(path, text + "\n")
    return path


# ---- files and errors ------------------------------------------------------------------


def _read(script: Path | Script) -> Script:
    """Return a script; one that is a path is read."""
    if isinstance(script, Script):
        return script
    return read_script(script)


def _run(script: Path | Script, work: Callable[[Chromium], Awaitable[T]]) -> T:
    """Return the result of `work` in a browser.

    What the page or the script did wrong becomes a DataError with the script's file name.
    """
    from iwr.browser.chromium import Chromium

    async def with_browser() -> T:
        async with Chromium(BROWSER, Environment.read()) as chromium:
            return await work(chromium)

    try:
        return asyncio.run(with_browser())
    except (DataError, PageError) as error:
        message = f"{script}: {error}" if isinstance(script, Path) else str(error)
        raise DataError(message, hint=error.hint) from error


def _site(folder: Path) -> Site:
    """Return the page of a folder with its assets. Raises DataError when there is none."""
    assets = folder / "assets"
    for page in (folder / "index.html", folder / "page" / "index.html"):
        if page.is_file():
            return Site(page, assets if assets.is_dir() else None)
    raise DataError(
        f"{folder}: there is no index.html",
        hint="page= is the folder that holds index.html, with assets/ beside it",
    )


def _copy_sources(site: Site, script: Path, staging: Path) -> None:
    """Copy the page, its assets and the script into the task."""
    page = staging / "page"
    page.mkdir()
    shutil.copy(site.page, page / "index.html")
    shutil.copy(script, staging / "script.yaml")
    if site.assets:
        shutil.copytree(site.assets, staging / "assets")


def _move_into(staging: Path, folder: Path) -> None:
    """Move all files of a folder into another, over those that are there."""
    folder.mkdir(exist_ok=True)
    for path in staging.iterdir():
        old = folder / path.name
        if old.is_dir():
            shutil.rmtree(old)
        os.replace(path, old)
