"""The recording on its way to a model: its content, its frames, and how an engine is told.

Every model sees the same frames: `count` of them, evenly spread, first and last included. Families
differ in their engines' own samplers (Qwen2-VL drops the end, Qwen3-VL wants at least 4, GLM-4.6V
changes the rate with the length), so vLLM is told to use its uniform loader for all of them, and
the number of frames goes along with each request.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.config import ModelConfig, ProtocolConfig
from iwr.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image


MAX_IMAGES = 70  # of the reference, for models that take frames
FEWEST_FRAMES = 2
ROUNDING = 1e-6  # frames: 3 s at 1 a second are 3, whatever the container's clock says


class Recording(NamedTuple):
    """The content of a video file. `rate` in frames a second, sizes in pixels."""

    frames: int
    rate: float
    width: int
    height: int

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def probe(path: Path, task: str) -> Recording:
    """Look into a recording: packets are counted and the first frame is decoded.

    Raise DataError naming the task when the file is not a whole, readable video of known rate.
    """
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"task {task}: {path} has no video stream")
            stream = container.streams.video[0]
            declared = stream.frames
            rate = float(stream.average_rate or 0)
            first = next(container.decode(stream), None)
            container.seek(0)
            frames = sum(1 for packet in container.demux(stream) if packet.size)
    except (av.error.FFmpegError, OSError) as error:
        raise DataError(
            f"task {task}: {path} cannot be read as a video: {error}",
            hint="copy or record it again",
        ) from error
    if first is None or not frames or rate <= 0:
        raise DataError(
            f"task {task}: {path} holds {frames} frames at {rate:g} a second",
            hint="copy or record it again",
        )
    if frames < declared:
        raise DataError(
            f"task {task}: {path} is cut off: {frames} of {declared} frames",
            hint="copy it again",
        )
    return Recording(frames, rate, first.width, first.height)


def stated_seconds(path: Path) -> float:
    """Return the length that a recording's header states.

    Return 0 where it states none or cannot be read; `probe` will raise then.
    """
    import av

    try:
        with av.open(str(path)) as container:
            return (container.duration or 0) / av.time_base
    except (av.error.FFmpegError, OSError):
        return 0.0


def count(recording: Recording, protocol: ProtocolConfig) -> int:
    """Return the number of frames that the protocol asks for.

    That is `fps` a second, from 2 to `max_frames`, no more than there are.
    """
    number = math.floor(recording.seconds * protocol.fps + ROUNDING)
    return min(max(number, FEWEST_FRAMES), protocol.max_frames, recording.frames)


def count_for(
    recording: Recording, protocol: ProtocolConfig, model: ModelConfig, sheets: int
) -> int:
    """Return the number of frames for this model.

    A model that takes images gets at most MAX_IMAGES, `sheets` overview images included.
    """
    number = count(recording, protocol)
    if model.video != "frames":
        return number
    return max(min(number, MAX_IMAGES - sheets), 1)


def indices(total: int, number: int) -> list[int]:
    """Return the indices of `number` frames out of `total`.

    They are evenly spread, first and last included: exactly vLLM's uniform loader.
    """
    import numpy as np

    return [int(index) for index in np.linspace(0, total - 1, number, dtype=int)]


def engine_settings(model: ModelConfig, protocol: ProtocolConfig) -> dict[str, Any]:
    """Return `--media-io-kwargs` of a vLLM server for videos.

    They also serve clients that know nothing of `request_settings`.
    """
    if model.video_io:
        return model.video_io
    return {"video_backend": "opencv", "fps": protocol.fps, "num_frames": protocol.max_frames}


def request_settings(model: ModelConfig, number: int) -> dict[str, Any]:
    """Return `media_io_kwargs` of one request: exactly `number` frames.

    An `fps` of -1 asks for no rate. A model with a `video_io` of its own gets none.
    """
    if model.video_io:
        return {}
    return {"video": {"fps": -1, "num_frames": number}}


def frames(path: Path, places: Sequence[int], task: str) -> list[Image]:
    """Decode the frames at the indices `places`.

    Raise DataError naming the task when one cannot be decoded.
    """
    import av

    missing = set(places)
    images: dict[int, Image] = {}
    try:
        with av.open(str(path)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                if index in missing:
                    images[index] = frame.to_image()  # type: ignore[no-untyped-call]
                    missing.remove(index)
                if not missing:
                    break
    except (av.error.FFmpegError, OSError) as error:
        raise DataError(
            f"task {task}: {path} cannot be decoded: {error}", hint="copy or record it again"
        ) from error
    if missing:
        raise DataError(
            f"task {task}: {path}: frames {sorted(missing)[:5]} cannot be decoded",
            hint="copy or record it again",
        )
    return [images[place] for place in places]


def data_url(image: Image, *, quality: int = 95) -> str:
    """Return the image as a JPEG data URL."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality, subsampling=0)
    content = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/jpeg;base64,{content}"
