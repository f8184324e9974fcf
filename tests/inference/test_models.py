"""Every model's config loads, names things that vLLM knows, and is listed in the docs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from iwr.config import load_config
from iwr.inference.thinking import marks_of

HERE = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (HERE / "configs" / "model").glob("*.yaml"))
BASELINES = {"oracle", "screenshot", "blank", "directory"}
MODELS = [name for name in NAMES if name not in BASELINES | {"hf", "demo"}]


def source(name: str) -> str:
    """Text of a file of the installed vLLM, which is not imported for it."""
    spec = importlib.util.find_spec("vllm")
    assert spec and spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / name).read_text()


OPTIONS = source("engine/arg_utils.py")


def config_of(name: str):
    return load_config(
        [f"model={name}", *([f"model.path={HERE}"] if name in ("hf", "directory") else [])]
    )[1][0]


@pytest.mark.parametrize("name", NAMES)
def test_a_config_carries_its_own_name(name):
    assert config_of(name).name == name


@pytest.mark.parametrize("name", MODELS)
def test_a_model_config_has_all_that_matters(name):
    model = config_of(name)
    assert (
        re.fullmatch(r"[\w.-]+/[\w.-]+", model.path)
        and model.revision
        and model.architecture
        and model.context
        and model.weights_gb
    )
    assert model.video in ("native", "frames") and model.gpus * 80 > model.weights_gb
    if (
        model.kind == "vllm" and model.architecture != "VideoLlama3ForConditionalGeneration"
    ):  # that one: Transformers backend
        assert f'"{model.architecture}"' in source("model_executor/models/registry.py")
    if model.reasoning_parser:
        assert f'"{model.reasoning_parser}"' in source("reasoning/__init__.py")
    assert all(name.replace("-", "_") in OPTIONS for name in model.engine_args)
    assert marks_of(model.thinking) or model.max_tokens is None  # room for thoughts


def test_models_of_the_benchmark_and_of_today_are_there():
    names = (
        "Qwen2.5-VL-7B Qwen2.5-VL-32B Qwen2.5-VL-72B Qwen3-VL-235B-A22B-Thinking Keye-VL-1_5-8B "
        "MiniCPM-V-4_5 MiMo-VL-7B GLM-4.5V Kimi-VL-A3B-Thinking VideoLLaMA3-7B "
        "InternVideo2_5_Chat_8B Qwen3-VL-8B Qwen3-VL-32B Qwen3.5-9B InternVL3_5-8B GLM-4.6V-Flash "
        "Kimi-K2.6"
    )
    paths = " ".join(config_of(name).path for name in MODELS)
    assert [name for name in names.split() if name not in paths] == []


@pytest.mark.parametrize("name", MODELS)
def test_the_table_in_the_docs_is_right(name):
    model = config_of(name)
    row = next(
        line
        for line in (HERE / "docs" / "models.md").read_text().splitlines()
        if line.startswith(f"| `{name}` |")
    )
    cells = [cell.strip(" `") for cell in row.strip("|").split("|")]
    shown = [
        name,
        model.path,
        model.kind,
        model.video,
        str(model.context),
        f"{model.weights_gb:g}",
        str(model.gpus),
    ]
    assert cells[:4] + cells[5:] == shown
