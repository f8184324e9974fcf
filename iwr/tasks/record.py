"""Make a task from a page and an action script: recording, asset sheets, checkpoints, line of `data.jsonl`.

Two passes. The first is for people and models: real time, a visible cursor, filmed. The second is for scoring: the
sandboxed browser performs the same actions with the code that judges pages, so the true page reproduces every
checkpoint byte for byte.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from iwr.browser.site import Site
from iwr.config import Environment
from iwr.errors import DataError
from iwr.tasks import film, studio
from iwr.tasks.script import Script, read_script


def record_video(
    page: Path, assets: Path | None, script: Path | Script, out_mp4: Path, *, pace: float = 1.0, seed: int | None = None
) -> None:
    """Film `script` performed on `page` (index.html) in real time, to an H.264 video of 25 frames a second.

    `pace` 2.0 takes about twice as long; `seed` varies every pause and movement a little, None does not.
    Raises DataError for a page or script that cannot be performed, BrowserError when Chromium fails.
    """
    checked = script if isinstance(script, Script) else read_script(script)
    try:
        caught = asyncio.run(studio.film(Site(page, assets), checked, _executable(), pace, seed))
    except DataError as error:
        raise DataError(f"{script if isinstance(script, Path) else page}: {error}", hint=error.hint) from error
    out_mp4.parent.mkdir(parents=True, exist_ok=True)
    film.encode(caught, out_mp4)


def _executable() -> str | None:
    return Environment.read().chromium or shutil.which("chromium")
