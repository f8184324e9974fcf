"""The tables that people and scripts read."""

import csv
import json

import pytest
import runs_on_disk as on_disk

from iwr.records import Session, Usage
from iwr.report import print_leaderboard, write_report
from iwr.runs.files import write_record
from iwr.scores.stage import score

ROW = [
    "model",
    "judge",
    "protocol",
    "repeats",
    "tasks",
    "missing",
    "unscored",
    "ifs",
    "low",
    "high",
    "vfs",
    "final",
]
TASK = [
    "model",
    "task",
    "status",
    "reason",
    "steps",
    "passed",
    "ifs",
    "low",
    "high",
    "vfs",
    "final",
    "failed_step",
    "failed_by",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """(folder, rows) of two tasks; `weak` fails one and gives no page for the other."""
    tmp_path = tmp_path_factory.mktemp("report")
    tasks = on_disk.tasks_of(tmp_path, "a", "b")
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    for task in tasks:
        on_disk.judged(paths, "strong", task, credited=2)
    on_disk.judged(paths, "weak", tasks[0], credited=0, failed_by="action")
    on_disk.generation(paths, "weak", tasks[1], "missing", "no fence")
    on_disk.generation(paths, "lost", tasks[0], "failed", "engine | died <b>")
    models = ["weak", "lost", "strong"]
    score(models, tasks, config, paths)
    return paths.report, write_report(models, tasks, config, paths).rows


def test_leaderboard_json_has_exactly_the_promised_keys(report):
    folder, rows = report
    assert json.loads((folder / "leaderboard.json").read_text()) == rows
    assert all(list(row) == ROW for row in rows)
    assert [row["model"] for row in rows] == ["strong", "weak", "lost"]
    strong, weak, lost = rows
    assert (strong["final"], strong["high"], strong["unscored"]) == (1.0, None, 0)
    assert (weak["missing"], weak["ifs"], weak["low"]) == (1, 0.0, 0.5)
    assert (lost["unscored"], lost["final"]) == (2, None)


def test_tasks_jsonl_has_exactly_the_promised_keys(report):
    folder, _ = report
    lines = [json.loads(line) for line in (folder / "tasks.jsonl").read_text().splitlines()]
    assert all(list(line) == TASK for line in lines)
    by_key = {(line["model"], line["task"]): line for line in lines}
    assert len(by_key) == 6
    assert (
        by_key["weak", "a"]["failed_step"],
        by_key["weak", "a"]["failed_by"],
        by_key["weak", "a"]["passed"],
    ) == (1, "action", 0)
    assert (
        by_key["weak", "b"]["status"],
        by_key["weak", "b"]["final"],
        by_key["weak", "b"]["failed_by"],
    ) == ("missing", 0.0, None)
    assert (by_key["lost", "a"]["status"], by_key["lost", "a"]["final"]) == ("unscored", None)


def test_csv_is_the_same_table(report):
    folder, rows = report
    read = list(csv.DictReader((folder / "leaderboard.csv").open()))
    assert [line["model"] for line in read] == [row["model"] for row in rows]
    assert [line["final"] for line in read] == ["1.0", str(rows[1]["final"]), ""]


def test_the_markdown_names_judge_protocol_counts_and_keeps_published_scores_apart(report):
    folder, _ = report
    ours, _, theirs = (
        (folder / "report.md").read_text().partition("## Published scores, not comparable")
    )
    assert "Judge `contract`, protocol `offline`. offline: low-level = ssim (scikit-image" in ours
    assert "no high-level score, so VFS = low-level" in ours and "rapidocr" not in ours
    assert "| strong | 2 | 0 | 0 | 1.000 | 1.000 | - | 1.000 | 1.000 | 1.000 to 1.000 |" in ours
    assert "| weak | 0 | 0 | 1 | 0 | 1 | 0 |" in ours  # where pages failed
    assert "engine \\| died \\<b\\>" in ours  # hostile text stays in its cell
    assert "| lost | b | no page yet: run 'iwr generate' |".replace("'", "\\`") in ours
    assert "GPT-5" not in ours and theirs.count("\n| ") == 31 + 2


def test_intervals_baselines_and_parts_of_the_benchmark_are_shown(tmp_path):
    tasks = on_disk.tasks_of(tmp_path, "a", "b", "c")
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    for number, task in enumerate(tasks):
        on_disk.judged(paths, "oracle", task, credited=2, kind="oracle")
        on_disk.judged(
            paths, "blank", task, credited=0, failed_by="page", colour="black", kind="blank"
        )
        on_disk.judged(paths, "m", task, number, "page" if number < 2 else None, kind="vllm")
    score(["oracle", "m", "blank"], tasks, config, paths)
    write_report(["oracle", "m", "blank"], tasks, config, paths)
    text = (paths.report / "report.md").read_text()
    assert "Floor, from baselines that are no models: blank 0.000 (IFS 0.000, VFS 0.000)." in text
    assert "Ceiling, from baselines that are no models: oracle 1.000" in text
    assert "| oracle | 3 | 0 | 0 | 1.000 | 1.000 | - | 1.000 | 1.000 | 1.000 to 1.000 |" in text
    low, high = json.loads((paths.report / "intervals.json").read_text())["intervals"]["m"]["final"]
    assert 0.3 <= low < 0.65 < high <= 1.0 and f"{low:.3f} to {high:.3f}" in text
    assert "Intervals over fewer than 30 tasks are too narrow" in text
    assert (
        "## Final by domain\n\n| Domain | Tasks | oracle | m | blank |" in text
        and "| Shop | 3 | 1.000 |" in text
    )
    parts = json.loads((paths.report / "breakdown.json").read_text())
    assert {(row["axis"], row["value"]) for row in parts} == {
        ("domain", "Shop"),
        ("visual_complexity", "V1"),
        ("interaction_complexity", "L1"),
    }


def test_the_console_shows_every_number_when_it_is_not_a_terminal(report, capsys):
    print_leaderboard(report[1], "note [bold]as it is[/bold]")
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "judge contract, protocol offline",
        "Model   Tasks  Missing  Unscored    IFS    Low  High    VFS  Final",
        "strong      2        0         0  1.000  1.000     -  1.000  1.000",
        "weak        2        1         0  0.000  0.500     -  0.500  0.150",
        "lost        2        0         2      -      -     -      -      -",
        "note [bold]as it is[/bold]",
    ]


