"""Turn what the browser showed, and where the mouse was, into a video.

Chromium sends a frame only when something changes; a video has a constant rate. So each tick of the video shows
the last frame that was painted before it, with the mouse cursor drawn at its place of that moment. Drawing the
cursor here, and not in the page, leaves the page as its author made it.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

FPS = 25
ARROW = ((0, 0), (0, 24), (6, 18), (10, 28), (14, 26), (10, 17), (17, 17))  # CSS pixels, tip first
RIPPLE_SECONDS = 0.35


class Painted(NamedTuple):
    time: float  # seconds into the film
    image: bytes  # JPEG or PNG


class Pointer(NamedTuple):
    time: float
    x: float
    y: float


class Screencast(NamedTuple):
    """A recording as it was caught. All times are seconds into it."""

    size: tuple[int, int]
    frames: list[Painted]
    pointers: list[Pointer]
    clicks: list[float]
    seconds: float


def encode(film: Screencast, out: Path) -> None:
    """Write `film` as H.264 in MP4: constant 25 frames a second, yuv420p, no sound. Raises DataError when it cannot be written."""
    import av

    try:
        with av.open(str(out), "w", format="mp4", options={"movflags": "faststart"}) as container:
            stream: Any = container.add_stream(
                "libx264", rate=FPS, options={"crf": "27", "preset": "medium", "tune": "animation"}
            )
            stream.width, stream.height, stream.pix_fmt = *film.size, "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, FPS)
            stream.thread_count = 1  # more threads change the bytes
            for tick, image in enumerate(_ticks(film)):
                frame = av.VideoFrame.from_image(image)
                frame.pts = tick
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        raise DataError(
            f"cannot write {out}: {error.strerror}", hint="free disk space or choose another folder"
        ) from error


def _ticks(film: Screencast) -> Iterator[Image]:
    from PIL import Image as Images

    painted_at = [frame.time for frame in film.frames]
    shown, picture = -1, Images.new("RGB", film.size, "white")
    for tick in range(max(2, round(film.seconds * FPS))):
        now = tick / FPS
        latest = max(0, bisect_right(painted_at, now) - 1)
        if latest != shown:
            shown, picture = (
                latest,
                Images.open(io.BytesIO(film.frames[latest].image)).convert("RGB").resize(film.size),
            )
        yield _with_cursor(
            picture, _place(film.pointers, now), [now - click for click in film.clicks]
        )


def _place(pointers: list[Pointer], now: float) -> tuple[float, float]:
    """Where the pointer was at `now`, between the two reports around it."""
    after = bisect_right([pointer.time for pointer in pointers], now)
    before, following = pointers[max(0, after - 1)], pointers[min(after, len(pointers) - 1)]
    span = following.time - before.time
    share = min(1.0, max(0.0, (now - before.time) / span)) if span > 0 else 1.0
    return before.x + (following.x - before.x) * share, before.y + (following.y - before.y) * share


def _with_cursor(picture: Image, at: tuple[float, float], since_clicks: list[float]) -> Image:
    from PIL import Image as Images
    from PIL import ImageDraw

    scale = 4  # drawn larger and shrunk: smooth edges at fractions of a pixel
    image = picture.copy()
    left, top = int(at[0]) - 24, int(at[1]) - 24
    patch = image.crop((left, top, left + 64, top + 64)).resize(
        (64 * scale, 64 * scale), Images.Resampling.NEAREST
    )
    draw = ImageDraw.Draw(patch)
    tip = ((at[0] - left) * scale, (at[1] - top) * scale)
    for age in since_clicks:
        if 0 <= age < RIPPLE_SECONDS:
            radius = (6 + 16 * age / RIPPLE_SECONDS) * scale
            box = (tip[0] - radius, tip[1] - radius, tip[0] + radius, tip[1] + radius)
            draw.ellipse(box, outline="#3b82f6", width=3 * scale)
    draw.polygon(
        [(tip[0] + x * scale, tip[1] + y * scale) for x, y in ARROW],
        fill="black",
        outline="white",
        width=scale,
    )
    image.paste(patch.resize((64, 64), Images.Resampling.BOX), (left, top))
    return image
