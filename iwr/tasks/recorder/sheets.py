"""Overview images of a task's assets, each with its file name: a model matches them by sight.

Drawn by the browser, so that every format that a page can show can be on a sheet.
"""

from __future__ import annotations

import mimetypes
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from iwr.browser.site import PLACEHOLDER, Site

if TYPE_CHECKING:
    from iwr.browser.chromium import Chromium

WIDTH = 1280
COLUMNS = 4
ROWS = 3
CELL = 250
"""CSS pixels high, name included."""
STYLE = f"""*{{box-sizing:border-box;margin:0}}
body{{display:grid;grid-template-columns:repeat({COLUMNS},1fr);\
font:20px Arial,sans-serif;background:#fff}}
figure{{height:{CELL}px;padding:12px;overflow:hidden;text-align:center;border:1px solid #bbb}}
img,video{{width:100%;height:{CELL - 60}px;object-fit:scale-down;background:#ddd}}
figcaption{{padding-top:8px}}"""
PICTURES = {
    "image": '<img src="{address}">',
    "video": '<video src="{address}" preload="auto" muted></video>',
}
"""Kind of media -> what shows it."""


async def draw_sheets(chromium: Chromium, assets: Path) -> list[bytes]:
    """Return PNG sheets of up to 12 assets, in the order of their names."""
    names = []
    for file in assets.rglob("*"):
        if file.is_file():
            names.append(file.relative_to(assets).as_posix())
    names.sort()
    sheets = []
    size = COLUMNS * ROWS
    for start in range(0, len(names), size):
        group = names[start : start + size]
        sheets.append(await _draw(chromium, assets, group))
    return sheets


async def _draw(chromium: Chromium, assets: Path, names: Sequence[str]) -> bytes:
    """Return one sheet."""
    cells = "".join(map(_cell, names))
    rows = -(-len(names) // COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "index.html"
        head = f"<!DOCTYPE html><meta charset=utf-8><style>{STYLE}</style>"
        page.write_text(head + cells, encoding="utf-8")
        async with chromium.open(Site(page, assets), WIDTH, CELL * rows) as tab:
            await tab.settle()
            return await tab.screenshot()


def _cell(name: str) -> str:
    """Return the HTML of one asset; what is no picture has only its name."""
    media_type = mimetypes.guess_type(name)[0] or ""
    kind = media_type.partition("/")[0]
    address = f"{PLACEHOLDER.decode()}/{quote(name)}"
    picture = PICTURES.get(kind, "").format(address=address)
    return f"<figure>{picture}<figcaption>{escape(name)}</figcaption></figure>"
