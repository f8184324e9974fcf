"""The recording on its way to a model: what is in the file, which frames the protocol asks for, how an engine is told.

Every model sees the same frames: `count` of them, evenly spread, first and last included. Families differ in their
engines' own samplers (Qwen2-VL drops the end, Qwen3-VL wants at least 4, GLM-4.6V changes the rate with the length), so
vLLM is told to use its uniform loader for all of them, and the number of frames goes along with each request.
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


class Recording(NamedTuple):
    """What a video file holds. `rate` in frames a second."""

    frames: int
    rate: float
    width: int
    height: int

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def probe(path: Path, task: str) -> Recording:
    """Look into a recording: packets are counted and the first frame is decoded.

    Raises DataError naming the task when the file is not a whole, readable video of known rate.
    """
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"task {task}: {path} has no video stream")
            stream = container.streams.video[0]
            declared, rate = stream.frames, float(stream.average_rate or 0)
            first = next(container.decode(stream), None)
            container.seek(0)
            held = sum(1 for packet in container.demux(stream) if packet.size)
    except (av.error.FFmpegError, OSError) as error:
        raise DataError(
            f"task {task}: {path} cannot be read as a video: {error}",
            hint="copy or record it again",
        ) from error
    if first is None or not held or rate <= 0:
        raise DataError(
            f"task {task}: {path} holds {held} frames at {rate:g} a second",
            hint="copy or record it again",
        )
    if held < declared:
        raise DataError(
            f"task {task}: {path} is cut off: {held} of {declared} frames", hint="copy it again"
        )
    return Recording(held, rate, first.width, first.height)


def stated_seconds(path: Path) -> float:
    """Length of a recording as its header states it; 0 where it states none or cannot be read, which `probe` will say."""
    import av

    try:
        with av.open(str(path)) as container:
            return (container.duration or 0) / av.time_base
    except (av.error.FFmpegError, OSError):
        return 0.0


def count(recording: Recording, protocol: ProtocolConfig) -> int:
    """Number of frames that the protocol asks for: `fps` a second, from 2 to `max_frames`, no more than there are."""
    wanted = math.floor(recording.seconds * protocol.fps + 1e-6)
    return min(max(wanted, 2), protocol.max_frames, recording.frames)


def asked(recording: Recording, protocol: ProtocolConfig, model: ModelConfig, sheets: int) -> int:
    """Number of frames for this model: one that takes images gets at most MAX_IMAGES, overview images (`sheets`) included."""
    number = count(recording, protocol)
    return max(min(number, MAX_IMAGES - sheets), 1) if model.video == "frames" else number


def indices(total: int, number: int) -> list[int]:
    """`number` frames out of `total`, evenly spread, first and last included: exactly vLLM's uniform loader."""
    import numpy as np

    return [int(i) for i in np.linspace(0, total - 1, number, dtype=int)]


def engine_settings(model: ModelConfig, protocol: ProtocolConfig) -> dict[str, Any]:
    """`--media-io-kwargs` of a vLLM server for videos. It also serves clients that know nothing of `request_settings`."""
    return model.video_io or {
        "video_backend": "opencv",
        "fps": protocol.fps,
        "num_frames": protocol.max_frames,
    }


def request_settings(model: ModelConfig, number: int) -> dict[str, Any]:
    """`media_io_kwargs` of one request: exactly `number` frames (an `fps` of -1 asks for no rate)."""
    return {} if model.video_io else {"video": {"fps": -1, "num_frames": number}}


def frames(path: Path, wanted: Sequence[int], task: str) -> list[Image]:
    """Decode the frames at the indices `wanted`. Raises DataError when one cannot be decoded."""
    import av

    chosen, found = set(wanted), {}
    try:
        with av.open(str(path)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                if index in chosen:
                    found[index] = frame.to_image()
                if len(found) == len(chosen):
                    break
    except (av.error.FFmpegError, OSError) as error:
        raise DataError(
            f"task {task}: {path} cannot be decoded: {error}", hint="copy or record it again"
        ) from error
    if missing := chosen - found.keys():
        raise DataError(
            f"task {task}: {path}: frames {sorted(missing)[:5]} cannot be decoded",
            hint="copy or record it again",
        )
    return [found[index] for index in wanted]


def data_url(image: Image, *, quality: int = 95) -> str:
    """The image as a JPEG data URL."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
