"""Values that were computed once: texts, embeddings, similarities.

One file a value, named by the image's content hash, in a folder named by the metric and by
everything that determines the value (weights, policy). Files appear whole or not at all and never
change, so any number of processes can share the folder. A damaged file counts as missing.
"""

from __future__ import annotations

from pathlib import Path

from iwr.errors import MetricError
from iwr.runs.files import write_atomic


class Store:
    """Bytes by key for one metric under one policy."""

    def __init__(
        self,
        root: Path,
        metric: str,
        key: str,
    ):
        self.folder = root / f"{metric}-{key[:16]}"

    def get(self, name: str) -> bytes | None:
        """Return the bytes of `name`; None when there are none. Raises MetricError."""
        try:
            return self._file(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MetricError(f"cannot read the cache: {error}") from error

    def put(self, name: str, value: bytes) -> None:
        """Store bytes under `name`. Raises DataError when the disk refuses."""
        write_atomic(self._file(name), value)

    def _file(self, name: str) -> Path:
        return self.folder / name[:2] / name
