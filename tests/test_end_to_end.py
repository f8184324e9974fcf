"""The main job on the bundled samples: the real command, vLLM, Chromium and OCR.

One run is killed (-9) in the middle of every stage and resumed; its table must be the one that the
protocol promises.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from iwr.tasks.load import load, samples_root
from scripts.chaos import descendants

MODELS = ("oracle", "demo", "screenshot", "blank")
SAMPLES = [task.id for task in load(samples_root(), None).tasks]
pytestmark = [pytest.mark.browser, pytest.mark.vllm, pytest.mark.timeout(1500)]


class Run:
    """`iwr` commands on one run folder, and what is left of their processes."""

    def __init__(self, folder: Path, models=MODELS):
        self.folder = folder / "run"
        self.mark = uuid.uuid4().hex  # every descendant inherits it, so survivors can be found
        self.heard = folder / "heard.txt"  # every address that a Python process asked for
        self.settings = [f"models=[{','.join(models)}]", f"run.root={folder}", "run.name=run"]

    def start(self, command: str = "run") -> subprocess.Popen:
        arguments = [sys.executable, "-m", "iwr", command, *self.settings]
        ears = {
            "PYTHONPATH": str(Path(__file__).parent / "eavesdrop"),
            "IWR_EAVESDROP": str(self.heard),
        }
        environment = os.environ | {"IWR_TEST_MARK": self.mark} | ears
        return subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, text=True)

    def finish(self, command: str = "run") -> str:
        process = self.start(command)
        _, log = process.communicate()
        assert process.returncode == 0, log
        return log

    def kill_when(self, pattern: str) -> dict[Path, int]:
        """Kill -9 as soon as a file matches `pattern`. Return the records so far, with times."""
        process = self.start()
        while not any(self.folder.glob(pattern)):
            assert process.poll() is None, (
                f"ended before {pattern} was there: {process.stderr.read()}"
            )
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return {
            path: path.stat().st_mtime_ns
            for path in self.folder.glob("*/*/**/*.json")
            if "manifests" not in path.parts
        }

    def survivors(self) -> list[str]:
        return descendants(self.mark)

    def rows(self) -> dict[str, dict]:
        return {
            row["model"]: row
            for row in json.loads((self.folder / "report/leaderboard.json").read_text())
        }

    def tasks(self) -> dict[tuple[str, str], dict]:
        lines = (self.folder / "report/tasks.jsonl").read_text().splitlines()
        return {(row["model"], row["task"]): row for row in map(json.loads, lines)}


def gone_within(run: Run, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while run.survivors():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that was killed in every stage, then finished."""
    run = Run(tmp_path_factory.mktemp("end_to_end"))
    for pattern in (
        "demo/*/generation.json",
        "demo/*/judge-contract/rollout.json",
        "*/*/judge-contract/score-offline.json",
    ):
        before = run.kill_when(pattern)
        assert gone_within(run, 20), run.survivors()
        run.kept = getattr(run, "kept", {}) | before
    run.finish()
    return run


def test_finished_work_is_not_repeated_after_a_kill(finished):
    repeated = [
        path for path, time_ns in finished.kept.items() if path.stat().st_mtime_ns != time_ns
    ]
    assert repeated == []


def test_no_process_is_left(finished):
    assert gone_within(finished, 20), finished.survivors()


def test_nothing_asked_for_the_network(finished):
    """As on a compute node: only this machine, by name or number, and local sockets."""
    heard = finished.heard.read_text().splitlines()
    own = {
        f"'{host}'" for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", socket.gethostname())
    }
    assert any("127.0.0.1" in line for line in heard)  # it does listen
    assert [
        line
        for line in heard
        if (host := line.split()[1]) not in own and not host.startswith(("'/", "b'", "None"))
    ] == []


def test_what_is_planned_is_what_is_asked(finished, tmp_path):
    """The tokens that `iwr plan` counts before any model runs, and those that vLLM counted."""
    plan = Run(tmp_path, ["demo"])
    command = [sys.executable, "-m", "iwr", "plan", "--json", *plan.settings]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    stage = json.loads(process.stdout)["stages"][0]
    answers = [
        json.loads(path.read_text()) for path in finished.folder.glob("demo/*/generation.json")
    ]
    assert stage["requests"] == len(answers)
    assert stage["video_tokens"] == sum(each["frames"]["delivered_tokens"] for each in answers)
    prompts = sum(each["usage"]["prompt_tokens"] for each in answers)
    assert prompts <= stage["prompt_tokens"] <= 1.5 * prompts  # rounded up


def test_every_model_has_a_row_that_carries_protocol_and_judge(finished):
    rows = finished.rows()
    assert tuple(sorted(rows)) == tuple(sorted(MODELS))
    for row in rows.values():
        assert (row["judge"], row["protocol"]) == ("contract", "offline")
        assert row["tasks"] == len(SAMPLES)
        assert (row["missing"], row["unscored"], row["high"]) == (0, 0, None)


def test_the_true_pages_are_the_ceiling(finished):
    for sample in SAMPLES:
        assert finished.tasks()["oracle", sample]["ifs"] == 1.0, sample
    assert finished.rows()["oracle"]["final"] >= 0.98


def test_empty_and_still_pages_are_the_floor(finished):
    rows = finished.rows()
    assert rows["blank"]["ifs"] <= 0.15
    assert rows["screenshot"]["vfs"] > rows["blank"]["vfs"]
    assert rows["screenshot"]["ifs"] < 0.3 * rows["oracle"]["ifs"]


def test_the_demo_model_watched_the_recordings(finished):
    """Where it wrote the true page, its scores are oracle's; it must write at least four."""
    exact = 0
    for sample in SAMPLES:
        page, true = (
            finished.folder / "demo" / sample / "index.html",
            samples_root() / "data" / sample / "page/index.html",
        )
        if page.read_bytes() == true.read_bytes():
            exact += 1
            demo, oracle = (finished.tasks()[model, sample] for model in ("demo", "oracle"))
            assert demo | {"model": "oracle"} == oracle
    assert exact >= 4


def test_the_manifest_names_what_the_numbers_were_made_with(finished):
    (setup, *_) = json.loads((finished.folder / "manifest.json").read_text())["setups"]
    assert setup["versions"]["playwright"]
    assert setup["settings"]["protocol"]["name"] == "offline"
    assert setup["data"]["tasks"] == len(SAMPLES)


def test_a_finished_run_says_so_and_loads_nothing_heavy(finished):
    code = (
        "import sys; from iwr.cli.main import main; status = main(sys.argv[1:])\n"
        "heavy = {'torch', 'vllm', 'transformers', 'playwright', 'cv2', 'rapidocr'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy; sys.exit(status)"
    )
    table = (finished.folder / "report/leaderboard.json").read_bytes()
    process = subprocess.run(
        [sys.executable, "-c", code, "run", *finished.settings], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    assert "nothing to do" in process.stderr
    assert (finished.folder / "report/leaderboard.json").read_bytes() == table


def test_changed_settings_stop_with_the_keys_and_the_choices(finished):
    command = [sys.executable, "-m", "iwr", "run", *finished.settings, "protocol.max_frames=8"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 2
    assert "max_frames: 64 -> 8" in process.stderr
    assert all(
        choice in process.stderr for choice in ("resume", "run.on_change=overwrite", "run.name")
    )
    assert "Traceback" not in process.stderr
