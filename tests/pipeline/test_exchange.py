"""`iwr import` and `iwr export`: the files of the reference evaluator, in and out."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import mean

import pytest
import runs_on_disk as runs

from iwr.config import load_config
from iwr.digests import file_digest
from iwr.records import Pair, Rubric, ScoreStatus, TaskScore
from iwr.runs.files import write_record

IWR = Path(sys.executable).parent / "iwr"
TASKS = "data.tasks=[film-rating,shop-cart]"


def iwr(*arguments, code=0):
    process = subprocess.run(
        [IWR, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    assert process.returncode == code, process.stderr
    assert "Traceback" not in process.stderr
    return process


def pages(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.glob("*/*/index.html")
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(folder of a run of two baselines, the same in the reference's layout)"""
    root = tmp_path_factory.mktemp("exported")
    settings = ["models=[oracle,screenshot]", TASKS, f"run.root={root}", "run.name=first"]
    iwr("generate", *settings)
    written = json.loads(iwr("export", "--json", f"to={root / 'outputs'}", *settings).stdout)
    assert [(row["model"], row["pages"], row["scored"]) for row in written] == [
        ("oracle", 2, 0),
        ("screenshot", 2, 0),
    ]
    return root / "first", root / "outputs"


def test_what_goes_out_comes_back_byte_for_byte(exported, tmp_path):
    run, outputs = exported
    process = iwr("import", f"from={outputs}", TASKS, f"run.root={tmp_path}", "run.name=back")
    assert "oracle: 2 pages, 0 empty, 0 tasks without a page" in process.stdout
    assert pages(tmp_path / "back") == pages(run) != {}
    following = next(line for line in process.stdout.splitlines() if "model.name=oracle" in line)
    assert "nothing to do" in iwr("generate", *shlex.split(following.split("iwr run ")[1])).stderr
    record = json.loads((tmp_path / "back/oracle/shop-cart/generation.json").read_text())
    assert (record["status"], record["usage"]["completion_tokens"], record["frames"]) == (
        "ok",
        None,
        None,
    )  # not known, not invented
    iwr(
        "export",
        f"to={tmp_path / 'again'}",
        "models=[oracle,screenshot]",
        TASKS,
        f"run.root={tmp_path}",
        "run.name=back",
    )
    assert pages(tmp_path / "again").keys() == pages(outputs).keys()


def test_exported_pages_find_their_assets_on_disk(exported):
    _, outputs = exported
    page = outputs / "film-rating/oracle/index.html"
    asset = page.read_text().split('src="')[1].split('"')[0]
    assert asset.startswith("../") and (page.parent / asset).is_file()


def test_import_knows_empty_absent_and_changed_pages(exported, tmp_path):
    outputs = tmp_path / "outputs"
    shutil.copytree(exported[1], outputs)
    settings = [f"from={outputs}", "only=oracle", TASKS, f"run.root={tmp_path}", "run.name=r"]
    (outputs / "shop-cart/oracle/index.html").write_text("")
    (row,) = json.loads(iwr("import", "--json", *settings).stdout)
    assert (row["pages"], row["empty"], row["absent"]) == (1, 1, 0)
    missing = json.loads((tmp_path / "r/oracle/shop-cart/generation.json").read_text())
    assert (missing["status"], missing["reason"]) == ("missing", "the page is empty")
    time_ns = (tmp_path / "r/oracle/film-rating/generation.json").stat().st_mtime_ns
    iwr("import", *settings)
    assert (
        tmp_path / "r/oracle/film-rating/generation.json"
    ).stat().st_mtime_ns == time_ns  # nothing to do
    (outputs / "film-rating/oracle/index.html").write_text("<p>other")
    iwr("import", *settings)
    assert (tmp_path / "r/oracle/film-rating/index.html").read_text() == "<p>other"
    record = json.loads((tmp_path / "r/oracle/film-rating/generation.json").read_text())
    assert record["page_sha256"] == file_digest(tmp_path / "r/oracle/film-rating/index.html")


@pytest.mark.browser
def test_an_imported_page_is_judged_with_its_assets(exported, tmp_path):
    settings = [
        "data.tasks=[film-rating]",
        f"run.root={tmp_path}",
        "run.name=r",
        "protocol.low=[ssim]",
        "~protocol.metrics.ocr",
    ]
    iwr("import", f"from={exported[1]}", "only=oracle", *settings)
    path = tmp_path / "r/oracle"
    (row,) = json.loads(
        iwr(
            "run", "--json", "model=directory", "model.name=oracle", f"model.path={path}", *settings
        ).stdout
    )
    assert (row["model"], row["ifs"], row["low"], row["unscored"]) == ("oracle", 1.0, 1.0, 0)
    iwr(
        "export",
        f"to={tmp_path / 'out'}",
        "model=directory",
        "model.name=oracle",
        f"model.path={path}",
        *settings,
    )
    shots = sorted(
        (tmp_path / "out/film-rating/oracle/evalpoints").iterdir(), key=lambda shot: int(shot.stem)
    )
    judged = [path / f"film-rating/judge-contract/step_{k}.png" for k in range(len(shots))]
    assert [shot.read_bytes() for shot in shots] == [shot.read_bytes() for shot in judged]


