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
    """Return the results by check."""
    command = [*before, BIN / "iwr", "doctor", "--json", *settings]
    process = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, timeout=120
    )
    assert "Traceback" not in process.stderr, process.stderr
    findings = {}
    has_failure = False
    for finding in json.loads(process.stdout):
        findings.setdefault(finding["check"], []).append(finding)
        assert finding["status"] in ("ok", "warn", "fail")
        assert finding["status"] == "ok" or finding["fix"]
        has_failure = has_failure or finding["status"] == "fail"
    assert process.returncode == int(has_failure)
    return findings


def outcomes(findings, check):
    """Return (status, text) of each result of a check."""
    return [(finding["status"], finding["found"]) for finding in findings[check]]


def script(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder


# ---- this machine -------------------------------------------------------------------------------


@pytest.mark.browser
def test_all_checks_pass_here_without_loading_anything_heavy():
    code = (
        "import sys; from iwr.cli.main import main; code = main(['doctor', 'model=oracle'])\n"
        "print(*sorted({'torch', 'vllm', 'transformers'} & set(sys.modules)), code)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    *report, end, modules_and_code = process.stdout.splitlines()
    assert modules_and_code == "0", process.stdout + process.stderr  # nothing heavy, exit code 0
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
        "ok   data        samples: 8 tasks in " in process.stdout
        and "ok   pages       oracle: 8 of 8 tasks have a page" in process.stdout
    )


def test_without_programs_it_names_each_with_its_fix(tmp_path):
    findings = doctor("model=blank", PATH=str(tmp_path), PLAYWRIGHT_BROWSERS_PATH=str(tmp_path))
    (browser,) = findings["browser"]
    assert browser["status"] == "fail" and "apt install chromium" in browser["fix"]
    (sandbox,) = findings["sandbox"]
    assert sandbox["status"] == "warn" and "without a network namespace" in sandbox["found"]
    (fonts,) = findings["fonts"]
    assert fonts["status"] == "warn" and "fonts-liberation" in fonts["fix"]
    assert outcomes(findings, "slurm") == [("ok", "not here; only `iwr submit` needs it")]


def test_a_program_that_is_not_a_browser_and_other_fonts(tmp_path):
    config = tmp_path / "fonts.conf"
    config.write_text(
        f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}</cachedir></fontconfig>"
    )
    findings = doctor("model=blank", IWR_CHROMIUM="/bin/false", FONTCONFIG_FILE=str(config))
    assert "does not start" in outcomes(findings, "browser")[0][1]
    if shutil.which("fc-match"):
        (fonts,) = findings["fonts"]
        assert fonts["status"] == "warn" and "Liberation" in fonts["found"]


# ---- models -------------------------------------------------------------------------------------


def test_the_model_is_compared_with_the_gpus(tmp_path):
    """The one fake: what `nvidia-smi` prints."""

    def gpu(free, *settings, total=81559, **environment):
        cards = "\n".join(GPU.format(index=index, total=total, free=free) for index in range(2))
        path = script(
            tmp_path,
            "nvidia-smi",
            f'case "$1" in --list-gpus) printf "GPU 0: x\\nGPU 1: x\\n";; *) echo "{cards}";; esac',
        )
        environment |= {"PATH": f"{path}:{os.environ['PATH']}"} | NO_BROWSER
        return outcomes(doctor(*settings, **environment), "gpu")[0]

    status, text = gpu(81000, "model=qwen2_5_vl_7b")
    assert status == "ok" and "NVIDIA H100 80GB HBM3 86 GB (85 free)" in text
    assert "of 77.0 GB on each of 1: 17.0 GB of weights, 7.3 of cache" in text
    assert gpu(81000, "model=qwen2_5_vl_72b")[0] == "fail"  # four are needed, two are here
    status, text = gpu(81000, "model=qwen2_5_vl_72b", "model.gpus=2")
    assert status == "fail" and "73.5 GB of weights" in text
    status, text = gpu(24000, "model=qwen2_5_vl_7b", total=24564)
    assert status == "fail" and "of 23.2 GB on each of 1" in text
    assert gpu(81000, "model=qwen2_5_vl_72b", "model.gpus=1")[0] == "fail"  # 147 GB on one
    status, text = gpu(40000, "model=qwen2_5_vl_7b")
    assert status == "fail" and "others hold its memory" in text
    less = "+model.engine_args.gpu-memory-utilization=0.45"
    assert gpu(40000, "model=qwen2_5_vl_7b", less)[0] == "ok"
    assert "2 are needed, 1 here" in gpu(81000, "model=qwen2_5_vl_32b", CUDA_VISIBLE_DEVICES="1")[1]


