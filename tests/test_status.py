"""What `iwr run` and `iwr status` say of a finished run of the benchmark's full size, and what they cost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import full_size
import pytest


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return full_size.build(tmp_path_factory.mktemp("scale"))


class Answer(NamedTuple):
    code: int
    out: str
    err: str
    seconds: float  # of processor time, which a busy machine changes little


def iwr(world, *arguments: str) -> Answer:
    before = os.times()
    done = subprocess.run([Path(sys.executable).parent / "iwr", *arguments, *world.settings], capture_output=True, text=True)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Answer(done.returncode, done.stdout, done.stderr, spent)


def test_a_finished_run_says_so_in_three_seconds(world):
    first = iwr(world, "run")  # writes the report
    assert (first.code, "nothing to do" in first.err) == (0, False), first.err  # a manifest was owed
    again = iwr(world, "run")
    assert (again.code, "nothing to do" in again.err) == (0, True), again.err
    assert again.seconds < 3


def test_status_answers_in_three_seconds_and_names_what_is_owed(world):
    whole = iwr(world, "status", "--json", "run.shards=8")
    rows = json.loads(whole.out)
    assert whole.code == 0 and whole.seconds < 3
    assert len(rows) == len(world.models) * 8 * 3
    assert sum(row["done"] for row in rows if row["stage"] == "score") == len(world.models) * len(world.tasks)
    judged = world.paths.task(world.names[0], world.tasks[0].id).judge("rules")
    kept = judged.score("offline").read_bytes()
    judged.score("offline").unlink()
    left = iwr(world, "status", "--json", "run.shards=8")
    judged.score("offline").write_bytes(kept)
    assert left.code == 1
    assert [(row["model"], row["stage"], row["owed"]) for row in json.loads(left.out) if row["owed"]] == [(world.names[0], "score", 1)]
