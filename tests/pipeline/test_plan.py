"""`iwr plan`: what is left, what it costs, what cannot be asked."""

import json

import pytest

from iwr.cli.main import main
from iwr.tasks.load import load, samples_root
from tests.inference import tiny_models

SAMPLES = load(samples_root(), None).tasks


@pytest.fixture
def plan(tmp_path, capsys):
    """The plan for settings, as `--json` prints it, with the exit code."""

    def planned(*settings):
        code = main(["plan", "--json", f"run.root={tmp_path}", "run.name=run", *map(str, settings)])
        return json.loads(capsys.readouterr().out) | {"code": code}

    return planned


def stage(plan, model, name):
    (row,) = [row for row in plan["stages"] if (row["model"], row["stage"]) == (model, name)]
    return row


def test_a_plan_writes_nothing_and_knows_no_hours(plan, tmp_path):
    found = plan("model=blank")
    assert stage(found, "blank", "judge")["pending"] == len(SAMPLES)
    assert stage(found, "blank", "judge")["hours"] is None
    assert "probe=3" in found["notes"][0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
def test_a_probe_is_part_of_the_run_and_tells_the_hours(plan, capsys, tmp_path):
    found = plan("models=[oracle,blank]", "protocol.low=[ssim]", "~protocol.metrics.ocr", "probe=2")
    for model in ("oracle", "blank"):
        judge = stage(found, model, "judge")
        assert stage(found, model, "generate")["pending"] == len(SAMPLES) - 2
        assert judge["pending"] == len(SAMPLES) - 2
        assert 0 < judge["hours"] < 1
        assert judge["gpu_hours"] == 0
    assert found["notes"] == []
    records = list(tmp_path.glob("run/*/*/judge-contract/score-offline.json"))
    assert len(records) == 4
    # the probe does not narrow the run
    assert main(["status", f"run.root={tmp_path}", "run.name=run"]) == 1
    assert f"2/{len(SAMPLES)}" in capsys.readouterr().out


def test_tasks_that_do_not_fit_are_named_before_any_gpu_works(plan, tmp_path):
    checkpoint = tiny_models.build("qwen2_5_vl", tmp_path / "models")
    found = plan("model=hf", f"model.path={checkpoint}", "model.context=600", "model.max_tokens=64")
    assert found["code"] == 1
    assert len(found["refused"]) + found["stages"][0]["requests"] == len(SAMPLES)
    assert found["refused"]
    for line in found["refused"]:
        assert "do not fit into a context of 600" in line


def test_questions_to_a_judge_model_are_counted(plan):
    """An element for each action and each assertion, until rollouts tell more."""
    found = plan("model=oracle", "judge=qwen3_vl_8b", "protocol=offline")
    expected = 0
    for task in SAMPLES:
        expected += len(task.actions) + sum(bool(each.logical_assertion) for each in task.actions)
    assert stage(found, "oracle", "judge")["requests"] == expected


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5"])
def test_a_probe_of_no_number_of_tasks_is_refused(capsys, tmp_path, number):
    assert main(["plan", "model=blank", f"run.root={tmp_path}", f"probe={number}"]) == 2
    assert f"probe={number}: must be a whole number" in capsys.readouterr().err
