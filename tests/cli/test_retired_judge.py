"""The judge `rules` is gone: it cannot judge any more, and its results are still read."""

import json
import shutil
from pathlib import Path

import pytest

from iwr.cli.main import main
from iwr.runs.paths import RunPaths
from iwr.tasks.load import samples_root

OLD_ROLLOUT = Path(__file__).parent / "rollout_of_rules.json"  # as version 0.1.0 wrote it
CHECKPOINTS = (0, 2, 3, 7)  # steps of the task that have one


@pytest.mark.parametrize("command", ["run", "generate", "judge", "selftest", "submit", "doctor"])
def test_what_judges_names_the_successor_before_any_work(command, tmp_path, capsys):
    settings = ["judge=rules", "model=oracle", f"run.root={tmp_path}"]
    assert main([command, *settings]) == 2
    first, _ = capsys.readouterr().err.splitlines()
    assert first == "iwr: judge=rules: the judge `rules` was replaced by judge=contract"
    assert list(tmp_path.iterdir()) == []


def test_results_of_an_old_run_are_scored_and_reported(tmp_path, capsys):
    settings = ["model=oracle", "data.tasks=[film-rating]", f"run.root={tmp_path}", "run.name=old"]
    assert main(["generate", *settings]) == 0
    judged = RunPaths.of(tmp_path, "old").task("oracle", "film-rating").judge("rules")
    judged.folder.mkdir(parents=True)
    shutil.copy(OLD_ROLLOUT, judged.rollout)
    checkpoints = samples_root() / "data/film-rating/checkpoints"
    for number, step in enumerate(CHECKPOINTS):
        shutil.copy(checkpoints / f"step_{number}.png", judged.screenshot(step))
    settings += ["judge=rules", "protocol.low=[ssim]", "~protocol.metrics.ocr"]
    assert main(["score", *settings]) == 0
    assert main(["status", *settings]) == 0
    capsys.readouterr()
    assert main(["report", "--json", *settings]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["judge"], row["ifs"], row["low"], row["unscored"]) == ("rules", 1.0, 1.0, 0)
    assert main(["export", f"to={tmp_path / 'out'}", *settings]) == 0