def test_scores_go_out_as_the_reference_evaluator_reads_them(tmp_path):
    """Its report's numbers, computed from eval.json in its own way, are those of our records."""
    tasks = runs.tasks_of(tmp_path, "a", "b")
    settings = [*runs.settings(tmp_path)[:4], "protocol=paper", "model=oracle", "model.name=Mine"]
    config, _ = load_config(settings)
    paths = runs.paths_of(config)
    runs.generation(paths, "Mine", tasks[1], status="missing", reason="no page")
    steps = runs.steps(paths, "Mine", tasks[0], credited=2)
    words = Rubric(layout=1, elements=2, content=3, style=4, overall=5, total=15, reason="pale")
    runs.generation(paths, "Mine", tasks[0])
    paths.task("Mine", "a").page.write_text("x")
    runs.rollout(
        paths, "Mine", tasks[0], (steps[0].model_copy(update={"rubric": words}), *steps[1:])
    )
    names = {"model": "Mine", "judge": "contract", "protocol": "paper", "steps": 2}
    pairs = tuple(
        Pair(
            step=step,
            reference_sha256="r",
            candidate_sha256="c",
            metrics={"ocr": ocr, "dino": 0.8},
            low=(ocr + 0.8) / 2,
            high=high,
        )
        for step, ocr, high in ((0, 0.5, 0.15), (2, 0.7, 0.4))
    )
    for task, status, values in (
        (
            tasks[0],
            ScoreStatus.OK,
            {
                "passed": 2,
                "ifs": 1.0,
                "low": 0.7,
                "high": 0.275,
                "vfs": 0.4875,
                "final": 0.84625,
                "pairs": pairs,
            },
        ),
        (
            tasks[1],
            ScoreStatus.MISSING,
            dict.fromkeys(("ifs", "low", "high", "vfs", "final"), 0.0) | {"passed": 0},
        ),
    ):
        files = paths.task("Mine", task.id)
        inputs = {
            "input.generation": files.generation,
            "input.rollout": files.judge("contract").rollout,
        }
        made_from = {
            key: file_digest(file) if file.exists() else "none" for key, file in inputs.items()
        }
        write_record(
            files.judge("contract").score("paper"),
            TaskScore(task=task.id, status=status, fingerprint=made_from, **names, **values),
        )

    outputs = tmp_path / "outputs"
    (written,) = json.loads(iwr("export", "--json", f"to={outputs}", *settings).stdout)
    assert written == {"model": "Mine", "pages": 1, "scored": 2, "left_out": 0}
    evaluation = json.loads((outputs / "a/mine/eval.json").read_text())
    assert (evaluation["total_step"], evaluation["success_step"], evaluation["all_mllm_res"]) == (
        2,
        2,
        ["pale", ""],
    )
    assert [Path(shot).is_file() for shot in evaluation["screenshot_paths_to_eval"]] == [True, True]
    assert [entry["result"] for entry in evaluation["assertion_results"]] == ["Yes", "Yes"]
    ocr, dino, points = (
        mean(evaluation[f"all_{name}_scores"][: evaluation["success_step"] + 1])
        for name in ("ocr", "dino", "mllm")
    )
    ifs, low = evaluation["success_step"] / evaluation["total_step"], (ocr + dino) / 2
    vfs = 0.5 * low + 0.5 * points
    row = [ifs, ocr, dino, low, points, vfs, 0.7 * ifs + 0.3 * vfs]
    _, _, _, _, first, second, average = (
        (outputs / "reports/mine_metrics.md").read_text().splitlines()
    )
    assert first == "| a | " + " | ".join(f"{100 * value:.2f}" for value in row) + " |"
    assert second == "| b | " + " | ".join(["0.00"] * 7) + " |"  # the reference would leave it out
    assert average == "| avg | " + " | ".join(f"{50 * value:.2f}" for value in row) + " |"


def test_mistakes_are_named(exported, tmp_path):
    _, outputs = exported
    run = [f"run.root={tmp_path}", "run.name=r", TASKS]
    assert "import needs from=" in iwr("import", *run, code=2).stderr
    assert "write only=oracle" in iwr("import", "contestant=oracle", *run, code=2).stderr
    assert (
        "holds no <task>/<model>/index.html"
        in iwr("import", f"from={tmp_path}", *run, code=2).stderr
    )
    again = iwr(
        "export",
        f"to={outputs}",
        "models=[oracle]",
        f"run.root={outputs.parent}",
        "run.name=first",
        TASKS,
        code=2,
    )
    assert "exists already" in again.stderr
