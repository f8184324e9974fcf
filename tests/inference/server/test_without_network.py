"""A node without a network serves a model that `iwr prefetch` fetched where there was one."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hub import Hub

from iwr.records import Generation
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths

IWR = Path(sys.executable).parent / "iwr"
MODEL = ["model=hf", "model.path=org/name"]
SHORT = ["model.context=4096", "model.max_tokens=8", "data.tasks=[film-rating]"]
DEAD = "http://127.0.0.1:9"
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), DEAD)
WITH_LOOPBACK = textwrap.dedent("""
    import fcntl, os, socket, struct, sys
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    os.execv(sys.argv[1], sys.argv[1:])
""")
REACHES = textwrap.dedent("""
    import socket
    socket.create_connection(("192.0.2.1", 9), timeout=1)
""")


def namespace() -> list[str]:
    """Words before a command that leave it the loopback interface alone; [] without the right."""
    words = ["unshare", "--user", "--map-root-user", "--net", "--", sys.executable, "-c"]
    words.append(WITH_LOOPBACK)
    probe = subprocess.run([*words, sys.executable, "-c", REACHES], capture_output=True, text=True)
    return words if "Network is unreachable" in probe.stderr else []


@pytest.fixture
def node(tiny_model, tmp_path):
    """Environment of a node whose cache holds org/name, as prefetch left it; its hub is gone."""
    hub = Hub()
    files = {path.name: path.read_bytes() for path in tiny_model.iterdir()}
    hub.files["models/org/name"] = files
    environment = hub.environment(tmp_path / "cache")
    subprocess.run([IWR, "prefetch", *MODEL], env=environment, check=True, capture_output=True)
    hub.shutdown()
    hub.server_close()
    (snapshot,) = tmp_path.glob("cache/models--org--name/snapshots/*")
    assert {path.name for path in snapshot.iterdir()} == files.keys()
    return environment | {"HF_ENDPOINT": DEAD} | PROXIES


@pytest.mark.vllm
def test_a_prefetched_model_is_served_without_a_network(node, tmp_path):
    assert "HF_HUB_OFFLINE" not in node
    run = [f"run.root={tmp_path}", "run.name=alone"]
    words = [*namespace(), IWR, "generate", *MODEL, *SHORT, *run]
    done = subprocess.run(words, env=node, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    paths = RunPaths.of(str(tmp_path), "alone")
    record = read_record(paths.task("hf", "film-rating").generation, Generation)
    assert record.frames.delivered == record.frames.planned > 0
    assert record.usage.completion_tokens > 0
    (log,) = paths.logs.glob("server-*.log")
    for text in (done.stderr, log.read_text()):
        assert "Retrying" not in text and "ConnectError" not in text
