"""Small tasks with real recordings: a square that crosses the page."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from iwr.digests import digest
from iwr.records import Action, ActionType, Classification, Parameters, Task


def record(
    path: Path,
    seconds: float,
    rate: Fraction | float = 25,
    size: tuple[int, int] = (320, 180),
    colour: int = 200,
) -> int:
    """Write an H.264 recording; returns its number of frames."""
    rate = Fraction(rate).limit_denominator(1001)
    width, height = size
    number = max(1, round(seconds * rate))
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(number):
            frame = np.full((height, width, 3), 240, np.uint8)
            left = int((width - 40) * index / number)
            frame[60:100, left : left + 40] = (colour, 80, 40)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return number


def task(
    root: Path,
    name: str,
    seconds: float = 3,
    rate: Fraction | float = 25,
    *,
    true_page: str | None = None,
    **look: object,
) -> Task:
    """A task with one click, as the reader would return it."""
    folder = root / "data" / name
    record(folder / "video.mp4", seconds, rate, **look)  # type: ignore[arg-type]
    stitched, checkpoint = (
        folder / "stitched_assets" / "stitched_image.png",
        folder / "checkpoints" / "step_0.png",
    )
    for path in (stitched, checkpoint):
        path.parent.mkdir(parents=True)
        Image.new("RGB", (160, 90), "white").save(path)
    page = folder / "page" / "index.html"
    if true_page is not None:
        page.parent.mkdir()
        page.write_text(true_page)
    return Task(
        id=name,
        folder=folder,
        classification=Classification(),
        width=320,
        height=180,
        actions=(Action(type=ActionType.CLICK, parameters=Parameters(description="Click 'Go'")),),
        checkpoints={0: checkpoint},
        video=folder / "video.mp4",
        assets=None,
        stitched=(stitched,),
        true_page=page if true_page is not None else None,
        digest=digest(name, (folder / "video.mp4").read_bytes(), true_page),
    )
