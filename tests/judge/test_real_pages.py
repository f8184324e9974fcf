"""Pages that others wrote, from the npm registry: see scripts/real_pages.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from iwr.tasks.load import load
from tests.judge.contract_wire import essence, pictures, rollouts

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(3600)]


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    result = script("real_pages.py", f"out={folder}", "defects=true")
    assert result.returncode == 0, result.stderr
    return folder


def test_the_judge_without_a_model_meets_its_targets(data: Path):
    result = script("judge_real_pages.py", f"data={data}")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_judge_model_is_led_to_the_same_rollouts(data: Path, tmp_path: Path):
    tasks = load(data, None).tasks
    assert len(tasks) >= 15
    for task in tasks:
        assert task.true_page is not None
        html = task.true_page.read_bytes()
        by_contract, by_model = rollouts(task, tmp_path / task.id, html)
        assert all(step.credited for step in by_contract.steps), task.id
        assert essence(by_model) == essence(by_contract), task.id
        assert pictures(by_model) == pictures(by_contract), task.id
