"""`iwr doctor` as a user runs it, on this machine as it is and with parts taken away."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from iwr.tasks.load import samples_root

BIN = Path(sys.executable).parent
NO_BROWSER = {"IWR_CHROMIUM": "/nothing/here"}  # quick: the browser has tests of its own
GPU = "{index}, GPU-{index}, NVIDIA H100 80GB HBM3, {total}, {free}"


def doctor(*settings, before=(), **environment):
    """(exit code, findings by check)"""
    command = [*before, BIN / "iwr", "doctor", "--json", *settings]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, timeout=120
    )
    assert "Traceback" not in done.stderr, done.stderr
    findings = {}
    for finding in json.loads(done.stdout):
        findings.setdefault(finding["check"], []).append(finding)
        assert finding["status"] in ("ok", "warn", "fail") and (
            finding["status"] == "ok" or finding["fix"]
        )
    failed = any(finding["status"] == "fail" for found in findings.values() for finding in found)
    assert done.returncode == int(failed)
    return findings


def said(findings, check):
    return [(finding["status"], finding["found"]) for finding in findings[check]]


def script(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder


# ---- this machine -------------------------------------------------------------------------------


@pytest.mark.browser
def test_it_is_right_about_this_machine_and_loads_nothing_heavy():
    code = (
        "import sys; from iwr.cli.main import main; code = main(['doctor', 'model=oracle'])\n"
        "print(*sorted({'torch', 'vllm', 'transformers'} & set(sys.modules)), code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    *report, end, loaded_and_code = done.stdout.splitlines()
    assert loaded_and_code == "0", done.stdout + done.stderr  # nothing heavy, exit code 0
    assert end == "everything that these settings need is here"
    status = {line[5:17].strip(): line[:5].strip() for line in report if line[:5].strip()}
    needed = (
        "machine",
        "run.root",
        "temporary",
        "vllm",
        "gpu",
        "browser",
        "data",
        "pages",
        "metrics",
        "port",
    )
    assert {status[check] for check in needed} == {"ok"}
    assert any(line.startswith("ok   browser     Chromium ") for line in report)
    assert (
        "ok   data        samples: 8 tasks in " in done.stdout
        and "ok   pages       oracle: 8 of 8 tasks have a page" in done.stdout
    )


def test_without_programs_it_names_each_with_its_fix(tmp_path):
    found = doctor("model=blank", PATH=str(tmp_path), PLAYWRIGHT_BROWSERS_PATH=str(tmp_path))
    (browser,) = found["browser"]
    assert browser["status"] == "fail" and "apt install chromium" in browser["fix"]
    assert (
        said(found, "sandbox")[0][0] == "warn"
        and "without a network namespace" in said(found, "sandbox")[0][1]
    )
    assert said(found, "fonts")[0][0] == "warn" and "fonts-liberation" in found["fonts"][0]["fix"]
    assert said(found, "slurm") == [("ok", "not here; only `iwr submit` needs it")]


def test_a_browser_that_is_none_and_fonts_that_are_others(tmp_path):
    config = tmp_path / "fonts.conf"
    config.write_text(
        f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}</cachedir></fontconfig>"
    )
    found = doctor("model=blank", IWR_CHROMIUM="/bin/false", FONTCONFIG_FILE=str(config))
    assert "does not start" in said(found, "browser")[0][1]
    if shutil.which("fc-match"):
        assert "Liberation" in said(found, "fonts")[0][1] and said(found, "fonts")[0][0] == "warn"


# ---- models -------------------------------------------------------------------------------------


def test_gpus_are_held_against_the_model(tmp_path):
    """The one fake: what `nvidia-smi` prints."""

    def gpu(free, *settings, total=81559, **environment):
        cards = "\n".join(GPU.format(index=index, total=total, free=free) for index in range(2))
        path = script(
            tmp_path,
            "nvidia-smi",
            f'case "$1" in --list-gpus) printf "GPU 0: x\\nGPU 1: x\\n";; *) echo "{cards}";; esac',
        )
        environment |= {"PATH": f"{path}:{os.environ['PATH']}"} | NO_BROWSER
        return said(doctor(*settings, **environment), "gpu")[0]

    status, text = gpu(81000, "model=qwen2_5_vl_7b")
    assert (
        status == "ok"
        and "NVIDIA H100 80GB HBM3 86 GB (85 free)" in text
        and "17 GB of weights on each of 1" in text
    )
    assert gpu(81000, "model=qwen2_5_vl_72b")[0] == "fail"  # four are needed, two are here
    status, text = gpu(81000, "model=qwen2_5_vl_72b", "model.gpus=2")
    assert status == "ok" and "74 GB of weights on each of 2" in text
    status, text = gpu(24000, "model=qwen2_5_vl_7b", total=24564)
    assert (
        status == "warn" and "17 GB of weights on each of 1, 10 GB beside them are advised" in text
    )
    assert gpu(81000, "model=qwen2_5_vl_72b", "model.gpus=1")[0] == "fail"  # 147 GB on one
    status, text = gpu(40000, "model=qwen2_5_vl_7b")
    assert status == "fail" and "others hold its memory" in text
    assert (
        gpu(40000, "model=qwen2_5_vl_7b", "model.engine_args.gpu-memory-utilization=0.4")[0] == "ok"
    )
    assert "2 are needed, 1 here" in gpu(81000, "model=qwen2_5_vl_32b", CUDA_VISIBLE_DEVICES="1")[1]


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="a GPU may be here")
def test_without_a_gpu_a_large_model_fails_and_a_baseline_needs_none():
    found = doctor("model=qwen3_vl_235b_thinking", **NO_BROWSER)
    status, text = said(found, "gpu")[0]
    assert status == "fail" and "471.00 GB of weights" in text and "srun" in found["gpu"][0]["fix"]
    assert said(doctor("model=blank", **NO_BROWSER), "gpu") == [
        ("ok", "none here; these settings need none")
    ]


@pytest.mark.full
def test_without_vllm_only_models_that_it_serves_fail(tmp_path):
    """The same Python with every installed package but vLLM."""
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith("vllm"):
            (tmp_path / entry.name).symlink_to(entry)
    code = (
        f"import site, sys; site.addsitedir({str(tmp_path)!r})\n"
        "from iwr.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )

    def vllm(model):
        command = [sys.executable, "-S", "-c", code, "doctor", "--json", f"model={model}"]
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | NO_BROWSER, timeout=120
        )
        return next(finding for finding in json.loads(done.stdout) if finding["check"] == "vllm")

    assert vllm("demo")["status"] == "fail" and "scripts/setup.sh" in vllm("demo")["fix"]
    assert vllm("blank")["found"] == "vLLM is not installed; these settings do not need it"


def test_weights_that_are_absent_or_cut_off_are_named(tmp_path):
    caches = {
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "TORCH_HOME": str(tmp_path / "torch"),
    } | NO_BROWSER
    settings = ("model=qwen2_5_vl_7b", "judge=qwen3_vl_8b", "protocol=local")
    found = doctor(*settings, **caches)
    assert [status for status, _ in said(found, "weights") + said(found, "metrics")] == ["fail"] * 4
    assert all("iwr prefetch" in finding["fix"] for finding in found["weights"] + found["metrics"])
    names = [text.split(":")[0] for _, text in said(found, "weights")]
    assert names == ["model qwen2_5_vl_7b", "judge qwen3_vl_8b"]

    snapshot = tmp_path / "hub/models--Qwen--Qwen2.5-VL-7B-Instruct/snapshots/abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs/main").write_text("abc")
    (snapshot / "config.json").write_text("{}")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    (snapshot / "model-1.safetensors").write_bytes(b"0" * 20_000_000)
    status, text = said(doctor(*settings, **caches), "weights")[0]
    assert status == "fail" and text.endswith("not there: model-2.safetensors")
    (snapshot / "model-2.safetensors").write_bytes(b"0" * 30_000_000)
    assert said(doctor(*settings, **caches), "weights")[0] == (
        "ok",
        "model qwen2_5_vl_7b: Qwen/Qwen2.5-VL-7B-Instruct, 0.05 GB",
    )


def test_a_wrong_path_is_no_model(tmp_path):
    found = doctor("model=hf", f"model.path={tmp_path}", **NO_BROWSER)
    assert (
        said(found, "weights")[0][0] == "fail" and "no config.json" in said(found, "weights")[0][1]
    )


@pytest.mark.full
def test_a_server_of_others_is_asked():
    class Models(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"data": [{"id": "mine"}]}).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Models) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = (
            "model=hf",
            "model.path=mine",
            "server=external",
            f"server.url=http://127.0.0.1:{server.server_port}/v1",
        )
        found = doctor(*settings, **NO_BROWSER)
        assert [status for status, _ in said(found, "server")] == ["ok"]
        assert said(found, "server")[0][1].endswith("/v1 serves mine") and "weights" not in found
        server.shutdown()
    assert said(doctor(*settings, **NO_BROWSER), "server")[0][0] == "fail"


# ---- data, disk, ports, cluster -----------------------------------------------------------------


def test_data_that_is_absent_or_faulty(tmp_path):
    settings = ("model=oracle", "data=iwr_bench", f"data.root={tmp_path}")
    found = doctor(*settings, **NO_BROWSER)
    assert said(found, "data")[0][0] == "fail" and "iwr prefetch" in found["data"][0]["fix"]
    shutil.copytree(samples_root(), tmp_path, dirs_exist_ok=True)
    (tmp_path / "data/film-rating/video.mp4").unlink()
    shutil.rmtree(tmp_path / "data/shop-cart/page")
    found = doctor(*settings, **NO_BROWSER)
    assert said(found, "data")[0][0] == "warn" and "7 tasks" in said(found, "data")[0][1]
    assert said(found, "pages") == [("warn", "oracle: 6 of 7 tasks have a page")]


@pytest.mark.full
def test_pages_of_another_tool_are_counted(tmp_path):
    (tmp_path / "shop-cart").mkdir()
    (tmp_path / "shop-cart/index.html").write_text("x")
    found = doctor("model=directory", f"model.path={tmp_path}", **NO_BROWSER)
    assert said(found, "pages") == [("warn", "directory: 1 of 8 tasks have a page")]
    assert (
        said(doctor("model=directory", f"model.path={tmp_path / 'no'}", **NO_BROWSER), "pages")[0][
            0
        ]
        == "fail"
    )


def test_a_full_disk_and_one_that_cannot_be_written(tmp_path):
    found = doctor("model=blank", "run.root=/proc/runs", IWR_TMP="/proc", **NO_BROWSER)
    assert [said(found, check)[0][0] for check in ("run.root", "temporary")] == ["fail", "fail"]
    assert said(found, "sandbox")[0][0] == "fail" and "IWR_TMP" in found["sandbox"][0]["fix"]
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True
    ).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        found = doctor(
            "model=blank", f"run.root={tmp_path / 'runs'}", IWR_TMP=str(tmp_path), **NO_BROWSER
        )
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert [said(found, check)[0][0] for check in ("run.root", "temporary")] == ["fail", "fail"]
    assert "0.0 GB free" in said(found, "run.root")[0][1]


@pytest.mark.full
def test_without_a_loopback_interface_there_is_no_port():
    lonely = (
        ["unshare", "--net", "--"]
        if os.geteuid() == 0
        else ["unshare", "--user", "--map-current-user", "--net", "--"]
    )
    if subprocess.run([*lonely, "true"], capture_output=True).returncode:
        pytest.skip("no right to make a network namespace")
    assert said(doctor("model=demo", before=lonely, **NO_BROWSER), "port")[0][0] == "fail"
    assert said(doctor("model=blank", before=lonely, **NO_BROWSER), "port")[0][0] == "warn"


@pytest.mark.full
def test_slurm_in_part_and_with_another_partition(tmp_path):
    """The fake: what `sinfo` prints."""
    script(tmp_path, "sbatch", "true")
    found = doctor("model=blank", PATH=str(tmp_path), **NO_BROWSER)
    assert said(found, "slurm") == [("warn", "squeue, scontrol, sinfo not found")]
    for name in ("squeue", "scontrol"):
        script(tmp_path, name, "true")
    script(tmp_path, "sinfo", "echo gpu; echo debug")
    found = doctor("model=blank", "cluster.partition=gpus", PATH=str(tmp_path), **NO_BROWSER)
    assert said(found, "slurm") == [("warn", "no partition gpus")] and found["slurm"][0][
        "fix"
    ].endswith("gpu, debug")
    assert said(doctor("model=blank", PATH=str(tmp_path), **NO_BROWSER), "slurm") == [
        ("ok", "partitions gpu, debug")
    ]
