"""Two models compared by task, and what is refused."""

import json
import subprocess
import sys

import pytest
import runs_on_disk as on_disk

from iwr.cli.main import main
from iwr.errors import ConfigError, DataError, StaleRunError
from iwr.records import Generation
from iwr.runs.files import read_record, write_record
from iwr.scores.paired import compare_sides, read_side
from iwr.scores.stage import score

NAMES = tuple("abcdefgh")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(run folder, tasks, config): `good` passes all steps, `bad` half of them.

    Except for one equal and one unscored task.
    """
    root = tmp_path_factory.mktemp("paired")
    tasks = on_disk.tasks_of(root, *NAMES)
    config = on_disk.config(root)
    paths = on_disk.paths_of(config)
    for task in tasks:
        on_disk.judged(paths, "good", task, credited=2)
        if task.id == "a":
            on_disk.generation(paths, "bad", task, "failed", "server died")
        elif task.id == "b":
            on_disk.generation(paths, "bad", task, "missing", "no fence")
        else:
            on_disk.judged(paths, "bad", task, *((2, None) if task.id == "c" else (1, "page")))
    score(["good", "bad"], tasks, config, paths)
    return paths.folder, tasks, config


def test_differences_by_task(run):
    result = compare_sides(read_side(run[0] / "good"), read_side(run[0] / "bad"))
    assert (result["first"], result["second"], result["judge"], result["protocol"]) == (
        "r/good",
        "r/bad",
        "contract",
        "offline",
    )
    assert (result["tasks"], result["unscored"], result["won"], result["lost"], result["tied"]) == (
        7,
        1,
        0,
        6,
        1,
    )
    ifs = result["scores"]["ifs"]
    assert (ifs["first"], ifs["second"]) == (1.0, pytest.approx((0 + 1 + 5 * 0.5) / 7))
    assert ifs["difference"] == pytest.approx(ifs["second"] - ifs["first"])
    assert ifs["interval"][0] < ifs["difference"] < ifs["interval"][1] < 0
    assert ifs["p"] == pytest.approx(
        2 * 2**1 / 2**7
    )  # all signs equal but the one of the tie, both ways, out of 2^7
    assert result["scores"]["high"] is None


def test_a_model_against_itself(run):
    result = compare_sides(read_side(run[0] / "good"), read_side(run[0] / "good"))
    assert (
        result["tied"] == 8
        and result["scores"]["final"]["difference"] == 0.0
        and result["scores"]["final"]["p"] == 1.0
    )


def other_run(run, root, *overrides, prompt=None):
    """`good` again in a run of its own, with other settings."""
    _, tasks, _ = run
    config = on_disk.config(root, *overrides)
    paths = on_disk.paths_of(config)
    for task in tasks:
        on_disk.judged(paths, "good", task, credited=2)
        file = paths.task("good", task.id).generation
        record = read_record(file, Generation)
        write_record(
            file,
            record.model_copy(
                update={"fingerprint": record.fingerprint | {"prompt": prompt or "p"}}
            ),
        )
    score(["good"], tasks, config, paths)
    return paths.folder / "good"


@pytest.mark.parametrize(
    ("overrides", "prompt", "key"),
    [
        (["protocol.name=mine"], None, "protocol: offline and mine"),
        (["protocol.low=[ssim,ssim]"], None, r"protocol\.low"),
        ([], "another", "prompt: p and another"),
    ],
)
def test_runs_with_other_settings_are_refused_and_the_key_named(
    run, tmp_path, overrides, prompt, key
):
    other = other_run(run, tmp_path, *overrides, prompt=prompt)
    with pytest.raises(StaleRunError, match=key):
        compare_sides(read_side(run[0] / "good"), read_side(other))


def test_other_data_are_refused(run, tmp_path):
    tasks = on_disk.tasks_of(tmp_path, *NAMES, website="https://other.test")
    other = other_run((None, tasks, None), tmp_path)
    with pytest.raises(StaleRunError, match="data of task a"):
        compare_sides(read_side(run[0] / "good"), read_side(other))


def test_no_common_task_and_no_scores(run, tmp_path):
    tasks = on_disk.tasks_of(tmp_path, "z")
    other = other_run((None, tasks, None), tmp_path)
    with pytest.raises(DataError, match="share no task"):
        compare_sides(read_side(run[0] / "good"), read_side(other))
    with pytest.raises(DataError, match="holds no scores"):
        read_side(tmp_path / "nothing")


def test_several_protocols_in_one_folder_need_a_choice(run, tmp_path):
    folder = other_run(run, tmp_path)
    other_run(run, tmp_path, "protocol.name=mine")
    with pytest.raises(ConfigError) as error:
        read_side(folder)
    assert "judge=contract protocol=mine" in error.value.hint
    assert read_side(folder, protocol="mine").scores["a"].score.protocol == "mine"


def test_the_command(run, capsys):
    assert main(["compare", f"{run[0]}/good", f"{run[0]}/bad"]) == 0
    output = capsys.readouterr().out
    assert "r/good against r/bad: judge contract, protocol offline, 7 tasks" in output
    assert (
        "The second one is better on 0 tasks, worse on 6, equal on 1." in output
        and "Excluded: 1 task unscored in one of them." in output
    )
    assert main(["compare", f"{run[0]}/good", f"{run[0]}/bad", "protocol=offline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lost"] == 6
    assert main(["compare", f"{run[0]}/good"]) == 2


def test_a_refusal_is_one_message_without_traceback(run, tmp_path):
    other = other_run(run, tmp_path, prompt="another")
    done = subprocess.run(
        [sys.executable, "-m", "iwr", "compare", f"{run[0]}/good", str(other)],
        capture_output=True,
        text=True,
    )
    assert (
        done.returncode == 2
        and "prompt: p and another" in done.stderr
        and "Traceback" not in done.stderr
    )
