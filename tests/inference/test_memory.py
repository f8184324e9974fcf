"""Requests in flight are bounded by what their recordings take."""

from __future__ import annotations

import recordings

from iwr.config import ProtocolConfig
from iwr.inference import memory

PROTOCOL = ProtocolConfig(name="p", low=[], high=False)


def test_small_recordings_are_not_held_back(tmp_path):
    tasks = [recordings.task(tmp_path, "a", 2), recordings.task(tmp_path, "b", 2)]
    tasks[1].video.write_bytes(b"broken")
    assert memory.in_flight(tasks, 16, PROTOCOL) == 16
    assert memory.in_flight(tasks[1:], 16, PROTOCOL) == 16


def test_large_recordings_are(tmp_path, caplog):
    free = memory.free_bytes()
    task = recordings.task(tmp_path, "a", 2, size=(640, 360))
    taken = 640 * 360 * 3 * memory.COPIES * 2
    many = int(free / taken * 4)  # far more than half of the memory holds
    assert 1 <= memory.in_flight([task], many, PROTOCOL) < many
    assert "GB free memory" in caplog.text
