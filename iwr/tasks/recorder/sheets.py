"""Overview images of a task's assets, each asset with its file name: what a model matches by sight.

Drawn by the browser, so that every format that a page can show can be on a sheet.
"""

from __future__ import annotations

import mimetypes
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from iwr.browser.site import PLACEHOLDER, Site

if TYPE_CHECKING:
    from iwr.browser.chromium import Chromium

WIDTH, COLUMNS, ROWS = 1280, 4, 3
CELL = 250  # CSS pixels high, name included
STYLE = f"""*{{box-sizing:border-box;margin:0}}
body{{display:grid;grid-template-columns:repeat({COLUMNS},1fr);font:20px Arial,sans-serif;background:#fff}}
figure{{height:{CELL}px;padding:12px;overflow:hidden;text-align:center;border:1px solid #bbb}}
img,video{{width:100%;height:{CELL - 60}px;object-fit:scale-down;background:#ddd}}
figcaption{{padding-top:8px}}"""


async def draw_sheets(chromium: Chromium, assets: Path) -> list[bytes]:
    """PNG sheets of up to 12 assets, in the order of their names. No assets: no sheets."""
    files = sorted(
        file.relative_to(assets).as_posix() for file in assets.rglob("*") if file.is_file()
    )
    groups = [
        files[start : start + COLUMNS * ROWS] for start in range(0, len(files), COLUMNS * ROWS)
    ]
    return [await _draw(chromium, assets, group) for group in groups]


async def _draw(chromium: Chromium, assets: Path, names: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "index.html"
        page.write_text(
            f"<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style>{''.join(map(_cell, names))}",
            encoding="utf-8",
        )
        async with chromium.open(
            Site(page, assets), WIDTH, CELL * -(-len(names) // COLUMNS)
        ) as tab:
            await tab.settle()
            return await tab.screenshot()


def _cell(name: str) -> str:
    kind = (mimetypes.guess_type(name)[0] or "").partition("/")[0]
    address = f"{PLACEHOLDER.decode()}/{quote(name)}"
    shown = {
        "image": f'<img src="{address}">',
        "video": f'<video src="{address}" preload="auto" muted></video>',
    }.get(kind, "")
    return f"<figure>{shown}<figcaption>{escape(name)}</figcaption></figure>"
