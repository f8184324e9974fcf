"""Small valid data sets in the benchmark's layout, for tests to break or to score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


def click(description: str = "Click 'Go'", **fields: Any) -> dict[str, Any]:
    parameters = {"description": description}
    return {
        "type": "Click",
        "parameters": parameters,
        "visual_evaluation_flag": False,
        "logical_assertion": None,
    } | fields


def line(
    task: int | str = 1, actions: list[dict[str, Any]] | None = None, **fields: Any
) -> dict[str, Any]:
    return {
        "id": task,
        "classification": {
            "interaction_complexity": "L1",
            "visual_complexity": "V1",
            "domain": "Shop",
            "sub_domain": "Cart",
        },
        "recording_details": {"resolution": "640x480", "environment": "desktop"},
        "source_website": "https://example.test",
        "action_sequence": actions
        if actions is not None
        else [click(), click(visual_evaluation_flag=True)],
    } | fields


def image(path: Path, colour: str = "white", size: tuple[int, int] = (64, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def folder(root: Path, task: int | str = 1, checkpoints: tuple[int, ...] = (0, 1)) -> Path:
    """One task's files; returns its folder."""
    path = root / "data" / str(task)
    for number in checkpoints:
        image(path / "checkpoints" / f"step_{number}.png")
    image(path / "assets" / "asset_001.png", "red")
    image(path / "stitched_assets" / "stitched_image.png")
    (path / "video.mp4").write_bytes(MP4)
    return path


def write(root: Path, *lines: dict[str, Any] | bytes) -> Path:
    """`data.jsonl` with these lines; bytes go in as they are. Returns the root."""
    root.mkdir(parents=True, exist_ok=True)
    raw = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in lines]
    (root / "data.jsonl").write_bytes(b"\n".join(raw) + b"\n")
    return root


def good(root: Path, *tasks: int | str) -> Path:
    """A data set of valid tasks, two clicks each, the second one a checkpoint."""
    for task in tasks:
        folder(root, task)
    return write(root, *[line(task) for task in tasks])
