"""The sizes of a model that decide about memory: from its config.json, else as it was published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

FULL_ATTENTION = "full_attention"
WIDE_AS_TOKENS = ("glm4v_vision", "glm4v_moe_vision")
"""Encoders whose layers are as wide inside as a token of the language model; the key of that name
in their config.json is of another layer."""


class Vision(NamedTuple):
    """The encoder of images and frames. `patch` in pixels; `merge` patches a side make a token."""

    hidden: int
    intermediate: int
    patch: int
    merge: int
    temporal: int  # frames that share their patches


class Shape(NamedTuple):
    """The language model, and its encoder where it has one of a known make."""

    layers: int  # that keep keys and values
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    intermediate: int  # of one layer, all experts of a token together
    vocabulary: int
    vision: Vision | None = None
    latent: int | None = None  # values a token and layer, where keys and values are compressed
    expert: int | None = None  # intermediate size of one expert
    block: int | None = None  # of weights in FP8, in rows


QWEN2_5_VISION = Vision(hidden=1280, intermediate=3420, patch=14, merge=2, temporal=2)
QWEN2_5_LARGE_VISION = QWEN2_5_VISION._replace(intermediate=3456)
QWEN3_VISION = Vision(hidden=1152, intermediate=4304, patch=16, merge=2, temporal=2)
GLM_VISION = Vision(hidden=1536, intermediate=4096, patch=14, merge=2, temporal=2)
QWEN3_8B = Shape(36, 32, 8, 128, 4096, 12288, 151_936)
QWEN2_5_32B = Shape(64, 40, 8, 128, 5120, 27648, 152_064, QWEN2_5_LARGE_VISION)

PUBLISHED = {
    "Qwen/Qwen2.5-VL-7B-Instruct": Shape(28, 28, 4, 128, 3584, 18944, 152_064, QWEN2_5_VISION),
    "Qwen/Qwen2.5-VL-32B-Instruct": QWEN2_5_32B,
    "Qwen/Qwen2.5-VL-72B-Instruct": QWEN2_5_32B._replace(
        layers=80, heads=64, hidden=8192, intermediate=29568
    ),
    "Qwen/Qwen3-VL-8B-Instruct": QWEN3_8B._replace(vision=QWEN3_VISION),
    "Qwen/Qwen3-VL-32B-Instruct": Shape(64, 64, 8, 128, 5120, 25600, 151_936, QWEN3_VISION),
    "Qwen/Qwen3-VL-235B-A22B-Thinking": Shape(
        94, 64, 4, 128, 4096, 8 * 1536, 151_936, QWEN3_VISION, expert=1536
    ),
    "XiaomiMiMo/MiMo-VL-7B-RL-2508": Shape(36, 32, 8, 128, 4096, 11008, 151_680, QWEN2_5_VISION),
    "zai-org/GLM-4.6V-Flash": Shape(40, 32, 2, 128, 4096, 13696, 151_552, GLM_VISION),
    "OpenGVLab/InternVL3_5-8B-HF": QWEN3_8B,
    "Kwai-Keye/Keye-VL-1_5-8B": QWEN3_8B,
    "openbmb/MiniCPM-V-4_5": QWEN3_8B,
}
"""By hub id, for models whose config.json is not on this machine yet."""


def shape_of(folder: Path | None, hub_id: str | None) -> Shape | None:
    """Return the sizes in the config.json of a folder, else those published; None without both."""
    published = PUBLISHED.get(hub_id or "")
    if folder is None:
        return published
    try:
        config = json.loads((folder / "config.json").read_text())
        return _read(config)
    except (OSError, ValueError, KeyError, TypeError):  # of a make that is not known here
        return published


def _read(config: Mapping[str, Any]) -> Shape:
    """Return the sizes in a config.json. Raise KeyError when it lacks one."""
    text = config.get("text_config") or config.get("llm_config") or config
    heads = int(text["num_attention_heads"])
    hidden = int(text["hidden_size"])
    latent = None
    if text.get("kv_lora_rank"):
        latent = text["kv_lora_rank"] + text["qk_rope_head_dim"]
    expert = text.get("moe_intermediate_size")
    intermediate = text.get("intermediate_size") or 0
    if expert:
        intermediate = expert * text.get("num_experts_per_tok", 1)
    quantization = config.get("quantization_config") or {}
    blocks = quantization.get("weight_block_size") or [None]
    return Shape(
        layers=_cached_layers(text),
        heads=heads,
        kv_heads=text.get("num_key_value_heads") or heads,
        head_dim=text.get("head_dim") or hidden // heads,
        hidden=hidden,
        intermediate=intermediate,
        vocabulary=text["vocab_size"],
        vision=_vision(config.get("vision_config") or {}),
        latent=latent,
        expert=expert,
        block=blocks[0],
    )


def _cached_layers(text: Mapping[str, Any]) -> int:
    """Return how many layers keep keys and values of the whole context."""
    kinds = text.get("layer_types")
    if kinds and FULL_ATTENTION in kinds:
        return int(kinds.count(FULL_ATTENTION))
    return int(text["num_hidden_layers"])


def _vision(config: Mapping[str, Any]) -> Vision | None:
    """Return the encoder's sizes; None unless it merges patches as those of Qwen and GLM do."""
    if "spatial_merge_size" not in config or "intermediate_size" not in config:
        return None
    intermediate = config["intermediate_size"]
    if config.get("model_type") in WIDE_AS_TOKENS:
        intermediate = config["out_hidden_size"]
    return Vision(
        hidden=config["hidden_size"],
        intermediate=intermediate,
        patch=config["patch_size"],
        merge=config["spatial_merge_size"],
        temporal=config.get("temporal_patch_size", 1),
    )
