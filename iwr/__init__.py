"""Evaluate open-weight vision-language models on interactive webpage reconstruction.

`iwr.evaluate`, `iwr.load` and `iwr.Run` are the Python API; they load what they need when called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iwr.api import Run, evaluate, load

__all__ = ["Run", "evaluate", "load"]


def __getattr__(name: str) -> Any:
    """Return a name of the Python API, imported on its first use."""
    if name in __all__:
        from iwr import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
