"""Which weights a model is: for fingerprints and manifests."""

from __future__ import annotations

from pathlib import Path

from iwr.config import ModelConfig
from iwr.inference.server import model_path
from iwr.records import digest

SAMPLE = 1 << 20  # bytes read at each end of a weights file: reading hundreds of gigabytes would take minutes


def weights_digest(model: ModelConfig) -> str | None:
    """Digest of a local folder of weights: names, sizes, and both ends of each file. None for a hub id."""
    folder = Path(model_path(model))
    if not folder.is_dir():
        return None
    parts: list[bytes | str] = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in (".json", ".safetensors", ".bin", ".jinja", ".model", ".txt", ".py"):
            parts += [path.name, str(path.stat().st_size), *_ends(path)]
    return digest(*parts)


def _ends(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        file.seek(max(path.stat().st_size - SAMPLE, 0))
        return [head, file.read(SAMPLE)]
