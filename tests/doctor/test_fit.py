"""What fits into a GPU, held against what others reported and what vLLM itself counts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from iwr.config import load_config
from iwr.doctor.fit import Served
from iwr.doctor.result import RoleModel
from iwr.doctor.shapes import PUBLISHED, shape_of
from tests.inference import tiny_models

GIB = 2**30 / 1e9
CARD_24 = 24 * GIB
CARD_80 = 80 * GIB
CARD_40 = 39.38 * GIB  # as vLLM counts an A100 of 40 GB


def served(name: str, *overrides: str, folder=None) -> Served:
    config, (model,) = load_config([f"model={name}", *overrides])
    shape = shape_of(folder, model.path)
    assert shape is not None
    return Served(RoleModel("model", model), config, shape, model.weights_gb or 0)


def served_judge(*overrides: str) -> Served:
    config, _ = load_config(["model=oracle", "judge=qwen3_vl_8b", *overrides])
    model = config.judge.model
    shape = shape_of(None, model.path)
    return Served(RoleModel("judge", model), config, shape, model.weights_gb)


@pytest.mark.parametrize(("context", "gib"), [(32_768, 4.5), (98_304, 13.5)])
def test_the_cache_of_an_8b_model_is_what_vllm_asks_for(context, gib):
    demand = served("qwen3_vl_8b").demand(CARD_24, 1, context)
    assert demand.cache == pytest.approx(gib * GIB, rel=0.001)


def test_the_judge_fits_into_24_gb_and_with_twice_the_context_it_does_not():
    assert served_judge().fits(CARD_24, 1)
    assert not served_judge("judge.model.context=32768").fits(CARD_24, 1)
    assert 16_384 <= served_judge().longest_context(CARD_24, 1) < 32_768


def test_the_72b_model_does_not_fit_into_four_gpus_of_40_gb():
    """vllm#16570: 34.43 GiB of weights on each, 2.51 to run; at 0.95 next to nothing is left."""
    most = "+model.engine_args.gpu-memory-utilization=0.95"
    large = served("qwen2_5_vl_72b", most)
    demand = large.demand(CARD_40, 4, context=1024)
    assert demand.weights == pytest.approx(34.43 * GIB, rel=0.02)
    assert not large.fits(CARD_40, 4)
    assert large.longest_context(CARD_40, 4) < 8192
    assert large.fits(CARD_40, 8)


def test_the_235b_model_needs_fp8_where_its_authors_quantise_it():
    """QwenLM/Qwen3-VL#1489: eight GPUs of 80 GB at 0.7; bf16 is out of memory, fp8 runs."""
    share = ["+model.engine_args.gpu-memory-utilization=0.7", "model.gpus=8"]
    assert not served("qwen3_vl_235b_thinking", *share).fits(CARD_80, 8)
    assert served("qwen3_vl_235b_thinking", *share, "model.weights_gb=237").fits(CARD_80, 8)


def test_experts_in_fp8_are_not_cut_below_a_block():
    """vllm#17569: the output_size 192 is not divisible by block_n = 128."""
    large = served("qwen3_vl_235b_thinking")
    in_fp8 = large._replace(shape=large.shape._replace(block=128), weights_gb=236)
    assert "192 each" in in_fp8.obstacle(8)
    assert in_fp8.obstacle(4) is None
    assert in_fp8.fewest_gpus(80 * GIB) == 4
    assert large.obstacle(8) is None


def test_heads_are_shared_evenly():
    assert "28 attention heads" in served("qwen2_5_vl_7b").obstacle(8)
    assert served("qwen2_5_vl_7b").obstacle(4) is None


def test_options_of_the_server_count():
    small = served("qwen3_vl_8b")
    in_fp8 = served("qwen3_vl_8b", "+model.engine_args.kv_cache_dtype=fp8")
    assert in_fp8.token_bytes(1) * 2 == small.token_bytes(1)
    half = served("qwen3_vl_8b", "+server.engine_args.gpu-memory-utilization=0.5")
    assert half.share_gb(80) == 40


def test_a_recording_costs_what_the_authors_pipeline_makes_of_it():
    """64 frames of 1080p: 23,040 tokens; the frames' sides are rounded there, not here."""
    for name in ("qwen2_5_vl_7b", "qwen3_vl_8b"):
        model = served(name)
        assert model.media_tokens(model.shape.vision) == pytest.approx(23_040, rel=0.07)
    judge = served_judge()
    assert judge.media_tokens(judge.shape.vision) == pytest.approx(2 * 2040, rel=0.01)


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
def test_the_sizes_are_read_from_the_config_of_every_family(family, tmp_path):
    folder = tiny_models.build(family, tmp_path)
    shape = shape_of(folder, None)
    config = json.loads((folder / "config.json").read_text())
    text = config.get("text_config", config)
    assert shape.hidden == text["hidden_size"] and shape.vocabulary == text["vocab_size"]
    assert 0 < shape.layers <= text["num_hidden_layers"]


def test_a_config_of_unknown_make_is_not_guessed(tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ["Stranger"]}')
    assert shape_of(tmp_path, "a/b") is None
    (name, shape), *_ = PUBLISHED.items()
    assert shape_of(tmp_path, name) == shape


@pytest.mark.vllm
def test_a_token_takes_what_vllm_itself_counts(model_server):
    """The server of all tests has 2 GiB of cache, and its log says how many tokens that holds."""
    log = model_server.log_file.read_text()
    (tokens,) = re.findall(r"KV cache size: ([\d,]+) tokens", log)
    model = model_server.model
    shape = shape_of(Path(model.path), None)
    config, _ = load_config([])
    own = Served(RoleModel("model", model), config, shape, 0)
    assert own.token_bytes(1) * int(tokens.replace(",", "")) == pytest.approx(2**31, rel=0.01)


CARDS = (24 * GIB, 48 * GIB, 80 * GIB, 141.0)


def documented() -> dict[str, list[str]]:
    """Return the cells of the table in docs/models.md by name."""
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    _, _, section = text.partition("## What fits")
    section, _, _ = section.partition("\n## ")
    rows = [
        line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")
    ]
    return {name.strip("`"): cells for name, *cells in rows}


@pytest.mark.parametrize("name", documented())
def test_the_table_in_the_docs_is_what_doctor_computes(name):
    model = served_judge() if name.startswith("judge=") else served(name)
    context = model.model.context
    demand = model.demand(80 * GIB, model.model.gpus)
    cells = [
        str(context),
        f"{model.weights_gb:g}",
        f"{model.token_bytes(1) * context / 1e9:.1f}",
        f"{demand.running:.1f}",
    ]
    cells += [str(model.fewest_gpus(card) or "-") for card in CARDS]
    assert documented()[name] == cells
