"""Digests of files and settings: sha256, as hexadecimal text."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def digest(*parts: object) -> str:
    """sha256 of the parts; bytes and str as they are, everything else as canonical JSON."""
    sha = hashlib.sha256()
    for part in parts:
        if not isinstance(part, bytes | str):
            part = json.dumps(part, sort_keys=True, ensure_ascii=False, default=str)
        data = part.encode() if isinstance(part, str) else part
        sha.update(len(data).to_bytes(8, "big") + data)
    return sha.hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
