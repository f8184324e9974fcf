"""Which values sample an answer: the protocol's, the authors', the user's."""

from __future__ import annotations

import pytest

from iwr.config import load_config
from iwr.errors import ConfigError
from iwr.inference.engines.transformers import LocalModel
from iwr.inference.sampling import sampling
from iwr.inference.thinking import marks_of


def values(*overrides):
    config, (model,) = load_config([*overrides])
    return sampling(model, config)


def test_a_model_that_thinks_is_sampled_as_its_authors_advise_under_local_alone():
    advised = {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "seed": 1234}
    assert values("model=qwen3_vl_235b_thinking", "protocol=local") == advised
    for protocol in ("paper", "reference", "offline"):
        assert values("model=qwen3_vl_235b_thinking", f"protocol={protocol}") == {"temperature": 0}


def test_a_model_without_advice_is_decoded_greedily():
    assert values("model=qwen2_5_vl_7b", "protocol=local") == {"temperature": 0}


def test_where_chance_decides_there_is_a_seed():
    advised = {"temperature": 0.3, "top_p": 0.95, "seed": 0}
    assert values("model=mimo_vl_7b", "protocol=local") == advised


def test_the_users_temperature_wins():
    local = ["model=mimo_vl_7b", "protocol=local"]
    assert values(*local, "model.temperature=0") == {"temperature": 0, "top_p": 0.95}
    assert values("model=demo", "model.temperature=0.5") == {"temperature": 0.5, "seed": 0}


def test_a_value_that_changes_nothing_changes_no_fingerprint():
    local = ["model=mimo_vl_7b", "protocol=local"]
    assert values(*local, "model.sampling.repetition_penalty=1.0") == values(*local)


def test_transformers_refuses_what_it_cannot_do(tiny_model):
    config, (model,) = load_config(
        [
            "model=hf",
            f"model.path={tiny_model}",
            "protocol.sampling=recommended",
            "model.sampling.presence_penalty=1.5",
        ]
    )
    with pytest.raises(ConfigError, match="transformers has no presence_penalty"):
        LocalModel(model, config)


def test_marks_of_thoughts_come_in_pairs():
    assert marks_of([]) is None
    with pytest.raises(ConfigError, match="opening and the closing mark"):
        marks_of(["<think>"])
