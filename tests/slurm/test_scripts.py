"""Batch scripts are pure text: compared with golden files, letter by letter.

To accept a change: `IWR_RECORD_GOLDEN=1 scripts/test.sh tests/slurm/test_scripts.py`, then look at
`git diff`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from iwr.cli.main import main
from iwr.config import ClusterConfig
from iwr.pipeline.slurm import Job, sbatch_text

GOLDEN = Path(__file__).parent / "golden"
ARRAY = Path(__file__).parent.parent.parent / "slurm/array.sbatch"
LOGS = Path("/shared/runs/first/logs")
SITE = ClusterConfig(
    name="site",
    partition="gpu",
    account="lab",
    time="04:00:00",
    memory="64G",
    cpus=8,
    constraint="a100",
    at_once=2,
    options=["--qos=long"],
    prelude=["module load cuda/12.9"],
    launcher="apptainer exec --nv iwr.sif",
)
JOBS = {
    "generate": (
        Job(
            "iwr-first-demo-generate",
            [["generate", "model=demo", "run.name=first"]],
            LOGS,
            gpus=1,
            shards=4,
        ),
        SITE,
    ),
    "judge": (
        Job(
            "iwr-first-demo-judge",
            [["judge", "model=demo"], ["score", "model=demo"]],
            LOGS,
            shards=4,
            after="aftercorr:17",
        ),
        SITE,
    ),
    "report": (
        Job("iwr-first-report", [["report", "models=[demo,blank]"]], LOGS, after="afterany:18:19"),
        ClusterConfig(name="plain"),
    ),
}


def test_the_scripts_are_the_golden_ones():
    for name, job in JOBS.items():
        text = sbatch_text(*job)
        path = GOLDEN / f"{name}.sbatch"
        if os.environ.get("IWR_RECORD_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert text == path.read_text(), "see the top of this file"


def test_the_script_for_hand_use_has_the_same_body():
    """slurm/array.sbatch differs only in where its options and its command come from."""
    body = (
        sbatch_text(JOBS["report"][0], ClusterConfig(name="plain"))
        .split("set -uo pipefail")[1]
        .rsplit("run iwr", 1)[0]
    )
    assert body in ARRAY.read_text()


def test_shellcheck_finds_nothing():
    shellcheck = Path(sys.executable).parent / "shellcheck"
    command = [shellcheck, "--shell=bash", *sorted(GOLDEN.glob("*.sbatch")), ARRAY]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout


def test_settings_that_a_shell_would_touch_are_quoted():
    text = sbatch_text(
        Job("x", [["run", "models=[a,b]", "run.name=a b", "x='$HOME'"]], LOGS),
        ClusterConfig(name="plain"),
    )
    line = text.splitlines()[-1]
    process = subprocess.run(
        ["bash", "-c", f"run() {{ printf '%s\\n' \"$@\"; }}; {line}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.splitlines() == [
        "iwr",
        "run",
        "models=[a,b]",
        "run.name=a b",
        "x='$HOME'",
    ]


def test_a_dry_run_shows_the_whole_chain_without_a_cluster(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    settings = ["models=[oracle,blank]", f"run.root={tmp_path}", "run.name=first"]
    assert main(["submit", "--dry-run", *settings, "cluster.shards=3"]) == 0
    text = capsys.readouterr().out
    names = re.findall(r"^# ---- (.*)\.sbatch$", text, re.MULTILINE)
    assert names == [
        "iwr-first-oracle-generate",
        "iwr-first-oracle-judge",
        "iwr-first-blank-generate",
        "iwr-first-blank-judge",
        "iwr-first-report",
    ]
    assert text.count("#SBATCH --array=0-2") == 4
    assert "#SBATCH --dependency=aftercorr:<iwr-first-oracle-generate>" in text
    assert list(tmp_path.iterdir()) == []
