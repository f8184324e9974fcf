"""What a user sees on the terminal, through the real command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from iwr.cli.commands import COMMANDS
from iwr.cli.main import OVERVIEW, main

IWR = Path(sys.executable).parent / "iwr"


def iwr(*arguments, cwd=None):
    return subprocess.run([IWR, *map(str, arguments)], capture_output=True, text=True, cwd=cwd)


def test_alone_it_shows_what_can_be_done_on_one_screen():
    for arguments in ([], ["--help"]):
        process = iwr(*arguments)
        assert (process.returncode, process.stdout, process.stderr) == (0, OVERVIEW + "\n", "")
    assert len(OVERVIEW.splitlines()) <= 40
    for name in COMMANDS:
        assert f"\n  {name} " in OVERVIEW


def test_each_command_has_help_with_an_example(capsys):
    for name, command in COMMANDS.items():
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert end.value.code == 0
        text = capsys.readouterr().out
        assert f"example: {command.example}" in text
        assert command.summary in text


def test_a_reader_that_stops_reading_is_no_fault():
    command = f"{IWR} config model=demo | head -1; {IWR} --help | true"
    process = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert process.stderr == ""
    assert len(process.stdout.splitlines()) == 1


def test_python_m_iwr_is_the_same_command():
    command = [sys.executable, "-m", "iwr", "--version"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.stdout == iwr("--version").stdout


MISTAKES = {
    "run model=oracl": ["model=oracl", "did you mean oracle?"],
    "run model.nothing=1": ["model.nothing"],
    "run data=iwr_bench": ["data.root must be given"],
    "run model=oracle run.name=../x": ["'../x'", "folder name"],
    "run model=oracle data.root=/nothing/here": ["no usable task", "/nothing/here", "iwr validate"],
    "record page=x": ["record needs script=… out=… id=…"],
    "record page=x script=y out=z id=a speed=2": ["unknown: speed"],
    "nonsense": ["nonsense", "validate"],
}
"""Arguments, and words that their message must contain."""


def test_a_mistake_is_a_short_message_without_traceback(tmp_path):
    for arguments, words in MISTAKES.items():
        process = iwr(*arguments.split(), cwd=tmp_path)
        assert process.returncode == 2, arguments
        assert all(word in process.stderr for word in words), process.stderr
        assert "Traceback" not in process.stderr
        assert len(process.stderr.splitlines()) <= 10
        assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_is_not_there_is_a_mistake(monkeypatch):
    monkeypatch.setenv("IWR_TMP", "/nothing/here")
    process = iwr("run", "model=blank")
    assert process.returncode == 2
    assert "IWR_TMP=/nothing/here is not a folder" in process.stderr
    assert "Traceback" not in process.stderr


def test_debug_shows_the_traceback():
    assert "Traceback" in iwr("run", "model=oracl", "--debug").stderr


def test_validate_lists_faults_for_people_and_for_scripts(tmp_path):
    (tmp_path / "data.jsonl").write_text('{"id": "a"}\nnot json\n')
    process = iwr("validate", "data=iwr_bench", f"data.root={tmp_path}")
    assert process.returncode == 1
    assert f"{tmp_path / 'data.jsonl'}:2" in process.stderr and "Traceback" not in process.stderr
    process = iwr("validate", "data=iwr_bench", f"data.root={tmp_path}", "--json")
    faults = json.loads(process.stdout)
    assert process.returncode == 1 and len(faults) >= 2
    assert all(
        fault.keys() == {"file", "line", "task", "step", "field", "message"} for fault in faults
    )


def test_the_samples_are_without_fault():
    process = iwr("validate")
    assert process.returncode == 0, process.stderr
    lines = process.stderr.splitlines()
    assert [line for line in lines if not line.startswith("recordings ")] == []
    assert process.stdout.endswith("tasks load, 0 faults\n")


def test_config_prints_what_will_be_used():
    settings = json.loads(iwr("config", "--json", "model=oracle", "protocol.max_frames=8").stdout)
    assert (settings["model"]["name"], settings["protocol"]["max_frames"]) == ("oracle", 8)


@pytest.mark.browser
def test_pages_of_another_tool_are_judged_and_missing_ones_count(tmp_path):
    """`model=directory`: an absent page scores 0 and is counted."""
    from iwr.tasks.load import samples_root

    page = samples_root() / "data/film-rating/page/index.html"
    (tmp_path / "pages/film-rating").mkdir(parents=True)
    (tmp_path / "pages/film-rating/index.html").write_bytes(page.read_bytes())
    settings = [
        f"model.path={tmp_path / 'pages'}",
        "data.tasks=[film-rating,shop-cart]",
        f"run.root={tmp_path}",
        "run.name=r",
    ]
    process = iwr("run", "--json", "model=directory", *settings)
    assert process.returncode == 0, process.stderr
    (row,) = json.loads(process.stdout)
    assert (row["tasks"], row["missing"], row["unscored"]) == (2, 1, 0)
    tasks = [
        json.loads(line) for line in (tmp_path / "r/report/tasks.jsonl").read_text().splitlines()
    ]
    assert [(task["task"], task["status"], task["ifs"]) for task in tasks] == [
        ("film-rating", "ok", 1.0),
        ("shop-cart", "missing", 0.0),
    ]
    assert row["ifs"] == 0.5


def test_each_stage_alone_says_what_is_missing_before_it(tmp_path):
    settings = ["model=blank", "data.tasks=[film-rating]", f"run.root={tmp_path}", "run.name=r"]
    assert iwr("generate", *settings).returncode == 0
    process = iwr("report", *settings)
    assert process.returncode == 1
    task = json.loads((tmp_path / "r/report/tasks.jsonl").read_text())
    assert (task["status"], task["final"]) == ("unscored", None)
    assert task["reason"] == "not judged yet: run `iwr judge`"
    assert "1 task unscored: not judged yet: run `iwr judge`" in process.stdout


def test_data_without_contracts_needs_a_judge_model(tmp_path):
    """IWR-Bench itself has none: said before any work, also to a cluster."""
    import data_sets

    root = data_sets.good(tmp_path / "data", "a")
    settings = ["model=blank", "data=iwr_bench", f"data.root={root}", "run.root=runs"]
    for command in ("run", "submit", "selftest"):
        process = iwr(command, *settings, cwd=tmp_path)
        assert process.returncode == 2, process.stderr
        assert "judge=contract needs contract.json beside each task" in process.stderr
        assert "choose a judge model" in process.stderr
    assert not (tmp_path / "runs").exists()
    assert iwr("generate", *settings, cwd=tmp_path).returncode == 0
    process = iwr("judge", *settings, cwd=tmp_path)
    assert process.returncode == 2
    assert "judge=contract needs contract.json beside each task" in process.stderr


def test_a_stage_that_finds_nothing_names_the_one_before_it(tmp_path):
    settings = ["model=blank", "data.tasks=[film-rating]", f"run.root={tmp_path}", "run.name=r"]
    process = iwr("judge", *settings)
    assert process.returncode == 2
    assert f"nothing to judge in {tmp_path}/r: no page is written yet" in process.stderr
    assert "run `iwr generate` first" in process.stderr
    assert iwr("generate", *settings).returncode == 0
    process = iwr("score", *settings)
    assert process.returncode == 2
    assert f"nothing to score in {tmp_path}/r: no page is judged yet" in process.stderr


def test_what_cannot_work_is_refused_before_any_work(tmp_path):
    """Each pair of settings, what is said of it, and what to do; no file is written."""
    (tmp_path / "pages" / "film-rating").mkdir(parents=True)
    (tmp_path / "pages" / "film-rating" / "index.html").write_text(" \n")
    dino = "protocol.metrics.dino={path:nobody/nothing}"
    for settings, words in {
        "judge=qwen3_vl_8b": ["not in the hub's cache", "iwr prefetch"],
        f"protocol.low=[dino] {dino}": ["dino", "nobody/nothing"],
        "protocol.high=true": ["needs the rubric of a judge model", "protocol.high=false"],
        "model=directory model.path=pages": ["0 of 1 tasks have a page", "index.html"],
        "model=directory model.path=nowhere": ["model.path=nowhere is not a folder"],
    }.items():
        given = ["data.tasks=[film-rating]", "run.root=runs", "model=blank", *settings.split()]
        for command in ("run", "submit"):
            process = iwr(command, *given, cwd=tmp_path)
            assert process.returncode == 2, process.stderr
            assert all(word in process.stderr for word in words), process.stderr
            assert "Traceback" not in process.stderr
        assert not (tmp_path / "runs").exists()
