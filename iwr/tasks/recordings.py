"""The recordings of a data set: what is in a video file, and whether all of it can be shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from iwr.errors import DataError
from iwr.progress import Progress
from iwr.records import Task
from iwr.tasks.load import Fault

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

ENCODE_AGAIN = "encode it again: ffmpeg -i video.mp4 -c:v libx264 -pix_fmt yuv420p new.mp4"
COPY_AGAIN = "copy or record it again"
COMMON_CODECS = {"h264", "hevc", "mpeg4", "vp8", "vp9"}
"""What every build of OpenCV decodes, by FFmpeg's names. vLLM reads videos with OpenCV."""


class Recording(NamedTuple):
    """The content of a video file. `rate` in frames a second, sizes in pixels."""

    frames: int
    rate: float
    width: int
    height: int

    @property
    def seconds(self) -> float:
        """Return the length in seconds."""
        return self.frames / self.rate


def probe(path: Path, task: str) -> Recording:
    """Look into a recording: packets are counted and the first frame is decoded.

    Raise DataError naming the task when the file is not a whole, readable video of known rate that
    has at least two frames.
    """
    import av

    try:
        with av.open(str(path)) as container:
            stream = _video_stream(container, path, task)
            declared = stream.frames
            rate = float(stream.average_rate or 0)
            first = next(container.decode(stream), None)
            container.seek(0)
            frames = sum(1 for packet in container.demux(stream) if packet.size)
    except (av.error.FFmpegError, OSError) as error:
        message = f"task {task}: {path} cannot be read as a video: {error.strerror}"
        raise DataError(message, hint=COPY_AGAIN) from error
    place = f"task {task}: {path}"
    if first is None or not frames or rate <= 0:
        message = f"{place} holds {frames} frames at {rate:g} a second"
        raise DataError(message, hint=COPY_AGAIN)
    _require_all(frames, declared, place)
    return Recording(frames, rate, first.width, first.height)


def _require_all(frames: int, declared: int, place: str) -> None:
    """Raise DataError, naming the place, for a recording that is cut off or shows no change."""
    if frames < declared:
        message = f"{place} is cut off: {frames} of {declared} frames"
        raise DataError(message, hint="copy it again")
    if frames == 1:
        message = f"{place} holds a single frame, in which nothing can be seen to happen"
        raise DataError(message, hint="record it again")


def verify(path: Path, task: str) -> Recording:
    """Decode a recording to its end, about a second for each 500 frames of 720p.

    Raise DataError naming the task when a frame is damaged, or when an engine of a model has no
    decoder for it.
    """
    import av

    recording = probe(path, task)
    frames = 0
    try:
        with av.open(str(path)) as container:
            stream = _video_stream(container, path, task)
            codec = stream.codec_context.codec.canonical_name
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    break
                frames += 1
    except (av.error.FFmpegError, OSError) as error:
        message = f"task {task}: {path} is damaged after frame {frames}: {error.strerror}"
        raise DataError(message, hint=COPY_AGAIN) from error
    if frames < recording.frames:
        message = f"task {task}: {path} is damaged: {frames} of {recording.frames} frames decode"
        raise DataError(message, hint=COPY_AGAIN)
    if codec not in COMMON_CODECS and not _opencv_decodes(path):
        message = f"task {task}: {path} is {codec} video, which vLLM cannot decode here"
        raise DataError(message, hint=ENCODE_AGAIN)
    return recording


def broken_recordings(tasks: Sequence[Task], progress: Progress) -> list[Fault]:
    """Return a fault for each recording that does not decode to its end."""
    faults = []
    with progress("recordings", len(tasks)) as step:
        for task in tasks:
            try:
                verify(task.video, task.id)
            except DataError as error:
                fault = _fault(task, error)
                faults.append(fault)
            step(task.id)
    return faults


def _fault(task: Task, error: DataError) -> Fault:
    """Return the fault; file and task, which the message begins with, have fields of their own."""
    prefix = f"task {task.id}: {task.video} "
    message = str(error).removeprefix(prefix)
    return Fault(
        file=str(task.video),
        task=task.id,
        message=f"{message}; {error.hint}",
    )


def _video_stream(container: InputContainer, path: Path, task: str) -> VideoStream:
    """Return the first video stream. Raise DataError when there is none."""
    streams = container.streams.video
    if not streams:
        raise DataError(f"task {task}: {path} has no video stream", hint=COPY_AGAIN)
    return streams[0]


def _opencv_decodes(path: Path) -> bool:
    """Return whether vLLM's reader of videos gets a frame out of the file."""
    import cv2

    capture = cv2.VideoCapture(str(path))
    success, _ = capture.read()
    capture.release()
    return success