def test_model_and_judge_are_compared_with_the_gpus_they_get(tmp_path):
    """The one fake: what `nvidia-smi` prints."""

    def found(number, *settings):
        lines = [GPU.format(index=index, total=24564, free=24000) for index in range(number)]
        cards = "\n".join(lines)
        listed = "GPU 0: x\\n" * number
        answer = f'case "$1" in --list-gpus) printf "{listed}";; *) echo "{cards}";; esac'
        path = script(tmp_path, "nvidia-smi", answer)
        environment = {"PATH": f"{path}:{os.environ['PATH']}"} | NO_BROWSER
        findings = doctor("model=qwen2_5_vl_7b", "judge=qwen3_vl_8b", *settings, **environment)
        return findings["gpu"], outcomes(findings, "placement")

    (model, judge), placement = found(1)
    assert model["status"] == "fail" and "model.gpus=2" in model["fix"]
    assert judge["status"] == "ok" and "(context 16,384)" in judge["found"]
    assert placement == [("ok", "generation first, then judging: the GPUs do not suffice for both")]
    (model, judge), placement = found(3, "model.gpus=2")
    assert (model["status"], judge["status"]) == ("ok", "ok")
    assert placement == [("ok", "pages are judged as they come: 2 GPUs generate, 1 judge")]


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="a GPU may be here")
def test_without_a_gpu_a_large_model_fails_and_a_baseline_needs_none():
    findings = doctor("model=qwen3_vl_235b_thinking", **NO_BROWSER)
    (gpu,) = findings["gpu"]
    assert gpu["status"] == "fail"
    assert "471.00 GB of weights" in gpu["found"] and "srun" in gpu["fix"]
    assert outcomes(doctor("model=blank", **NO_BROWSER), "gpu") == [
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
        process = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | NO_BROWSER, timeout=120
        )
        return next(finding for finding in json.loads(process.stdout) if finding["check"] == "vllm")

    assert vllm("demo")["status"] == "fail" and "scripts/setup.sh" in vllm("demo")["fix"]
    assert vllm("blank")["found"] == "vLLM is not installed; these settings do not need it"


def test_missing_and_incomplete_weights_are_named(tmp_path):
    caches = {
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "TORCH_HOME": str(tmp_path / "torch"),
    } | NO_BROWSER
    settings = ("model=qwen2_5_vl_7b", "judge=qwen3_vl_8b", "protocol=local")
    findings = doctor(*settings, **caches)
    missing = findings["weights"] + findings["metrics"]
    assert [finding["status"] for finding in missing] == ["fail"] * 4
    assert all("iwr prefetch" in finding["fix"] for finding in missing)
    names = [text.split(":")[0] for _, text in outcomes(findings, "weights")]
    assert names == ["model qwen2_5_vl_7b", "judge qwen3_vl_8b"]

    snapshot = tmp_path / "hub/models--Qwen--Qwen2.5-VL-7B-Instruct/snapshots/abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs/main").write_text("abc")
    (snapshot / "config.json").write_text("{}")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    (snapshot / "model-1.safetensors").write_bytes(b"0" * 20_000_000)
    status, text = outcomes(doctor(*settings, **caches), "weights")[0]
    assert status == "fail" and text.endswith("not there: model-2.safetensors")
    (snapshot / "model-2.safetensors").write_bytes(b"0" * 30_000_000)
    assert outcomes(doctor(*settings, **caches), "weights")[0] == (
        "ok",
        "model qwen2_5_vl_7b: Qwen/Qwen2.5-VL-7B-Instruct, 0.05 GB",
    )


def test_a_folder_without_a_model_fails(tmp_path):
    findings = doctor("model=hf", f"model.path={tmp_path}", **NO_BROWSER)
    (weights,) = findings["weights"]
    assert weights["status"] == "fail" and "no config.json" in weights["found"]


