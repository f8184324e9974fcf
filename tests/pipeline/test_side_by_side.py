"""Pages are judged as they come, where generation and judging have machines of their own."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from iwr.config import load_config
from iwr.errors import ServerError
from iwr.inference.server.placement import Placement, placement
from iwr.pipeline.stages import prepare, run
from iwr.progress import show, silent
from iwr.records import Generation, Rollout
from iwr.runs.files import read_record
from tests.judge.wire import Refused, model_wire

TASKS = ["docs-page", "film-rating", "tiles-2048"]
BOTH = ["generate", "judge"]


def settings(url: str, root, *overrides: str) -> list[str]:
    model = ["model=hf", "model.path=test/scripted", f"model.context={2**20}"]
    server = ["server=external", f"server.url={url}", "server.in_flight=1", "server.restarts=0"]
    names = [f"data.tasks=[{','.join(TASKS)}]", f"run.root={root}", "run.name=run"]
    return [*model, *server, *names, "judge=contract", "protocol=offline", *overrides]


def work_of(url, root, *overrides):
    config, models = load_config(settings(url, root, *overrides))
    return prepare(config, models)


def true_page(work, body: dict) -> str:
    """Return the true page of the recording in a question, as a reply."""
    (url,) = [
        part["video_url"]["url"]
        for part in body["messages"][0]["content"]
        if part["type"] == "video_url"
    ]
    for task in work.all_tasks:
        if hashlib.sha256(task.video.read_bytes()).digest() == sent(url):
            return task.true_page.read_text()
    raise AssertionError("a recording of no task")


def sent(url: str) -> bytes:
    import base64

    return hashlib.sha256(base64.b64decode(url.partition(",")[2])).digest()


def verdicts(work) -> list[str]:
    """Return the tasks whose rollout is on disk."""
    return sorted(path.parent.parent.name for path in work.paths.folder.glob("*/*/*/rollout.json"))


class Model:
    """A model at the wire that gives true pages; `before` is called before each with its number."""

    def __init__(self, before: Callable[[int], None] = lambda number: None):
        self.before = before
        self.number = 0
        self.work = None

    def __call__(self, body: dict) -> str:
        self.number += 1
        self.before(self.number)
        return true_page(self.work, body)


@pytest.mark.browser
def test_the_first_verdict_is_on_disk_before_the_last_page(tmp_path, capsys):
    seen: list[list[str]] = []

    def wait_for_a_verdict(number: int) -> None:
        deadline = time.monotonic() + 60
        while number == len(TASKS) and not verdicts(model.work) and time.monotonic() < deadline:
            time.sleep(0.1)
        seen.append(verdicts(model.work))

    model = Model(wait_for_a_verdict)
    with model_wire(model) as (url, _):
        model.work = work_of(url, tmp_path)
        run(model.work, BOTH, show)
    assert len(seen) == len(TASKS)
    assert seen[0] == [] and seen[-1] != []
    assert verdicts(model.work) == TASKS
    lines = capsys.readouterr().err.splitlines()
    for stage in ("generate hf", "judge"):
        assert [line for line in lines if line.startswith(f"{stage} 3/3: ")] != []
    for task in TASKS:
        rollout = read_record(model.work.paths.task("hf", task).judge("contract").rollout, Rollout)
        assert rollout.status == "ok" and all(step.credited for step in rollout.steps)


@pytest.mark.browser
def test_a_model_that_dies_loses_no_page_and_no_verdict(tmp_path):
    model = Model()
    with model_wire(model) as (url, _):
        model.work = work_of(url, tmp_path)

        def die(number: int) -> None:
            if number >= len(TASKS):
                raise Refused(500)

        model.before = die
        run(model.work, BOTH, silent)
        asked = model.number
        assert len(verdicts(model.work)) == len(TASKS) - 1
        model.before = lambda number: None
        run(model.work, BOTH, silent)
    assert model.number == asked + 1
    assert verdicts(model.work) == TASKS


@pytest.mark.browser
def test_a_judge_that_cannot_start_costs_no_page(tmp_path):
    model = Model()
    nowhere = ["judge=model", "judge.model.path=test/scripted", "judge.url=http://127.0.0.1:9/v1"]
    with model_wire(model) as (url, _):
        model.work = work_of(url, tmp_path, *nowhere)
        with pytest.raises(ServerError, match="does not answer as an OpenAI-compatible server"):
            run(model.work, BOTH, silent)
        for task in TASKS:
            record = read_record(model.work.paths.task("hf", task).generation, Generation)
            assert record.status == "ok"
        again = work_of(url, tmp_path)
        run(again, BOTH, silent)
    assert model.number == len(TASKS)
    assert verdicts(again) == TASKS


@pytest.mark.browser
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_run_goes_on_where_it_was(how, tmp_path):
    def hang(number: int) -> None:
        if number >= len(TASKS):
            time.sleep(60)

    model = Model(hang)
    with model_wire(model) as (url, seen):
        model.work = work_of(url, tmp_path)
        words = [sys.executable, "-m", "iwr", "run", *settings(url, tmp_path)]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ)
        deadline = time.monotonic() + 120
        while len(verdicts(model.work)) < len(TASKS) - 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(how)
        process.communicate(timeout=40)
        assert process.returncode in (130, -signal.SIGKILL)
        model.before = lambda number: None
        asked = len(seen)
        run(model.work, BOTH, silent)
        assert len(seen) == asked + 1
    assert verdicts(model.work) == TASKS


def test_both_run_at_once_only_where_each_has_gpus():
    def place(gpus, *overrides):
        config, models = load_config(["model=qwen2_5_vl_7b", *overrides])
        return placement(models, config, gpus)

    judge = "judge=qwen3_vl_8b"
    assert place(["0"], judge) is None
    assert place(["0", "1"], judge) == Placement(["0"], ["1"])
    assert place(["2", "3", "5"], judge, "model.gpus=2") == Placement(["2", "3"], ["5"])
    assert place(["0", "1", "2"], judge, "model.gpus=3") is None
    four = ["0", "1", "2", "3"]
    assert place(four, judge, "server.replicas=2") == Placement(["0", "1"], ["2", "3"])
    assert place(["0"], "judge=contract") == Placement(["0"], None)
    assert place(["0"], judge, "judge.url=http://other/v1") == Placement(["0"], None)
    assert place(None, judge) is None
    external = ["server=external", "server.url=http://other/v1"]
    assert place(None, judge, *external) == Placement(None, None)
