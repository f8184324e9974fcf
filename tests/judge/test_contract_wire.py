"""The whole path of a judge model on the samples: a scripted model that knows their contracts."""

from __future__ import annotations

import pytest

from iwr.config import load_config
from iwr.judge.rollout import judge
from iwr.progress import silent
from iwr.records import RolloutStatus, Task
from iwr.runs.paths import RunPaths
from iwr.tasks.load import load, samples_root
from tests.judge.contract_wire import EMPTY, essence, pictures, rollout_of, rollouts

pytestmark = pytest.mark.browser

SAMPLES = load(samples_root(), None).tasks


@pytest.mark.parametrize("task", SAMPLES, ids=lambda task: task.id)
def test_a_model_leads_to_the_same_rollout_and_its_replay_too(task: Task, tmp_path):
    by_contract, by_model = rollouts(task, tmp_path, task.true_page.read_bytes())
    assert by_model.status is RolloutStatus.OK
    assert all(step.credited for step in by_model.steps)
    assert essence(by_model) == essence(by_contract)
    assert pictures(by_model) == pictures(by_contract)
    paths = RunPaths.of(tmp_path, task.id)
    config, _ = load_config(["judge=replay", "judge.replays=model", "protocol=offline"])
    judge([("page", task)], config, paths, silent)
    replay = rollout_of(paths, task, "replay")
    assert essence(replay) == essence(by_model)
    assert pictures(replay) == pictures(by_model)


def test_a_blank_page_earns_nothing(tmp_path):
    for task in SAMPLES:
        _, by_model = rollouts(task, tmp_path / task.id, EMPTY)
        assert by_model.status is RolloutStatus.OK
        assert not any(step.credited for step in by_model.steps[1:])
        assert by_model.calls == 0
