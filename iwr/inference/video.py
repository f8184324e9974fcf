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
from typing import TYPE_CHECKING, Any

from iwr.config import ModelConfig, ProtocolConfig
from iwr.errors import DataError
from iwr.tasks.recordings import Recording

if TYPE_CHECKING:
    from PIL.Image import Image


MAX_IMAGES = 70  # of the reference, for models that take frames
FEWEST_FRAMES = 2
ROUNDING = 1e-6  # frames: 3 s at 1 a second are 3, whatever the container's clock says


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
    recording: Recording,
    protocol: ProtocolConfig,
    model: ModelConfig,
    sheets: int,
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

    last = total - 1
    places = np.linspace(0, last, number, dtype=int)
    return list(map(int, places))


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


def shrunk(width: int, height: int, pixels: int | None) -> tuple[int, int]:
    """Return the size of a frame that has at most so many pixels, in its proportions."""
    if pixels is None or width * height <= pixels:
        return width, height
    scale = math.sqrt(pixels / (width * height))
    smaller_width = math.floor(width * scale)
    smaller_height = math.floor(height * scale)
    return max(smaller_width, 1), max(smaller_height, 1)


def shrunk_image(image: Image, pixels: int | None) -> Image:
    """Return a frame with at most so many pixels."""
    width, height = image.size
    size = shrunk(width, height, pixels)
    if size == image.size:
        return image
    return image.resize(size)


def data_url(image: Image, *, quality: int = 95) -> str:
    """Return the image as a JPEG data URL."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality, subsampling=0)
    content = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/jpeg;base64,{content}"
