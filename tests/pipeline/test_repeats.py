"""A model is asked each task several times: seeds, resume, scores, report, comparison."""

from __future__ import annotations

import json

import pytest

from iwr.cli.main import main
from iwr.config import load_config
from iwr.errors import ConfigError
from iwr.records import Generation
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths
from tests.judge.wire import model_wire
from tests.pipeline.test_side_by_side import settings, true_page, work_of

SAMPLED = ["model.temperature=0.7", "run.repeats=3", "models=[hf,blank]"]


@pytest.mark.browser
def test_repeats_are_asked_once_each_with_their_own_seed_and_merged(tmp_path, capsys):
    tasks = 3

    def answer(body: dict) -> str:
        if body["seed"] == 1:
            return "```html\n<!DOCTYPE html><title>wrong</title><p>wrong\n```"
        return true_page(work, body)

    with model_wire(answer) as (url, seen):
        work = work_of(url, tmp_path)
        command = ["run", *settings(url, tmp_path, *SAMPLED)]
        assert main(command) == 0
        seeds = [body["seed"] for body in seen]
        assert sorted(seeds) == [0] * tasks + [1] * tasks + [2] * tasks
        assert main(command) == 0
        assert len(seen) == 3 * tasks

    report = tmp_path / "run" / "report"
    blank, model = sorted(
        json.loads((report / "leaderboard.json").read_text()), key=lambda row: row["model"]
    )
    assert (blank["model"], blank["repeats"], blank["tasks"]) == ("blank", 1, tasks)
    assert (model["model"], model["repeats"], model["tasks"]) == ("hf", 3, tasks)
    (repeats,) = json.loads((report / "repeats.json").read_text())
    right, wrong, again = repeats["finals"]
    assert right == again == 1.0 > wrong
    assert model["final"] == pytest.approx((2 + wrong) / 3)
    assert repeats["pass_at"] == pytest.approx([2 / 3, 1, 1])
    assert repeats["pass_all"] == pytest.approx([2 / 3, 1 / 3, 0])
    text = (report / "report.md").read_text()
    assert "each task is the mean of 3 answers, of baselines one" in text
    index = (report / "index.html").read_text()
    for name in ("hf", "hf.repeat-2", "hf.repeat-3"):
        assert f"pages/{name}/docs-page.html" in index
        assert (report / "pages" / name / "docs-page.html").is_file()

    capsys.readouterr()
    run = tmp_path / "run"
    assert main(["compare", str(run / "blank"), str(run / "hf"), "--json"]) == 0
    comparison = json.loads(capsys.readouterr().out)
    assert comparison["second"] == "run/hf (mean of 3 repeats)"
    assert comparison["scores"]["final"]["second"] == pytest.approx(model["final"])


@pytest.mark.browser
def test_more_repeats_of_a_finished_run_ask_only_for_the_new_ones(tmp_path):
    with model_wire(lambda body: true_page(work, body)) as (url, seen):
        work = work_of(url, tmp_path)
        sampled = ["model.temperature=0.7"]
        assert main(["generate", *settings(url, tmp_path, *sampled)]) == 0
        assert main(["generate", *settings(url, tmp_path, *sampled, "run.repeats=2")]) == 0
    assert [body["seed"] for body in seen] == [0, 0, 0, 1, 1, 1]
    files = RunPaths.of(str(tmp_path), "run").task("hf.repeat-2", "docs-page")
    assert read_record(files.generation, Generation).model == "hf.repeat-2"


def test_repeats_that_cannot_differ_are_told(tmp_path, caplog):
    with model_wire(lambda body: "no page") as (url, seen):
        main(["generate", *settings(url, tmp_path, "run.repeats=2")])
    assert "run.repeats=2: answers of hf will hardly differ, its temperature is 0" in caplog.text
    assert len(seen) == 6


def test_a_model_cannot_have_the_name_of_a_repeat():
    with pytest.raises(ConfigError, match=r"model\.name=hf\.repeat-2: names of this form"):
        load_config(["model=blank", "model.name=hf.repeat-2"])
