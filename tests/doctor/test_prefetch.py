"""`iwr prefetch` against a hub on this machine that speaks the real protocol, and without one."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hub import BROKEN, WEIGHTS, Hub

IWR = Path(sys.executable).parent / "iwr"
MODEL = ["model=hf", "model.path=org/name"]


@pytest.fixture
def hub():
    server = Hub()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


def prefetch(environment, *settings, code=0):
    process = subprocess.run(
        [IWR, "prefetch", "--json", *settings],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == code, process.stderr
    assert "Traceback" not in process.stderr
    return process


def test_sizes_come_first_and_local_files_are_not_fetched_again(hub, tmp_path):
    environment = hub.environment(tmp_path)
    process = prefetch(environment, *MODEL)
    assert process.stderr.splitlines()[0] == "hf  org/name  0.02 GB, 0.02 GB to fetch"
    folder = Path(json.loads(process.stdout)["hf"])
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    downloads = hub.downloads
    assert "hf  org/name  0.02 GB, here" in prefetch(environment, *MODEL).stderr
    assert hub.downloads == downloads
    doctor = subprocess.run(
        [IWR, "doctor", "--json", *MODEL],
        env=environment | {"IWR_CHROMIUM": "/no"},
        capture_output=True,
        text=True,
    )
    assert [
        result["status"] for result in json.loads(doctor.stdout) if result["check"] == "weights"
    ] == ["ok"]


def test_a_broken_connection_resumes_in_the_middle_of_the_file(hub, tmp_path):
    hub.trouble = "drop"
    folder = Path(json.loads(prefetch(hub.environment(tmp_path), *MODEL).stdout)["hf"])
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    (rest,) = hub.ranges
    assert 0 < int(rest.removeprefix("bytes=").split("-")[0]) <= BROKEN


@pytest.mark.full
def test_a_killed_download_keeps_complete_files(hub, tmp_path):
    environment = hub.environment(tmp_path)
    hub.trouble = "hang"
    process = subprocess.Popen(
        [IWR, "prefetch", *MODEL],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert hub.hung.wait(60)
    end = time.monotonic() + 30
    while not any(tmp_path.rglob("snapshots/*/config.json")):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.kill()
    process.wait()
    hub.release.set()
    before = hub.downloads
    folder = Path(json.loads(prefetch(environment, *MODEL).stdout)["hf"])
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.downloads == before + 1


def test_the_data_set_is_copied_to_its_root_and_loads(hub, tmp_path):
    settings = [
        "model=blank",
        "data=iwr_bench",
        f"data.root={tmp_path / 'data'}",
        "data.hub=org/data",
    ]
    environment = hub.environment(tmp_path / "cache")
    process = prefetch(environment, *settings)
    assert "data  org/data  " in process.stderr and " GB to fetch" in process.stderr
    assert json.loads(process.stdout)["data"] == str(tmp_path / "data")
    shown = subprocess.run([IWR, "validate", *settings], capture_output=True, text=True)
    assert shown.stdout == "1 tasks load, 0 faults\n", shown.stderr
    downloads = hub.downloads
    assert "org/data" not in prefetch(environment, *settings).stderr and hub.downloads == downloads


@pytest.mark.full
def test_a_packed_data_set_and_one_without_a_source(hub, tmp_path):
    root = tmp_path / "data"
    settings = ["model=blank", "data=iwr_bench", f"data.root={root}"]
    assert (
        "unpack data.zip"
        in prefetch(hub.environment(tmp_path), *settings, "data.hub=org/packed", code=2).stderr
    )
    shutil.rmtree(root)
    assert (
        "copy the data set there"
        in prefetch(hub.environment(tmp_path), *settings, "data.hub=null", code=2).stderr
    )
    assert (
        "org/none"
        in prefetch(hub.environment(tmp_path), *settings, "data.hub=org/none", code=2).stderr
    )


def test_a_disk_that_is_too_small_is_named_before_the_download(hub, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True
    ).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        process = prefetch(hub.environment(small), *MODEL, code=2)
    finally:
        subprocess.run(["umount", small], check=True)
    assert "to fetch, but" in process.stderr and str(small) in process.stderr and hub.downloads == 0


def test_without_a_network_the_missing_repository_is_named(tmp_path):
    environment = os.environ | {
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HUB_CACHE": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
    }
    process = prefetch(environment, *MODEL, code=2)
    assert (
        "size not known" in process.stderr
        and "cannot fetch org/name" in process.stderr
        and len(process.stderr.splitlines()) <= 4
    )
