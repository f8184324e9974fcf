"""The templates, and how hostile text gets into them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

STATIC = ("report.css", "report.js", "replay.js", "icon.svg")
TEMPLATES = (
    "base.html",
    "macros.html",
    "index.html",
    "gallery.html",
    "task.html",
    "step.html",
    "selftest.html",
    "comparison.html",
)

# C1 controls, half surrogate pairs, and marks that turn the direction of the text behind them
INVISIBLE = (
    *range(128, 160),
    *range(0xD800, 0xE000),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
REPLACEMENT = 0xFFFD


@cache
def template(name: str) -> str:
    """Return the text of a file in templates/."""
    file = files("iwr.report").joinpath("templates", name)
    return file.read_text(encoding="utf-8")


def environment() -> Environment:
    """Return the set-up of jinja2: everything is escaped, an undefined name is an error."""
    from jinja2 import DictLoader, Environment, StrictUndefined

    sources = {name: template(name) for name in TEMPLATES}
    result = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    result.filters["visible"] = visible
    return result


@cache
def _visible_characters() -> dict[int, int]:
    """Return a printable character for each control character, by code."""
    table = dict.fromkeys(INVISIBLE, REPLACEMENT)
    for code in range(32):
        if chr(code) not in "\n\t":
            table[code] = 0x2400 + code
    table[127] = 0x2421
    return table


def visible(text: object, limit: int) -> str:
    """Return text that only shows itself.

    Control characters are visible; at `limit` characters it is cut, and says so.
    """
    words = str(text)
    line = words[:limit].translate(_visible_characters())
    if len(words) > limit:
        line += f" … (cut: {len(words):,} characters)"
    return line
