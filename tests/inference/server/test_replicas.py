"""Which GPUs a model's servers get."""

from __future__ import annotations

import pytest

from iwr.config import Environment, load_config
from iwr.errors import ConfigError
from iwr.inference.server.command import visible_gpus
from iwr.inference.server.replicas import shares_of_gpus


def shares(here, *overrides):
    config, (model,) = load_config(["model=hf", "model.path=a/b", *overrides])
    return shares_of_gpus(model, config, here)


def test_visible_gpus_are_what_the_scheduler_gave(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert visible_gpus(Environment.read()) == ["2", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus(Environment.read()) == []


def test_each_replica_has_gpus_of_its_own():
    here = ["0", "1", "2", "3", "6"]
    assert shares(here, "server.replicas=2", "model.gpus=2") == [["0", "1"], ["2", "3"]]
    assert shares(here, "server.replicas=5") == [["0"], ["1"], ["2"], ["3"], ["6"]]
    assert shares(here, "model.gpus=5") == [None]  # all of them: nothing to choose


def test_too_few_gpus_are_told_before_anything_starts():
    with pytest.raises(ConfigError, match="needs 3 x 2 GPUs, 5 are here"):
        shares(["0", "1", "2", "3", "6"], "server.replicas=3", "model.gpus=2")
    with pytest.raises(ConfigError, match="needs 8 GPUs, 1 are here"):
        shares(["0"], "model.gpus=8")
    with pytest.raises(ConfigError, match="at least 1"):
        shares(["0"], "server.replicas=0")


def test_without_gpus_replicas_share_the_processor_and_an_external_server_is_one():
    assert shares(None, "server.replicas=2") == [None, None]
    assert shares(None, "server=external", "server.url=http://x/v1", "server.replicas=4") == [None]
