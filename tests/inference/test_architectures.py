"""Tiny random checkpoints of each architecture get the planned frames, with both engines.

The transformers engine runs here, in this process. vLLM, a server an architecture, runs with
--full; all twelve recordings of the matrix: python scripts/architecture_matrix.py
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import recordings
import tiny_models

from iwr import progress
from iwr.config import load_config
from iwr.inference.generate import generate
from iwr.records import Generation
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths

IMAGES_OR_VIDEO = (
    "glm4v",
    "glm46v",
    "glm4v_moe",
)  # transformers takes one of them in a question; vLLM takes both
SCRIPT = Path(__file__).parents[2] / "scripts" / "architecture_matrix.py"


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """One of fewer frames than a second has, one of an odd number of frames."""
    root = tmp_path_factory.mktemp("recordings")
    return [
        recordings.task(root, f"s{seconds}", seconds, rate, size=(160, 96))
        for seconds, rate in ((0.4, 10), (5.5, 10))
    ]


def answers(family, tasks, root, *overrides):
    path = tiny_models.build(family, root)
    settings = ["model.kind=transformers", f"model.path={path}", "model.max_tokens=4", *overrides]
    config, (model,) = load_config([f"model={tiny_models.CONFIGS[family]}", *settings])
    paths = RunPaths.of(root, "run")
    generate(tasks, model, config, paths, progress.silent)
    return [read_record(paths.task(model.name, task.id).generation, Generation) for task in tasks]


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
def test_transformers_shows_the_planned_frames(family, tasks, tmp_path):
    way = "frames" if family in IMAGES_OR_VIDEO else "native"
    found = answers(family, tasks, tmp_path, f"model.video={way}")
    assert [record.reason for record in found if record.status == "failed"] == []
    assert [(record.frames.planned, record.frames.delivered) for record in found] == [
        (2, 2),
        (5, 5),
    ]
    assert all(
        record.frames.delivered_tokens == record.frames.planned_tokens > 0 for record in found
    )


def test_what_transformers_refuses_fails_its_task_with_the_setting_that_helps(tasks, tmp_path):
    for record in answers("glm4v", tasks, tmp_path):
        assert (
            record.status == "failed"
            and "refused it" in record.reason
            and "model.video=frames" in record.reason
        )


@pytest.mark.vllm
@pytest.mark.full
@pytest.mark.parametrize("family", tiny_models.FAMILIES)
def test_vllm_shows_the_planned_frames(family, tmp_path):
    words = [
        sys.executable,
        SCRIPT,
        "--families",
        family,
        "--quick",
        "--runs",
        tmp_path,
        "--json",
        tmp_path / "found.json",
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=500)
    (row,) = json.loads((tmp_path / "found.json").read_text())
    assert (row["engine"], row["video"], row["audited"], row["passed"]) == (
        "vllm",
        "native",
        2,
        True,
    ), done.stdout