@pytest.mark.full
def test_an_external_server_is_asked():
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
        findings = doctor(*settings, **NO_BROWSER)
        ((status, text),) = outcomes(findings, "server")
        assert status == "ok" and text.endswith("/v1 serves mine")
        assert "weights" not in findings
        server.shutdown()
    assert outcomes(doctor(*settings, **NO_BROWSER), "server")[0][0] == "fail"


# ---- data, disk, ports, cluster -----------------------------------------------------------------


def test_missing_and_faulty_data(tmp_path):
    settings = ("model=oracle", "data=iwr_bench", f"data.root={tmp_path}")
    findings = doctor(*settings, **NO_BROWSER)
    (data,) = findings["data"]
    assert data["status"] == "fail" and "iwr prefetch" in data["fix"]
    shutil.copytree(samples_root(), tmp_path, dirs_exist_ok=True)
    (tmp_path / "data/film-rating/video.mp4").unlink()
    shutil.rmtree(tmp_path / "data/shop-cart/page")
    findings = doctor(*settings, **NO_BROWSER)
    (data,) = findings["data"]
    assert data["status"] == "warn" and "7 tasks" in data["found"]
    assert outcomes(findings, "pages") == [("warn", "oracle: 6 of 7 tasks have a page")]


@pytest.mark.full
def test_pages_of_another_tool_are_counted(tmp_path):
    (tmp_path / "shop-cart").mkdir()
    (tmp_path / "shop-cart/index.html").write_text("x")
    findings = doctor("model=directory", f"model.path={tmp_path}", **NO_BROWSER)
    assert outcomes(findings, "pages") == [("warn", "directory: 1 of 8 tasks have a page")]
    findings = doctor("model=directory", f"model.path={tmp_path / 'no'}", **NO_BROWSER)
    assert findings["pages"][0]["status"] == "fail"


def test_a_full_disk_and_a_read_only_one(tmp_path):
    findings = doctor("model=blank", "run.root=/proc/runs", IWR_TMP="/proc", **NO_BROWSER)
    for check in ("run.root", "temporary"):
        assert findings[check][0]["status"] == "fail"
    (sandbox,) = findings["sandbox"]
    assert sandbox["status"] == "fail" and "IWR_TMP" in sandbox["fix"]
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True
    ).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        findings = doctor(
            "model=blank", f"run.root={tmp_path / 'runs'}", IWR_TMP=str(tmp_path), **NO_BROWSER
        )
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    for check in ("run.root", "temporary"):
        assert findings[check][0]["status"] == "fail"
    assert "0.0 GB free" in outcomes(findings, "run.root")[0][1]


@pytest.mark.full
def test_without_a_loopback_interface_there_is_no_port():
    isolated = (
        ["unshare", "--net", "--"]
        if os.geteuid() == 0
        else ["unshare", "--user", "--map-current-user", "--net", "--"]
    )
    if subprocess.run([*isolated, "true"], capture_output=True).returncode:
        pytest.skip("no right to make a network namespace")
    assert outcomes(doctor("model=demo", before=isolated, **NO_BROWSER), "port")[0][0] == "fail"
    assert outcomes(doctor("model=blank", before=isolated, **NO_BROWSER), "port")[0][0] == "warn"


@pytest.mark.full
def test_missing_slurm_commands_and_a_wrong_partition(tmp_path):
    """The fake: what `sinfo` prints."""
    script(tmp_path, "sbatch", "true")
    findings = doctor("model=blank", PATH=str(tmp_path), **NO_BROWSER)
    assert outcomes(findings, "slurm") == [("warn", "squeue, scontrol, sinfo not found")]
    for name in ("squeue", "scontrol"):
        script(tmp_path, name, "true")
    script(tmp_path, "sinfo", "echo gpu; echo debug")
    findings = doctor("model=blank", "cluster.partition=gpus", PATH=str(tmp_path), **NO_BROWSER)
    assert outcomes(findings, "slurm") == [("warn", "no partition gpus")]
    assert findings["slurm"][0]["fix"].endswith("gpu, debug")
    assert outcomes(doctor("model=blank", PATH=str(tmp_path), **NO_BROWSER), "slurm") == [
        ("ok", "partitions gpu, debug")
    ]
