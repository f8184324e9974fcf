"""Baselines, through the stage as a user runs it."""

from __future__ import annotations

import json

import pytest
import recordings

from iwr import progress
from iwr.config import load_config
from iwr.errors import ConfigError, StaleRunError
from iwr.inference.generate import generate, pending_tasks
from iwr.records import Generation
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths

PAGE = "<!doctype html>\r\n<p>caf\u00e9</p>\n"


@pytest.fixture
def tasks(tmp_path):
    return [
        recordings.task(tmp_path, "a", 0.4, true_page=PAGE),
        recordings.task(tmp_path, "b", 0.4),
    ]


def made(tasks, tmp_path, *overrides):
    """Run the stage; returns {task: (record, page or None)}."""
    config, (model,) = load_config([*overrides])
    paths = RunPaths.of(tmp_path, "run")
    generate(tasks, model, config, paths, progress.silent)
    assert pending_tasks(tasks, model, config, paths) == []
    files = {task.id: paths.task(model.name, task.id) for task in tasks}
    return {
        name: (
            read_record(where.generation, Generation),
            where.page.read_bytes() if where.page.exists() else None,
        )
        for name, where in files.items()
    }


def test_the_oracle_copies_the_true_page(tasks, tmp_path):
    found = made(tasks, tmp_path, "model=oracle")
    record, page = found["a"]
    assert (record.status, page) == ("ok", (tasks[0].true_page).read_bytes())
    record, page = found["b"]
    assert (record.status, page) == ("missing", None) and "no true page" in record.reason


def test_blank_and_screenshot(tasks, tmp_path):
    record, page = made(tasks, tmp_path, "model=blank")["b"]
    assert record.status == "ok" and b"<body></body>" in page
    record, page = made(tasks, tmp_path, "model=screenshot")["b"]
    assert record.status == "ok" and b'src="data:image/jpeg;base64,' in page and len(page) < 500_000


def test_a_directory_of_pages(tasks, tmp_path):
    pages = tmp_path / "pages"
    (pages / "a").mkdir(parents=True)
    (pages / "a" / "index.html").write_bytes(b"<p>one</p>")
    choice = ["model=directory", f"model.path={pages}"]
    found = made(tasks, tmp_path, *choice)
    assert found["a"][1] == b"<p>one</p>" and found["b"][0].status == "missing"
    (pages / "a" / "index.html").write_bytes(b"<p>two</p>")
    (pages / "b").mkdir()
    (pages / "b" / "index.html").write_bytes(b"<p>new</p>")
    found = made(tasks, tmp_path, *choice)  # changed and new pages are taken over, without a word
    assert (found["a"][1], found["b"][1]) == (b"<p>two</p>", b"<p>new</p>")


def test_a_directory_that_is_not_there(tasks, tmp_path):
    with pytest.raises(ConfigError, match="is not a folder"):
        made(tasks, tmp_path, "model=directory", f"model.path={tmp_path}/nowhere")


def test_a_broken_recording_costs_its_task_only(tasks, tmp_path):
    tasks[0].video.write_bytes(b"broken")
    config, (model,) = load_config(["model=screenshot"])
    paths = RunPaths.of(tmp_path, "run")
    generate(tasks, model, config, paths, progress.silent)
    records = [read_record(paths.task("screenshot", name).generation, Generation) for name in "ab"]
    assert [record.status for record in records] == ["failed", "ok"] and "task a" in records[
        0
    ].reason
    assert pending_tasks(tasks, model, config, paths) == tasks[:1]  # asked again by the next run


def test_changed_data_stops_the_run(tasks, tmp_path):
    made(tasks, tmp_path, "model=blank")
    changed = [tasks[0].model_copy(update={"digest": "other"}), tasks[1]]
    with pytest.raises(StaleRunError, match="task: "):
        made(changed, tmp_path, "model=blank")
    made(changed, tmp_path, "model=blank", "run.on_change=overwrite")


def test_a_killed_write_is_pending_again(tasks, tmp_path):
    made(tasks, tmp_path, "model=blank")
    config, (model,) = load_config(["model=blank"])
    paths = RunPaths.of(tmp_path, "run")
    record = paths.task("blank", "a").generation
    record.write_text(record.read_text()[:40])
    assert pending_tasks(tasks, model, config, paths) == tasks[:1]
    record.unlink()
    assert pending_tasks(tasks, model, config, paths) == tasks[:1]


def test_fingerprints_are_text(tasks, tmp_path):
    made(tasks, tmp_path, "model=blank")
    written = json.loads((tmp_path / "run" / "blank" / "a" / "generation.json").read_text())
    assert written["fingerprint"] == {"task": tasks[0].digest, "model.kind": "blank"}
