"""Fixtures shared by all tests. Heavy parts, such as a vLLM server, start once a session."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


# so that children can be interrupted although the tests were started in the background
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_real_time_priority() -> Iterator[None]:
    """Fail a test that makes its process real-time: what it starts later starves all others."""
    yield
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="also run the exhaustive tests (mark `full`)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    for item in items:
        if "full" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="exhaustive: run with --full"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny random checkpoint of the Qwen2.5-VL architecture. It answers gibberish."""
    folder = tmp_path_factory.mktemp("models")
    builder = HERE / "inference" / "tiny_models.py"
    subprocess.run(
        [sys.executable, builder, "qwen2_5_vl", folder],
        check=True,
        timeout=120,
        capture_output=True,
    )
    return folder / "qwen2_5_vl"


@pytest.fixture(scope="session")
def model_server(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """One running server with `tiny_model` behind it; it may read any local file."""
    from iwr.config import load_config
    from iwr.inference.server.process import Server

    config, (model,) = load_config(
        ["model=hf", f"model.path={tiny_model}", "model.context=8192", "model.max_tokens=64"]
    )
    with Server(model, config, media=Path("/"), logs=tmp_path_factory.mktemp("logs")) as server:
        yield server
