"""Compile caches: kept for the next server, never shared, thrown away when a start was killed."""

from __future__ import annotations

import subprocess
import sys

from iwr.config import Environment, load_config
from iwr.inference.server.caches import MOST, claim
from iwr.inference.server.command import server_environment

NAMES = ("vllm 0.33.0", "NVIDIA H100", "org/model")


def test_the_next_server_finds_what_a_server_that_came_up_compiled(tmp_path):
    first = claim(tmp_path, *NAMES)
    (first.folder / "graph.bin").write_text("compiled")
    first.trust()
    first.release()
    second = claim(tmp_path, *NAMES)
    assert second.folder == first.folder
    assert (second.folder / "graph.bin").read_text() == "compiled"
    other = claim(tmp_path, "vllm 0.34.0", *NAMES[1:])
    assert other.folder != second.folder
    second.release()
    other.release()


KILLED = """
import os, sys
from pathlib import Path
from iwr.inference.server.caches import claim
cache = claim(Path(sys.argv[1]), *sys.argv[2:])
(cache.folder / "half.bin").write_text("half")
print(cache.folder, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_start_leaves_is_thrown_away(tmp_path):
    earlier = claim(tmp_path, *NAMES)
    earlier.trust()
    earlier.release()
    words = [sys.executable, "-c", KILLED, tmp_path, *NAMES]
    killed = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert killed.stdout.strip() == str(earlier.folder)
    cache = claim(tmp_path, *NAMES)
    assert cache.folder == earlier.folder and list(cache.folder.iterdir()) == []
    cache.release()


def test_servers_at_once_have_caches_of_their_own(tmp_path):
    caches = [claim(tmp_path, *NAMES) for _ in range(MOST)]
    assert len({cache.folder for cache in caches}) == MOST
    assert claim(tmp_path, *NAMES) is None
    caches[3].release()
    assert claim(tmp_path, *NAMES).folder == caches[3].folder


def test_a_file_system_that_refuses_costs_only_the_cache(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    assert claim(tmp_path / "file", *NAMES) is None
    assert "are not kept" in caplog.text


def test_a_server_compiles_into_its_cache(tmp_path):
    config, _ = load_config([])
    cache = claim(tmp_path / "kept", *NAMES)
    environment = server_environment(
        config.server,
        Environment.read(),
        scratch=tmp_path / "scratch",
        key="k",
        cpu=False,
        offline=False,
        compiled=cache.folder,
    )
    for name in ("VLLM_CACHE_ROOT", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
        assert environment[name].startswith(str(cache.folder))
    assert environment["TMPDIR"] == str(tmp_path / "scratch")
