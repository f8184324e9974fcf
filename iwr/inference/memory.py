"""How many recordings may be on their way at a time: each one is decoded into the server's host memory."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from iwr.config import ProtocolConfig
from iwr.errors import DataError
from iwr.inference import video
from iwr.records import Task

log = logging.getLogger(__name__)

SHARE = 0.5  # of the free memory, for recordings on their way
COPIES = 4  # of each decoded frame: decoder, RGB, tensor, what the processor makes of it
CGROUP = Path("/sys/fs/cgroup")


def in_flight(tasks: Sequence[Task], wanted: int, protocol: ProtocolConfig) -> int:
    """`wanted`, or as many requests as fit into the free memory, at least one. Broken recordings do not count."""
    largest = max((_bytes(task, protocol) for task in tasks), default=0)
    free = free_bytes()
    if not largest or free is None:
        return wanted
    fitting = max(int(free * SHARE // largest), 1)
    if fitting < wanted:
        why = f"one takes {largest / 1e9:.1f} of {free / 1e9:.1f} GB free memory"
        log.warning("%d requests at a time instead of %d: %s", fitting, wanted, why)
    return min(wanted, fitting)


def _bytes(task: Task, protocol: ProtocolConfig) -> int:
    try:
        recording = video.probe(task.video, task.id)
    except DataError:
        return 0
    return video.count(recording, protocol) * recording.width * recording.height * 3 * COPIES


def free_bytes() -> int | None:
    """Free host memory, or what a control group (SLURM, a container) leaves of it; None where Linux does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(
            int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")
        )
    except (OSError, StopIteration):
        return None
    return min([free, *_left_in_group()])


def _left_in_group() -> list[int]:
    """What is left of the limit of this process's control group and of those above it (version 2)."""
    try:
        name = next(
            line.split("::", 1)[1]
            for line in Path("/proc/self/cgroup").read_text().splitlines()
            if line.startswith("0::")
        )
    except (OSError, StopIteration):
        return []
    group, left = CGROUP / name.lstrip("/"), []
    while group != CGROUP.parent:
        limit, used = group / "memory.max", group / "memory.current"
        if limit.is_file() and used.is_file() and (text := limit.read_text().strip()) != "max":
            left.append(max(int(text) - int(used.read_text()), 0))
        group = group.parent
    return left
