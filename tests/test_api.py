"""Evaluations from Python, as in a notebook: inside a running event loop."""

import asyncio
import subprocess
import sys

import pytest

import iwr
from iwr.errors import ConfigError, DataError

SETTINGS = {"data.tasks": ["film-rating"], "run.allow_unscored": False, "browser.contexts": 1}


@pytest.mark.browser
def test_an_evaluation_inside_a_running_loop_is_the_run_of_the_command_line(tmp_path):
    async def notebook() -> iwr.Run:
        return iwr.evaluate(
            ["oracle", "blank"],
            judge="contract",
            name="mine",
            root=tmp_path,
            settings=SETTINGS,
        )

    run = asyncio.run(notebook())
    assert run.folder == tmp_path / "mine" and run.report.is_file()
    board = run.leaderboard
    assert list(board["model"]) == ["oracle", "blank"]
    assert board["ifs"][0] == 1.0 and board["ifs"][1] < 0.5
    assert set(board["judge"]) == {"contract"} and set(board["protocol"]) == {"offline"}
    assert list(run.tasks["task"]) == ["film-rating"] * 2
    shown = run._repr_html_()
    assert "oracle" in shown and "contract" in shown and "manifest.json" in shown
    assert iwr.load(tmp_path / "mine").leaderboard.equals(board)
    command = [sys.executable, "-m", "iwr", "run", f"run.root={tmp_path}", "run.name=mine"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0 and "nothing to do" in process.stderr


def test_mistakes_raise_what_the_command_prints(tmp_path):
    with pytest.raises(ConfigError, match="oracel"):
        iwr.evaluate("oracel", root=tmp_path)
    with pytest.raises(ConfigError, match=r"browser\.contexts=0: must be at least 1"):
        iwr.evaluate(["blank"], root=tmp_path, settings={"browser.contexts": 0})
    with pytest.raises(DataError, match=r"leaderboard\.json"):
        iwr.load(tmp_path / "nothing")


def test_the_import_is_light():
    code = "import sys, iwr; iwr.evaluate; print({'torch', 'pandas', 'hydra'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
