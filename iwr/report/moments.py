"""When the actions of a task happen in its recording: the marks on the time line of the replay.

Data sets do not say it. A checkpoint is looked for in the recording, the other steps are spread
evenly between the checkpoints around them; the report calls all of these times estimates. They are
for looking at, no score depends on them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.digests import digest
from iwr.records import Task
from iwr.report.summary import read_json
from iwr.runs.files import write_atomic

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Thumbnails = npt.NDArray[np.uint8]
    """(number, height, width), grey values."""

VERSION = "1"
SIZE = (320, 180)  # pixels of a thumbnail
INTERVAL = 0.1  # seconds between two frames that are looked at
SHORTEST = 0.35  # seconds that one action takes
NOISE = 24  # grey values by which the video's compression changes a pixel
TOLERANCE = 0.001  # share of the pixels: the pointer may be elsewhere


class Moments(NamedTuple):
    """The recording of one task; 0 seconds where it cannot be decoded."""

    seconds: float = 0.0
    frames: int = 0
    steps: tuple[float, ...] = ()  # seconds into the recording at which each step's state shows


def moments_of(task: Task, file: Path) -> Moments:
    """Return the moments of a task, from `file` when the task is still the same.

    Raises DataError when the disk refuses.
    """
    source = digest(VERSION, task.digest)
    record = read_json(file)
    if record.get("source") != source:
        record = {"source": source, **_measure(task)._asdict()}
        write_atomic(file, json.dumps(record) + "\n")
    return Moments(record["seconds"], record["frames"], tuple(record["steps"]))


class Film(NamedTuple):
    """A decoded recording: some of its frames as thumbnails, with their times in seconds."""

    seconds: float
    frames: int  # all that there are
    times: list[float]
    thumbnails: Thumbnails


def _measure(task: Task) -> Moments:
    """Decode the recording and look for the checkpoints."""
    import av

    try:
        film = _decode(task.video)
        checkpoints = _checkpoints(task)
    except (av.error.FFmpegError, OSError, IndexError):
        return Moments()
    if film is None:
        return Moments()
    moments = _find(list(task.checkpoints), film, checkpoints)
    steps = _spread(moments, len(task.actions), film.seconds)
    return Moments(
        seconds=round(film.seconds, 2),
        frames=film.frames,
        steps=steps,
    )


def _decode(video: Path) -> Film | None:
    """Return a recording; None when it has no frame. Raises what PyAV raises."""
    import av
    import numpy as np

    times: list[float] = []
    thumbnails = []
    frames = 0
    with av.open(str(video)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            frames += 1
            if times and frame.time < times[-1] + INTERVAL:
                continue
            times.append(frame.time)
            thumbnails.append(_thumbnail(frame))
        seconds = (container.duration or 0) / av.time_base
    if not times:
        return None
    seconds = max(seconds, times[-1])
    return Film(seconds, frames, times, np.stack(thumbnails))


def _checkpoints(task: Task) -> Thumbnails:
    """Return the checkpoints of a task as thumbnails. Raises OSError."""
    import numpy as np
    from PIL import Image

    checkpoints = []
    for path in task.checkpoints.values():
        with Image.open(path) as picture:
            grey = picture.convert("L")
        small = grey.resize(SIZE, Image.Resampling.BOX)
        checkpoints.append(np.asarray(small))
    return np.stack(checkpoints)


def _thumbnail(frame: Any) -> Any:
    """Return a frame as grey values (height, width)."""
    width, height = SIZE
    small = frame.reformat(width, height, "gray", interpolation="AREA")
    return small.to_ndarray()


def _find(
    steps: Sequence[int],
    film: Film,
    checkpoints: Thumbnails,
) -> dict[int, float]:
    """Return the time of each checkpoint, in rising order, an action at least SHORTEST apart.

    `steps` are those of the checkpoints. The sum of the distances is the smallest there is.
    """
    import numpy as np

    times = np.array(film.times)
    totals = _distances(checkpoints, film.thumbnails)
    latest = []  # for each checkpoint and frame, how many frames may hold the one before
    for index in range(1, len(steps)):
        gap = SHORTEST * (steps[index] - steps[index - 1])
        ends = np.searchsorted(times, times - gap, side="right")
        lowest = np.minimum.accumulate(totals[index - 1])
        last = np.maximum(ends - 1, 0)
        totals[index] += np.where(ends > 0, lowest[last], np.inf)
        latest.append(ends)

    # the last checkpoint has its place first, each one before it is earlier
    moments = {}
    end = len(times)
    for index in reversed(range(len(steps))):
        place = _first_lowest(totals[index, :end])
        step = steps[index]
        moments[step] = film.times[place]
        if index:
            count = int(latest[index - 1][place])
            end = max(count, 1)
    return moments


def _first_lowest(totals: Any) -> int:
    """Return where a row of sums is lowest.

    Of frames that are about as near the first one counts: that is when the state came about.
    """
    alike = totals <= totals.min() + TOLERANCE
    return int(alike.argmax())


def _distances(checkpoints: Thumbnails, frames: Thumbnails) -> Any:
    """Return the share of pixels that differ, of each checkpoint (rows) and frame (columns)."""
    import numpy as np

    distances = np.empty((len(checkpoints), len(frames)))
    for index, checkpoint in enumerate(checkpoints):
        differences = np.abs(frames.astype(np.int16) - checkpoint)
        distances[index] = (differences > NOISE).mean(axis=(1, 2))
    return distances


def _spread(moments: dict[int, float], steps: int, seconds: float) -> tuple[float, ...]:
    """Return a time for each step from 0 on; `moments` are those of the checkpoints."""
    import numpy as np

    places = [0]
    times = [moments.get(0, 0.0)]
    for step, time in sorted(moments.items()):
        if step:
            places.append(step)
            times.append(time)
    if places[-1] < steps:
        places.append(steps + 1)
        times.append(seconds)
    spread = np.interp(range(steps + 1), places, times)
    return tuple(round(float(time), 2) for time in spread)
