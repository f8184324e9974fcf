"""The scripts in `js/` that run inside a page."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from iwr.digests import digest


@cache
def script(name: str) -> str:
    """Return the source of `js/<name>`."""
    return (files("iwr.browser") / "js" / name).read_text("utf-8")


@cache
def code_digest() -> str:
    """Return a digest of all code that decides what a screenshot shows."""
    package = files("iwr.browser")
    sources = []
    for folder in (package, package / "js"):
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if file.name.endswith((".py", ".js")):
                sources.append(file.read_bytes())
    return digest(*sources)
