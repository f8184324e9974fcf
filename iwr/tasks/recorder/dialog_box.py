"""Pictures of native dialogs, which are no part of what the browser shows of a page.

Drawn by the browser, so that the message has the fonts of the page.
"""

from __future__ import annotations

import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from iwr.browser.dialogs import OpenedDialog
from iwr.browser.site import Site

if TYPE_CHECKING:
    from iwr.browser.chromium import Chromium

WIDTH = 448
MARGIN = 20
TALLEST = 700
PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
* { box-sizing: border-box; margin: 0 }
body { background: #fff; color: #202124; font: 14px Arial, sans-serif }
main { border: 1px solid #9aa0a6; padding: 18px 20px }
p { margin-bottom: 14px; overflow-wrap: anywhere; white-space: pre-wrap }
h1 { font-size: 15px; margin-bottom: 12px }
div { border: 2px solid #1a73e8; margin-bottom: 14px; min-height: 32px; padding: 6px 8px }
footer { display: flex; gap: 8px; justify-content: flex-end }
button { border: 1px solid #9aa0a6; background: #fff; color: #1a73e8; font: inherit; padding: 8px }
button { min-width: 76px } #ok { background: #1a73e8; color: #fff }
</style>"""
MEASURE = """() => {
  const box = (element) => element.getBoundingClientRect();
  const buttons = [...document.querySelectorAll("button")].map(box);
  return {
    height: Math.ceil(box(document.querySelector("main")).height),
    buttons: buttons.map((each) => [each.x + each.width / 2, each.y + each.height / 2]),
  };
}"""
UNLOAD_MESSAGE = "Changes you made may not be saved."


class DialogBox(NamedTuple):
    """A picture of a dialog, and where the person clicks to answer it (viewport, CSS pixels)."""

    image: bytes  # PNG
    corner: tuple[int, int]  # top left
    button: tuple[float, float]


async def draw_dialog(chromium: Chromium, dialog: OpenedDialog, width: int) -> DialogBox:
    """Draw a dialog at the top of a viewport of `width` CSS pixels."""
    box_width = min(WIDTH, width - 2 * MARGIN)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "index.html"
        source = PAGE + _content(dialog)
        page.write_text(source, encoding="utf-8")
        async with chromium.open(Site(page), box_width, TALLEST) as tab:
            await tab.settle()
            layout = await tab.evaluate(MEASURE)
            screenshot = await tab.screenshot()
    height = min(layout["height"], TALLEST)
    accept, *others = layout["buttons"]
    x, y = accept
    if others and not dialog.reply.accept:
        x, y = others[-1]
    left = (width - box_width) // 2
    return DialogBox(
        image=_top(screenshot, height),
        corner=(left, 0),
        button=(left + x, y),
    )


def _content(dialog: OpenedDialog) -> str:
    """Return the body's HTML; the first button accepts, the last one dismisses."""
    title = "This page says"
    message = dialog.message
    accept = "OK"
    if dialog.kind == "beforeunload":
        title = "Leave site?"
        message = UNLOAD_MESSAGE
        accept = "Leave"
    parts = [f"<main><h1>{title}</h1><p>{escape(message)}</p>"]
    if dialog.kind == "prompt":
        parts.append(f"<div>{escape(dialog.text)}</div>")
    parts.append(f'<footer><button id="ok">{accept}</button>')
    if dialog.kind != "alert":
        parts.append("<button>Cancel</button>")
    parts.append("</footer></main>")
    return "".join(parts)


def _top(png: bytes, height: int) -> bytes:
    """Return the upper `height` pixels of an image."""
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(png))
    top = image.crop((0, 0, image.width, height))
    out = io.BytesIO()
    top.save(out, "PNG")
    return out.getvalue()
