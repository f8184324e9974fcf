"""A sweep: Hydra reads choices of config files, values are those of every other command."""

import subprocess
import sys

import pytest

from iwr.errors import ConfigError
from iwr.pipeline.sweep import sorted_by_reader


def test_hydra_reads_the_choices_and_no_value():
    choices = [
        "--multirun",
        "--config-dir",
        "site",
        "hydra/launcher=submitit_slurm",
        "hydra.launcher.mem_gb=1",
        "model=demo,blank",
        "judge@judge=contract",
    ]
    settings = [
        "models=[demo,blank]",
        "run.root=/ckpt/epoch=9,step=8 (1) C#",
        "+server.environment.X=${HOME}",
        "~protocol.metrics.ocr",
    ]
    mixed = [*choices[:4], *settings[:2], *choices[4:], *settings[2:]]
    assert sorted_by_reader(mixed) == (choices, settings)


def test_a_wrong_model_stops_the_sweep_before_any_job():
    with pytest.raises(ConfigError, match="model=blnk"):
        sorted_by_reader(["--multirun", "models=[demo,blnk]"])
    command = [sys.executable, "-m", "iwr.pipeline.sweep", "--multirun", "models=[demo,blnk]"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert process.returncode == 1 and process.stdout == ""
    assert "did you mean blank?" in process.stderr and "Traceback" not in process.stderr
