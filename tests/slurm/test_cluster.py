"""The whole chain on a real SLURM of one node: disturbed, with the result of a local run."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cluster import Cluster, why_not

from iwr.runs.content import content as run_content

MODELS = ["oracle", "screenshot"]
FEW = ["film-rating", "shop-cart", "signup-form"]
IWR = Path(sys.executable).parent / "iwr"
SITE = [
    "cluster.memory=1G",
    "cluster.cpus=1",
    "cluster.gres=null",
    f"cluster.prelude=['export PATH={IWR.parent}:$PATH']",
]

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.full,  # ten minutes on two cores
    pytest.mark.browser,
    pytest.mark.timeout(900),
    pytest.mark.skipif(why_not() is not None, reason=f"SLURM cannot be started: {why_not()}"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


def content(folder: Path) -> dict[str, str]:
    return run_content(folder / "run")


def settings(folder: Path, tasks=None) -> list[str]:
    chosen = [f"data.tasks=[{','.join(tasks)}]"] if tasks else []
    return [
        f"models=[{','.join(MODELS)}]",
        f"run.root={folder}",
        "run.name=run",
        f"run.cache={folder.parent}/cache",
        *chosen,
    ]


def iwr(cluster: Cluster, *arguments: str) -> str:
    process = subprocess.run(
        [IWR, *arguments], env=cluster.environment, capture_output=True, text=True
    )
    assert process.returncode in (0, 1), process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def local(tmp_path_factory, cluster):
    """A run over a few samples without SLURM, and the folder for the others."""
    folder = tmp_path_factory.mktemp("runs")
    iwr(cluster, "run", *settings(folder / "few", FEW))
    return {"few": content(folder / "few"), "folder": folder}


def submit(cluster: Cluster, folder: Path, *more: str, tasks=FEW) -> dict[str, str]:
    jobs = json.loads(iwr(cluster, "submit", "--json", *settings(folder, tasks), *SITE, *more))
    return {name.removeprefix("iwr-run-"): job for name, job in jobs.items()}


def judging(folder: Path) -> bool:
    return any(folder.glob("run/*/*/judge-contract/rollout.json"))


def wait_for(condition, seconds=120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.05)


def test_arrays_of_four_give_the_same_as_a_local_run(cluster, local):
    folder = local["folder"] / "arrays"
    iwr(cluster, "run", *settings(local["folder"] / "all"))
    jobs = submit(cluster, folder, "cluster.shards=4", tasks=None)
    assert list(jobs) == [
        "oracle-generate",
        "oracle-judge",
        "screenshot-generate",
        "screenshot-judge",
        "report",
    ]
    cluster.wait_for(*jobs.values())
    assert content(folder) == content(local["folder"] / "all")
    rows = json.loads(iwr(cluster, "status", "--json", *settings(folder), "run.shards=4"))
    assert all((row["pending"], row["failed"], row["running"]) == (0, 0, False) for row in rows)
    assert len(rows) == len(MODELS) * 4 * 3


def test_a_requeue_in_the_middle_loses_and_repeats_nothing(cluster, local):
    folder = local["folder"] / "requeued"
    jobs = submit(cluster, folder, "cluster.shards=1")
    wait_for(lambda: judging(folder))
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("rollout.json")}
    cluster.run("scontrol", "requeue", f"{jobs['oracle-judge']}_0")
    release(cluster, jobs, "oracle-judge")
    assert content(folder) == local["few"]
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in times.items())


def release(cluster: Cluster, jobs: dict[str, str], name: str) -> None:
    """SLURM holds a requeued job back for two minutes; the test does not wait for that."""
    deadline = time.monotonic() + 300
    while cluster.states().get(f"{jobs[name]}_0") != "COMPLETED" and time.monotonic() < deadline:
        cluster.run("scontrol", "update", f"JobId={jobs[name]}_0", "StartTime=now", check=False)
        time.sleep(1)
    cluster.wait_for(*jobs.values())


def test_cancelled_and_submitted_again(cluster, local):
    folder = local["folder"] / "cancelled"
    jobs = submit(cluster, folder, "cluster.shards=2")
    wait_for(lambda: judging(folder))
    cluster.run("scancel", *jobs.values())
    cluster.wait_for(*jobs.values())
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("rollout.json")}
    cluster.wait_for(*submit(cluster, folder, "cluster.shards=2").values())
    assert content(folder) == local["few"]
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in times.items())


def test_the_warning_before_the_time_limit_queues_the_element_again(cluster, local):
    folder = local["folder"] / "limited"
    jobs = submit(cluster, folder, "cluster.shards=1", "cluster.time=1", "cluster.warn_seconds=55")
    release(cluster, jobs, "oracle-judge")
    assert content(folder) == local["few"]


@pytest.mark.parametrize("with_jobs", [False, True], ids=["its daemon", "all of it"])
def test_a_node_that_dies_and_comes_back(cluster, local, with_jobs):
    folder = local["folder"] / f"node-{with_jobs}"
    jobs = submit(cluster, folder, "cluster.shards=1")
    wait_for(lambda: judging(folder))
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("rollout.json")}
    cluster.restart_slurmd(with_jobs=with_jobs)
    release(cluster, jobs, "oracle-judge")
    assert content(folder) == local["few"]
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in times.items())


def test_a_sweep_with_the_submitit_launcher(cluster, local):
    folder = local["folder"] / "sweep"
    chosen = [setting for setting in settings(folder, FEW) if not setting.startswith("models=")]
    launcher = [
        "hydra/launcher=submitit_slurm",
        "hydra.launcher.mem_gb=1",
        "hydra.launcher.cpus_per_task=1",
        "hydra.launcher.timeout_min=10",
        f"hydra.sweep.dir={folder.parent}/multirun",
    ]
    command = [
        sys.executable,
        "-m",
        "iwr.pipeline.sweep",
        "--multirun",
        f"model={','.join(MODELS)}",
        *chosen,
        *launcher,
    ]
    process = subprocess.run(
        command, env=cluster.environment, capture_output=True, text=True, cwd=folder.parent
    )
    assert process.returncode == 0, process.stderr
    iwr(cluster, "report", *settings(folder, FEW))
    assert content(folder) == local["few"]


def test_two_elements_on_the_same_shard_take_turns(cluster, local):
    folder = local["folder"] / "twice"
    script = Path(__file__).parent.parent.parent / "slurm/array.sbatch"
    log = f"--output={folder.parent}/twice-%a.log"
    path = f"{IWR.parent}:{os.environ['PATH']}"
    options = ["--parsable", "--array=0-1", "--mem=1G", "--cpus-per-task=1", log]
    job = cluster.run(
        "sbatch", *options, str(script), "run", *settings(folder, FEW), "run.shard=0", PATH=path
    )
    cluster.wait_for(job)
    assert content(folder) == local["few"]
    logs = "".join(path.read_text() for path in folder.parent.glob("twice-*.log"))
    for model in MODELS:
        for task in FEW:
            assert len(re.findall(rf"judg\w+ \d/\d: .*{model}.*{task}", logs)) == 1, logs
