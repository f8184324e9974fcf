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

from iwr.browser.gestures import Point, between
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
        with av.open(
            str(out),
            "w",
            format="mp4",
            options={"movflags": "faststart"},
        ) as container:
            stream: Any = container.add_stream(
                "libx264",
                rate=FPS,
                options=ENCODING,
            )
            stream.width, stream.height = screencast.size
            stream.pix_fmt = "yuv420p"
            tick_seconds = Fraction(1, FPS)
            stream.time_base = tick_seconds
            stream.codec_context.time_base = tick_seconds
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
    count = round(screencast.seconds * FPS)
    pictures = _LatestFrames(screencast)
    for tick in range(max(LEAST_TICKS, count)):
        now = tick / FPS
        image = pictures.at(now).copy()
        for overlay in screencast.overlays:
            if overlay.start <= now < overlay.end:
                image.paste(_decode(overlay.image), overlay.corner)
        ages = [now - click for click in screencast.clicks]
        tip = _pointer_at(screencast.pointers, now)
        _draw_cursor(image, tip, ages)
        yield image


class _LatestFrames:
    """Decodes the frame of each moment, and each frame once."""

    def __init__(self, screencast: Screencast):
        self.size = screencast.size
        self.frames = screencast.frames
        self.times = [frame.time for frame in screencast.frames]
        self._index = -1
        self._picture: Image | None = None

    def at(self, now: float) -> Image:
        """Return the last frame that was painted before `now`."""
        index = max(0, bisect_right(self.times, now) - 1)
        if self._picture is None or index != self._index:
            self._index = index
            picture = _decode(self.frames[index].image)
            self._picture = picture.resize(self.size)
        return self._picture


def _decode(data: bytes) -> Image:
    """Return the image in RGB."""
    from PIL import Image as Images

    image = Images.open(io.BytesIO(data))
    return image.convert("RGB")


def _pointer_at(pointers: Sequence[Pointer], now: float) -> Point:
    """Return where the mouse was at `now`, between the two reports around it."""
    times = [pointer.time for pointer in pointers]
    following = bisect_right(times, now)
    last = len(pointers) - 1
    earlier = pointers[max(0, following - 1)]
    later = pointers[min(following, last)]
    span = later.time - earlier.time
    share = 1.0
    if span > 0:
        share = (now - earlier.time) / span
        share = min(1.0, max(0.0, share))
    start = (earlier.x, earlier.y)
    end = (later.x, later.y)
    return between(start, end, share)


def _draw_cursor(image: Image, tip: Point, click_ages: Sequence[float]) -> None:
    """Draw the arrow into `image`, and the ripples of clicks so many seconds ago."""
    from PIL import Image as Images
    from PIL import ImageDraw

    x, y = tip
    left = int(x) - TIP
    top = int(y) - TIP
    square = (
        left,
        top,
        left + PATCH,
        top + PATCH,
    )
    patch = image.crop(square)
    large = (PATCH * SCALE, PATCH * SCALE)
    patch = patch.resize(large, Images.Resampling.NEAREST)
    draw = ImageDraw.Draw(patch)
    center = ((x - left) * SCALE, (y - top) * SCALE)
    for age in click_ages:
        if 0 <= age < RIPPLE_SECONDS:
            _draw_ripple(draw, center, age)
    _draw_arrow(draw, center)
    patch = patch.resize((PATCH, PATCH), Images.Resampling.BOX)
    image.paste(patch, (left, top))


def _draw_arrow(draw: ImageDraw, tip: Point) -> None:
    """Draw the arrow, enlarged by SCALE."""
    x, y = tip
    corners = [(x + dx * SCALE, y + dy * SCALE) for dx, dy in ARROW]
    draw.polygon(
        corners,
        fill="black",
        outline="white",
        width=SCALE,
    )


def _draw_ripple(draw: ImageDraw, center: Point, age: float) -> None:
    """Draw the ring around a click, `age` seconds after it."""
    x, y = center
    first, growth = RIPPLE_RADIUS
    radius = first + growth * age / RIPPLE_SECONDS
    radius *= SCALE
    box = (
        x - radius,
        y - radius,
        x + radius,
        y + radius,
    )
    draw.ellipse(
        box,
        outline="#3b82f6",
        width=3 * SCALE,
    )
