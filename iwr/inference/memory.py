"""How many recordings may be in flight: the server decodes each of them into host memory."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import psutil

from iwr.config import ProtocolConfig
from iwr.errors import DataError
from iwr.inference import video
from iwr.records import Task
from iwr.tasks import recordings

log = logging.getLogger(__name__)

SHARE = 0.5  # of the free memory, for recordings in flight
COPIES = 12  # bytes for each of a decoded frame: decoder, RGB and tensors of float32, measured
CHANNELS = 3
CGROUPS = Path("/sys/fs/cgroup")
CGROUP_OF_PROCESS = Path("/proc/self/cgroup")


def in_flight(tasks: Sequence[Task], limit: int, protocol: ProtocolConfig) -> int:
    """Return how many requests fit into the free memory: at least one, at most `limit`.

    Broken recordings do not count.
    """
    largest = 0
    for task in tasks:
        needed = _bytes(task, protocol)
        largest = max(largest, needed)
    if not largest:
        return limit
    free = free_bytes()
    fitting = max(int(free * SHARE // largest), 1)
    if fitting < limit:
        reason = f"one takes {largest / 1e9:.1f} of {free / 1e9:.1f} GB free memory"
        log.warning("%d requests at a time instead of %d: %s", fitting, limit, reason)
    return min(limit, fitting)


def _bytes(task: Task, protocol: ProtocolConfig) -> int:
    """Return the host memory that the recording of `task` takes, in bytes."""
    try:
        recording = recordings.probe(task.video, task.id)
    except DataError:
        return 0
    number = video.count(recording, protocol)
    frame = recording.width * recording.height * CHANNELS
    return number * frame * COPIES


def free_bytes() -> int:
    """Return the free host memory, or what a control group (SLURM, a container) leaves of it."""
    memory = psutil.virtual_memory()
    available = int(memory.available)
    return min([available, *_left_in_cgroups()])


def _left_in_cgroups() -> list[int]:
    """Return what is left of the limits of this process's control group and of its parents.

    Only version 2 is read; psutil knows nothing of control groups.
    """
    name = _cgroup_name()
    if name is None:
        return []
    remainders = []
    group = CGROUPS / name.lstrip("/")
    while group != CGROUPS.parent:
        remainder = _left_in(group)
        if remainder is not None:
            remainders.append(remainder)
        group = group.parent
    return remainders


def _cgroup_name() -> str | None:
    """Return this process's control group (version 2); None where there is none."""
    if not CGROUP_OF_PROCESS.is_file():
        return None
    for line in CGROUP_OF_PROCESS.read_text().splitlines():
        if line.startswith("0::"):
            return line.removeprefix("0::")
    return None


def _left_in(group: Path) -> int | None:
    """Return the bytes that a control group may still use; None: it has no limit."""
    limit = group / "memory.max"
    usage = group / "memory.current"
    if not limit.is_file() or not usage.is_file():
        return None
    text = limit.read_text().strip()
    if text == "max":
        return None
    used = int(usage.read_text())
    left = int(text) - used
    return max(left, 0)
