"""Batch scripts are pure text: compared with golden files, letter by letter.

To accept a change: `IWR_RECORD_GOLDEN=1 scripts/test.sh tests/slurm/test_scripts.py`, then look at
`git diff`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("name", JOBS)
def test_the_script_is_the_golden_one(name):
    text = sbatch_text(*JOBS[name])
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


@pytest.mark.parametrize(
    "path", [*sorted(GOLDEN.glob("*.sbatch")), ARRAY], ids=lambda path: path.name
)
def test_shellcheck_finds_nothing(path):
    done = subprocess.run(
        [str(Path(sys.executable).parent / "shellcheck"), "--shell=bash", path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_settings_that_a_shell_would_touch_are_quoted():
    text = sbatch_text(
        Job("x", [["run", "models=[a,b]", "run.name=a b", "x='$HOME'"]], LOGS),
        ClusterConfig(name="plain"),
    )
    line = text.splitlines()[-1]
    shown = subprocess.run(
        ["bash", "-c", f"run() {{ printf '%s\\n' \"$@\"; }}; {line}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.splitlines() == ["iwr", "run", "models=[a,b]", "run.name=a b", "x='$HOME'"]
