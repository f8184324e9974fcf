"""The scripts in `js/` that run inside a page."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def script(name: str) -> str:
    """Return the source of `js/<name>`."""
    return (files("iwr.browser") / "js" / name).read_text("utf-8")