def test_tokens_per_second_and_gpu_hours_are_listed_by_model(tmp_path):
    tasks = on_disk.tasks_of(tmp_path, "a", "b", "c")
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    for task in tasks:
        on_disk.generation(paths, "blank", task, kind="blank")
        on_disk.generation(paths, "old", task, usage=Usage(completion_tokens=5), seconds=1)
    on_disk.generation(
        paths,
        "m",
        tasks[0],
        usage=Usage(prompt_tokens=1000, completion_tokens=3000),
        seconds=40,
        engine="vllm 0.33.0",
    )
    on_disk.generation(
        paths,
        "m",
        tasks[1],
        usage=Usage(prompt_tokens=1000, completion_tokens=2000),
        seconds=50,
        truncated=True,
    )
    on_disk.generation(paths, "m", tasks[2], "failed", "the server died")
    shared = dict(model="m", engine="vllm 0.33.0", gpus=2, start_seconds=100)
    write_record(
        paths.session("m", "20260101-000000-1"),
        Session(**shared, seconds=260, answered=1, prompt_tokens=1000, completion_tokens=3000),
    )
    write_record(
        paths.session("m", "20260101-000001-2"),
        Session(**shared, seconds=140, answered=1, prompt_tokens=1000, completion_tokens=2000),
    )
    write_report(["m", "old", "blank"], tasks, config, paths)
    m, old = json.loads((paths.report / "costs.json").read_text())
    assert m == {
        "model": "m",
        "engine": "vllm 0.33.0",
        "answers": 2,
        "truncated": 1,
        "truncated_share": 0.5,
        "prompt_tokens": 2000,
        "completion_tokens": 5000,
        "request_seconds": 90,
        "seconds": 400,
        "start_seconds": 200,
        "tokens_per_second": 12.5,
        "gpu_hours": pytest.approx(1200 / 3600),
    }
    assert (old["model"], old["completion_tokens"], old["tokens_per_second"], old["gpu_hours"]) == (
        "old",
        15,
        None,
        None,
    )
    row = "| m | vllm 0.33.0 | 2 | 1 | 50.0% | 2,000 | 5,000 | 90 | 400 | 200 | 12.5 | 0.33 |"
    assert row in (paths.report / "report.md").read_text()
    assert '<td class="n" data-value="12.5">12.5</td>' in (paths.report / "index.html").read_text()


def test_a_report_can_be_written_before_anything_is_scored(tmp_path):
    tasks = on_disk.tasks_of(tmp_path, "a")
    config = on_disk.config(tmp_path)
    (row,) = write_report(["m"], tasks, config, on_disk.paths_of(config)).rows
    assert (row["unscored"], row["final"]) == (1, None)
