"""A run stores its settings: later commands name the run and nothing else."""

import json
import string
import subprocess
import sys
from pathlib import Path

import pytest

from iwr.cli.main import main
from iwr.runs.paths import RunPaths
from iwr.runs.settings import load_run, store


@pytest.fixture
def iwr(tmp_path, monkeypatch, capsys):
    """A command in a folder of its own; returns exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)

    def run(command, *settings):
        capsys.readouterr()
        code = main([command, *settings])
        return code, *capsys.readouterr()

    return run


def stored(folder: Path):
    return json.loads((folder / "settings.json").read_text())


def test_a_command_needs_the_name_of_the_run_alone(iwr, tmp_path, caplog):
    one = ["data.tasks=[film-rating]", "protocol.low=[ssim]", "~protocol.metrics.ocr"]
    assert iwr("generate", "models=[blank,oracle]", *one, "run.name=r")[0] == 0
    code, out, _ = iwr("status", "--json", "run.name=r")
    assert code == 1
    done = {(row["model"], row["stage"]): row["done"] for row in json.loads(out)}
    assert done["blank", "generate"] == done["oracle", "generate"] == 1
    assert stored(tmp_path / "runs/r")["common"][-2:] == [
        "~protocol.metrics.ocr",
        "data.tasks=[film-rating]",
    ]
    with caplog.at_level("INFO"):
        code, out, _ = iwr("report", "--json", "run.name=r")
    assert [(row["model"], row["tasks"]) for row in json.loads(out)] == [
        ("blank", 1),
        ("oracle", 1),
    ]
    assert "data.tasks=[film-rating] models=[blank,oracle]" in caplog.text


def test_a_model_is_added_and_the_others_stay(iwr, tmp_path):
    one = ["data.tasks=[film-rating]", "run.name=r"]
    iwr("generate", "model=blank", *one)
    (tmp_path / "pages/film-rating").mkdir(parents=True)
    (tmp_path / "pages/film-rating/index.html").write_text("<p>Hello</p>")
    iwr("generate", "model=directory", "model.name=mine", "model.path=pages", "run.name=r")
    assert stored(tmp_path / "runs/r")["models"] == {
        "blank": ["model=blank"],
        "mine": ["model=directory", "model.name=mine", f"model.path={tmp_path}/pages"],
    }
    _, out, _ = iwr("report", "--json", "run.name=r")
    assert {row["model"] for row in json.loads(out)} == {"blank", "mine"}
    pages = tmp_path / "runs/r/report/pages"
    assert {folder.name for folder in pages.iterdir()} == {"blank", "mine"}
    _, out, _ = iwr("report", "--json", "models=[mine]", "run.name=r")
    assert [row["model"] for row in json.loads(out)] == ["mine"]
    assert {folder.name for folder in pages.iterdir()} == {"mine"}
    _, out, _ = iwr("status", "--json", "models=[mine]", "run.name=r")
    assert [row["done"] for row in json.loads(out)] == [1, 0, 0]


def test_tasks_of_several_commands_are_all_in_the_run(iwr, tmp_path):
    iwr("generate", "model=blank", "data.tasks=[film-rating]", "run.name=r")
    iwr("generate", "model=blank", "data.tasks=[shop-cart]", "run.name=r")
    assert "data.tasks=[film-rating,shop-cart]" in stored(tmp_path / "runs/r")["common"]
    iwr("generate", "model=blank", "data.tasks=null", "run.name=r")
    assert not [each for each in stored(tmp_path / "runs/r")["common"] if "tasks" in each]
    iwr("generate", "model=blank", "data.tasks=[shop-cart]", "run.name=r")
    assert not [each for each in stored(tmp_path / "runs/r")["common"] if "tasks" in each]


def test_a_subset_is_named_and_never_narrows_a_whole_run(iwr, tmp_path):
    def tasks():
        rows = json.loads(iwr("status", "--json", "run.name=r")[1])
        return rows[0]["tasks"]

    iwr("generate", "model=blank", "data.limit=2", "run.name=r")
    assert tasks() == 2
    iwr("report", "run.name=r")
    report = (tmp_path / "runs/r/report/report.md").read_text()
    assert "2 tasks of the data set: data.limit=2" in report
    iwr("generate", "model=blank", "data.limit=3", "run.name=r")
    assert tasks() == 3
    iwr("generate", "model=blank", "data.limit=null", "run.name=r")
    assert tasks() == 8
    code, _, error = iwr("generate", "model=blank", "data.where.domain=Shoop", "run.name=s")
    assert code == 2 and "no task fits data.where.domain=Shoop" in error and "domain: " in error
    code, _, error = iwr("generate", "model=blank", "data.where.colour=red", "run.name=s")
    assert code == 2 and "choose interaction_complexity, visual_complexity, domain" in error


def test_a_sample_depends_on_the_seed_and_not_on_other_tasks():
    from iwr.config import load_config
    from iwr.tasks.load import load, samples_root
    from iwr.tasks.subset import subset

    tasks = load(samples_root()).tasks

    def drawn(seed, of=tasks):
        config, _ = load_config(["data.sample=4", f"data.sample_seed={seed}"])
        return [task.id for task in subset(of, config.data)]

    assert drawn(0) == drawn(0) and len(drawn(0)) == 4
    assert len({tuple(drawn(seed)) for seed in range(10)}) > 5
    fewer = [task for task in tasks if task.id in drawn(1) or task.id in drawn(2)]
    assert drawn(1, fewer) == drawn(1)


def test_another_data_set_or_protocol_is_refused_with_the_choices(iwr, tmp_path):
    import data_sets

    root = data_sets.good(tmp_path / "data", "a")
    one = ["model=blank", "data.tasks=[film-rating]", "run.name=r"]
    iwr("generate", *one)
    others = {"data=samples": "data=iwr_bench", "protocol=offline": "protocol=paper"}
    for command in ("run", "generate", "report", "status", "export to=x"):
        for old, given in others.items():
            code, _, error = iwr(*command.split(), given, "run.name=r")
            assert code == 2
            assert f"the run r is of {old}, not of {given}" in error
            assert "choose another run.name, or set run.on_change=overwrite" in error
    overwritten = ["data=iwr_bench", f"data.root={root}", "data.tasks=null", "run.name=r"]
    assert iwr("generate", "model=blank", *overwritten, "run.on_change=overwrite")[0] == 0
    assert f"data.root={root}" in stored(tmp_path / "runs/r")["common"]


def test_runs_without_a_name_are_named_by_models_and_data(iwr, tmp_path):
    """So no command adds to the run of another."""
    import data_sets

    root = data_sets.good(tmp_path / "data", "a")
    iwr("generate", "models=[blank,oracle]", "data.tasks=[film-rating]")
    iwr("generate", "model=screenshot", "data.tasks=[film-rating]")
    iwr("generate", "model=blank", "data=iwr_bench", f"data.root={root}")
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == ["blank-iwr_bench", "blank-oracle-samples", "screenshot-samples"]


def test_a_run_that_is_not_there_is_named_with_those_that_are(iwr):
    iwr("generate", "model=blank", "data.tasks=[film-rating]", "run.name=first")
    for command in ("report", "score", "status", "compare"):
        code, _, error = iwr(command, "run.name=frist")
        assert code == 2
        assert "there is no run frist" in error and "did you mean first?" in error


def test_an_old_run_without_settings_says_what_to_name(iwr, tmp_path):
    iwr("generate", "models=[blank,oracle]", "data.tasks=[film-rating]", "run.name=old")
    (tmp_path / "runs/old/settings.json").unlink()
    code, _, error = iwr("report", "run.name=old")
    assert code == 2
    assert "stores no settings" in error and "models=[blank,oracle]" in error
    code, out, _ = iwr("report", "--json", "models=[blank]", "run.name=old")
    assert [row["model"] for row in json.loads(out)] == ["blank"]


TEXTS = [
    *(f"a{mark}b" for mark in string.punctuation),
    "~/pages",
    "/ckpt/epoch=999-step=88000",
    "日本/ページ",
    "é\u0301🙂",
    "2025_11_25",
    "1e3",
    "null",
    "[a]",
    "{a: 1}",
    "${oc.env:HOME}",
    " spaces  and\ttab ",
    "a: b # c",
]


def test_texts_go_through_the_command_line_unchanged(tmp_path):
    """One text of every printable class; the real command, whose words the system hands over."""
    assert len(TEXTS) >= 40
    command = [sys.executable, "-m", "iwr", "generate", "model=blank", "data.tasks=[film-rating]"]
    settings = [f"server.environment.V{number}={text}" for number, text in enumerate(TEXTS)]
    place = [f"run.root={tmp_path}", "run.name=r"]
    process = subprocess.run([*command, *place, *settings], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert set(settings) <= set(stored(tmp_path / "r")["common"])
    environment = load_run(place).config.server.environment
    assert list(environment.values()) == TEXTS


def test_a_damaged_record_is_named(iwr, tmp_path):
    iwr("generate", "model=blank", "data.tasks=[film-rating]", "run.name=r")
    (tmp_path / "runs/r/settings.json").write_text('{"common": 1')
    code, _, error = iwr("report", "run.name=r")
    assert code == 2 and "settings.json" in error and "delete the file" in error


def test_a_setting_that_is_named_again_replaces_the_stored_one(tmp_path):
    """Another choice of a group ends the settings of the old choice; the same one keeps them."""
    place = [f"run.root={tmp_path}", "run.name=r"]
    paths = RunPaths.of(tmp_path, "r")
    first = load_run([*place, "models=[blank]", "judge=qwen3_vl_8b", "judge.attempts=5"])
    store(first.settings, paths)
    again = load_run([*place, "judge=qwen3_vl_8b"])
    assert again.config.judge.attempts == 5
    assert load_run([*place, "judge.attempts=7"]).config.judge.attempts == 7
    other = load_run([*place, "judge=contract"])
    assert (other.config.judge.kind, other.config.judge.attempts) == ("contract", 3)
    store(other.settings, paths)
    assert load_run(place).config.judge.kind == "contract"
