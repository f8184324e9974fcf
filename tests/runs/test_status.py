"""`iwr run` and `iwr status` on a finished run of the benchmark's full size."""

import json
import subprocess
import sys
from pathlib import Path

import full_size
import pytest


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return full_size.build(tmp_path_factory.mktemp("scale"), full_size.MODELS[:2])


def iwr(world, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [Path(sys.executable).parent / "iwr", *arguments, *world.settings],
        capture_output=True,
        text=True,
    )


def test_a_finished_run_says_so(world):
    first = iwr(world, "run")  # writes the report
    assert (first.returncode, "nothing to do" in first.stderr) == (0, False), (
        first.stderr
    )  # a manifest was pending
    again = iwr(world, "run")
    assert (again.returncode, "nothing to do" in again.stderr) == (0, True), again.stderr


def test_status_names_what_is_pending(world):
    whole = iwr(world, "status", "--json", "run.shards=8")
    rows = json.loads(whole.stdout)
    assert whole.returncode == 0
    assert len(rows) == len(world.models) * 8 * 3
    assert sum(row["done"] for row in rows if row["stage"] == "score") == len(world.models) * len(
        world.tasks
    )
    judged = world.paths.task(world.names[0], world.tasks[0].id).judge("contract")
    score = judged.score("offline").read_bytes()
    judged.score("offline").unlink()
    pending = iwr(world, "status", "--json", "run.shards=8")
    judged.score("offline").write_bytes(score)
    assert pending.returncode == 1
    assert [
        (row["model"], row["stage"], row["pending"])
        for row in json.loads(pending.stdout)
        if row["pending"]
    ] == [(world.names[0], "score", 1)]
