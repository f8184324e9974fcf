"""Turn what the browser showed, and where the mouse was, into a video.

Chromium sends a frame only when something changes; a video has a constant rate. So each tick of
the video shows the last frame that was painted before it, with the mouse cursor drawn where it was
at that moment. To draw the cursor here, and not in the page, leaves the page as its author made it.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

FPS = 25
ENCODING = {"crf": "27", "preset": "medium", "tune": "animation"}
LEAST_TICKS = 2
ARROW = ((0, 0), (0, 24), (6, 18), (10, 28), (14, 26), (10, 17), (17, 17))
"""CSS pixels, the tip first."""
RIPPLE_SECONDS = 0.35
RIPPLE_RADIUS = (6, 16)
"""CSS pixels: at first, and by how much it grows."""
PATCH = 64
"""Side of the square that is drawn on, CSS pixels; the tip is at TIP, TIP in it."""
TIP = 24
SCALE = 4
"""The cursor is drawn larger and shrunk: smooth edges at fractions of a pixel."""


class Painted(NamedTuple):
    """One frame that the browser painted."""

    time: float  # seconds into the film
    image: bytes  # JPEG or PNG


class Pointer(NamedTuple):
    """Where the mouse was at a time, CSS pixels."""

    time: float
    x: float
    y: float


class Overlay(NamedTuple):
    """A picture over the page, such as a native dialog."""

    start: float
    end: float
    image: bytes  # PNG
    corner: tuple[int, int]  # top left, CSS pixels


class Screencast(NamedTuple):
    """A recording before it is encoded. All times are seconds into it."""

    size: tuple[int, int]
    frames: list[Painted]
    pointers: list[Pointer]
    clicks: list[float]
    seconds: float
    overlays: Sequence[Overlay] = ()


def encode(screencast: Screencast, out: Path) -> None:
    """Write H.264 in MP4: constant 25 frames a second, yuv420p, no sound.

    Raises DataError when the file cannot be written.
    """
    import av

    try:
        with av.open(str(out), "w", format="mp4", options={"movflags": "faststart"}) as container:
            stream: Any = container.add_stream("libx264", rate=FPS, options=ENCODING)
            stream.width, stream.height = screencast.size
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, FPS)
            stream.thread_count = 1  # more threads change the bytes
            make_frame: Any = av.VideoFrame.from_image
            for tick, image in enumerate(_ticks(screencast)):
                frame = make_frame(image)
                frame.pts = tick
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        message = f"cannot write {out}: {error.strerror}"
        raise DataError(message, hint="free disk space or choose another folder") from error


def _ticks(screencast: Screencast) -> Iterator[Image]:
    """Yield the picture of each tick of the video."""
    times = [frame.time for frame in screencast.frames]
    current = -1
    picture: Image | None = None
    for tick in range(max(LEAST_TICKS, round(screencast.seconds * FPS))):
        now = tick / FPS
        latest = max(0, bisect_right(times, now) - 1)
        if picture is None or latest != current:
            current = latest
            picture = _decode(screencast.frames[latest].image).resize(screencast.size)
        image = picture.copy()
        for overlay in screencast.overlays:
            if overlay.start <= now < overlay.end:
                image.paste(_decode(overlay.image), overlay.corner)
        ages = [now - click for click in screencast.clicks]
        _draw_cursor(image, _pointer_at(screencast.pointers, now), ages)
        yield image


def _decode(data: bytes) -> Image:
    from PIL import Image as Images

    return Images.open(io.BytesIO(data)).convert("RGB")


def _pointer_at(pointers: list[Pointer], now: float) -> tuple[float, float]:
    """Return where the mouse was at `now`, between the two reports around it."""
    after = bisect_right([pointer.time for pointer in pointers], now)
    before = pointers[max(0, after - 1)]
    following = pointers[min(after, len(pointers) - 1)]
    span = following.time - before.time
    share = 1.0
    if span > 0:
        share = min(1.0, max(0.0, (now - before.time) / span))
    x = before.x + (following.x - before.x) * share
    y = before.y + (following.y - before.y) * share
    return x, y


def _draw_cursor(image: Image, at: tuple[float, float], click_ages: list[float]) -> None:
    """Draw the arrow into `image`, and the ripples of clicks so many seconds ago."""
    from PIL import Image as Images
    from PIL import ImageDraw

    left, top = int(at[0]) - TIP, int(at[1]) - TIP
    large = (PATCH * SCALE, PATCH * SCALE)
    patch = image.crop((left, top, left + PATCH, top + PATCH))
    patch = patch.resize(large, Images.Resampling.NEAREST)
    draw = ImageDraw.Draw(patch)
    x, y = (at[0] - left) * SCALE, (at[1] - top) * SCALE
    for age in click_ages:
        if 0 <= age < RIPPLE_SECONDS:
            _draw_ripple(draw, x, y, age)
    corners = [(x + dx * SCALE, y + dy * SCALE) for dx, dy in ARROW]
    draw.polygon(corners, fill="black", outline="white", width=SCALE)
    image.paste(patch.resize((PATCH, PATCH), Images.Resampling.BOX), (left, top))


def _draw_ripple(draw: ImageDraw, x: float, y: float, age: float) -> None:
    first, growth = RIPPLE_RADIUS
    radius = (first + growth * age / RIPPLE_SECONDS) * SCALE
    box = (x - radius, y - radius, x + radius, y + radius)
    draw.ellipse(box, outline="#3b82f6", width=3 * SCALE)
