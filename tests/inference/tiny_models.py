"""Tiny random checkpoints of real architectures, which a CPU serves in seconds.

    python tests/inference/tiny_models.py FAMILY FOLDER

They are written with the upstream classes. Attention heads are 32 wide at least: vLLM on a CPU
takes 32, 64 or 128; heads of linear attention are 128, as in releases.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXT = (
    "You see overview images of a website's assets, then a screen recording. "
    "Answer with <html><body>the file</body></html>. " * 3
)
THINK = ["<think>", "</think>"]
QWEN = [
    "<|im_end|>",
    "<|im_start|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
    *THINK,
]
GLM = [
    "<|endoftext|>",
    "<|user|>",
    "<|assistant|>",
    "<|image|>",
    "<|video|>",
    "<|begin_of_image|>",
    "<|end_of_image|>",
    "<|begin_of_video|>",
    "<|end_of_video|>",
    *THINK,
]
INTERN = ["<|im_end|>", "<|im_start|>", "<IMG_CONTEXT>", "<img>", "</img>", "<video>", *THINK]
LLAVA = ["<|im_end|>", "<|im_start|>", "<image>", "<video>"]
SIZE = {"shortest_edge": 4 * 32 * 32, "longest_edge": 16 * 32 * 32}
TEXT_MODEL = dict(
    hidden_size=64,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=32768,
)
VISION = dict(depth=2, hidden_size=64, intermediate_size=128, num_heads=2, out_hidden_size=64)


# ---- tokenizer and chat template -----------------------------------------------------------------


def tokenizer(special: list[str], **names: str) -> Any:
    """Byte-level BPE with the family's special tokens; the first of them ends an answer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=384, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator([TEXT], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=special[0],
        pad_token=special[0],
        clean_up_tokenization_spaces=False,
        extra_special_tokens=names,
    )


def template(image: str, video: str, start: str = "<|im_start|>", end: str = "<|im_end|>") -> str:
    """A chat template in the way of these families."""
    return (
        "{% for message in messages %}" + start + "{{ message.role }}\n"
        "{% if message.content is string %}{{ message.content }}{% else %}"
        "{% for part in message.content %}"
        "{% if part.type == 'image' %}"
        + image
        + "{% elif part.type == 'video' %}"
        + video
        + "{% else %}{{ part.text }}{% endif %}"
        "{% endfor %}{% endif %}" + end + "\n{% endfor %}"
        "{% if add_generation_prompt %}" + start + "assistant\n{% endif %}"
    )


QWEN_TEMPLATE = template(
    "<|vision_start|><|image_pad|><|vision_end|>", "<|vision_start|><|video_pad|><|vision_end|>"
)
GLM_TEMPLATE = template(
    "<|begin_of_image|><|image|><|end_of_image|>",
    "<|begin_of_video|><|video|><|end_of_video|>",
    "<|user|>",
    "",
)


def ends(words: Any) -> dict[str, int]:
    return {key: words.eos_token_id for key in ("bos_token_id", "eos_token_id", "pad_token_id")}


def ids(words: Any, **tokens: str) -> dict[str, int]:
    return {key: words.convert_tokens_to_ids(token) for key, token in tokens.items()}


def qwen_ids(words: Any) -> dict[str, int]:
    return ids(
        words,
        vision_start_token_id="<|vision_start|>",
        vision_end_token_id="<|vision_end|>",
        image_token_id="<|image_pad|>",
        video_token_id="<|video_pad|>",
    )


def rope(*section: int, **more: Any) -> dict[str, Any]:
    return {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": list(section)} | more


def save(model: Any, config: Any, processor: Any, folder: Path) -> None:
    import torch

    torch.manual_seed(0)
    processor.save_pretrained(folder)
    model(config).to(torch.bfloat16).save_pretrained(folder)


# ---- families ------------------------------------------------------------------------------------


def qwen2_vl(folder: Path) -> None:
    from transformers import (
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    words = tokenizer(QWEN)
    processor = Qwen2VLProcessor(
        Qwen2VLImageProcessor(size=SIZE), words, _qwen2_video(Qwen2VLVideoProcessor), QWEN_TEMPLATE
    )
    text = TEXT_MODEL | dict(vocab_size=len(words), rope_parameters=rope(4, 6, 6), **ends(words))
    vision = dict(depth=2, embed_dim=64, hidden_size=64, num_heads=2, mlp_ratio=2)
    config = Qwen2VLConfig(text_config=text, vision_config=vision, **qwen_ids(words))
    save(Qwen2VLForConditionalGeneration, config, processor, folder)


def _qwen2_video(kind: Any) -> Any:
    return kind(size=SIZE, cap_pixels_per_frame=False)


def qwen2_5_vl(folder: Path) -> None:
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    words = tokenizer(QWEN)
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(size=SIZE), words, _qwen2_video(Qwen2VLVideoProcessor), QWEN_TEMPLATE
    )
    text = TEXT_MODEL | dict(
        vocab_size=len(words),
        rope_parameters=rope(4, 6, 6),
        tie_word_embeddings=True,
        **ends(words),
    )
    vision = VISION | dict(window_size=56, fullatt_block_indexes=[1])
    config = Qwen2_5_VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=True, **qwen_ids(words)
    )
    save(Qwen2_5_VLForConditionalGeneration, config, processor, folder)


def _qwen3_processor() -> Any:
    from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor

    image = Qwen2VLImageProcessor(size=SIZE, patch_size=16)
    video = Qwen3VLVideoProcessor(
        size={"shortest_edge": 4 * 32 * 32, "longest_edge": 64 * 16 * 32 * 32}
    )
    return Qwen3VLProcessor(image, tokenizer(QWEN), video, QWEN_TEMPLATE)


def qwen3_vl(folder: Path) -> None:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    processor = _qwen3_processor()
    words = processor.tokenizer
    text = TEXT_MODEL | dict(
        vocab_size=len(words),
        head_dim=32,
        rope_parameters=rope(6, 5, 5, mrope_interleaved=True),
        **ends(words),
    )
    vision = VISION | dict(deepstack_visual_indexes=[0], num_position_embeddings=64)
    config = Qwen3VLConfig(text_config=text, vision_config=vision, **qwen_ids(words))
    save(Qwen3VLForConditionalGeneration, config, processor, folder)


def qwen3_vl_moe(folder: Path) -> None:
    from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

    processor = _qwen3_processor()
    words = processor.tokenizer
    experts = dict(
        num_experts=4, num_experts_per_tok=2, moe_intermediate_size=64, norm_topk_prob=True
    )
    text = TEXT_MODEL | experts | dict(vocab_size=len(words), head_dim=32, **ends(words))
    text |= dict(rope_parameters=rope(6, 5, 5, mrope_interleaved=True))
    vision = VISION | dict(deepstack_visual_indexes=[0], num_position_embeddings=64)
    config = Qwen3VLMoeConfig(text_config=text, vision_config=vision, **qwen_ids(words))
    save(Qwen3VLMoeForConditionalGeneration, config, processor, folder)
    # released checkpoints keep the experts' matrices the other way round
    transposed(folder, "experts.gate_up_proj", "experts.down_proj")


def qwen3_5(folder: Path) -> None:
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    processor = _qwen3_processor()
    words = processor.tokenizer
    linear = dict(
        linear_key_head_dim=128,
        linear_value_head_dim=128,
        linear_num_key_heads=2,
        linear_num_value_heads=2,
    )
    layers = dict(num_hidden_layers=4, layer_types=["linear_attention"] * 3 + ["full_attention"])
    text = TEXT_MODEL | linear | layers | dict(vocab_size=len(words), head_dim=64, **ends(words))
    text |= dict(
        rope_parameters=rope(11, 11, 10, mrope_interleaved=True, partial_rotary_factor=1.0)
    )
    config = Qwen3_5Config(
        text_config=text, vision_config=VISION | dict(num_position_embeddings=64), **qwen_ids(words)
    )
    save(Qwen3_5ForConditionalGeneration, config, processor, folder)


def _glm_processor(kind: str) -> Any:
    import transformers

    words = tokenizer(GLM)
    image = getattr(transformers, f"{kind}ImageProcessor")(size=SIZE)
    video = getattr(transformers, f"{kind}VideoProcessor")(
        size={"shortest_edge": 4 * 28 * 28, "longest_edge": 64 * 16 * 28 * 28}
    )
    return getattr(transformers, f"{kind}Processor")(image, words, video, GLM_TEMPLATE)


def _glm_ids(words: Any) -> dict[str, int]:
    return ids(
        words,
        image_token_id="<|image|>",
        video_token_id="<|video|>",
        image_start_token_id="<|begin_of_image|>",
        image_end_token_id="<|end_of_image|>",
        video_start_token_id="<|begin_of_video|>",
        video_end_token_id="<|end_of_video|>",
    )


def glm4v(folder: Path, kind: str = "Glm4v") -> None:
    from transformers import Glm4vConfig, Glm4vForConditionalGeneration

    processor = _glm_processor(kind)
    words = processor.tokenizer
    text = TEXT_MODEL | dict(
        vocab_size=len(words),
        rope_parameters=rope(4, 6, 6, partial_rotary_factor=1.0),
        **ends(words),
    )
    config = Glm4vConfig(
        text_config=text, vision_config=VISION | dict(image_size=112), **_glm_ids(words)
    )
    save(Glm4vForConditionalGeneration, config, processor, folder)


def glm46v(folder: Path) -> None:
    glm4v(folder, "Glm46V")


def glm4v_moe(folder: Path) -> None:
    from transformers import Glm4vMoeConfig, Glm4vMoeForConditionalGeneration

    processor = _glm_processor("Glm4v")
    words = processor.tokenizer
    experts = dict(
        n_routed_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=64,
        first_k_dense_replace=1,
        use_qk_norm=False,
    )
    text = (
        TEXT_MODEL | experts | dict(vocab_size=len(words), head_dim=32, **ends(words))
    )  # vLLM reads head_dim, as releases have it
    text |= dict(rope_parameters=rope(4, 6, 6, partial_rotary_factor=1.0))
    config = Glm4vMoeConfig(
        text_config=text, vision_config=VISION | dict(image_size=112), **_glm_ids(words)
    )
    save(Glm4vMoeForConditionalGeneration, config, processor, folder)


def internvl(folder: Path) -> None:
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
    )

    names = dict(
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<IMG_CONTEXT>",
        video_token="<video>",
    )
    words = tokenizer(INTERN, **names)
    size = {"height": 112, "width": 112}
    processor = InternVLProcessor(
        GotOcr2ImageProcessor(size=size, crop_to_patches=True, max_patches=4),
        words,
        InternVLVideoProcessor(size=size),
        16,
        template("<IMG_CONTEXT>\n", "<video>\n"),
    )
    text = TEXT_MODEL | dict(model_type="qwen3", vocab_size=len(words), head_dim=32, **ends(words))
    vision = dict(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=[112, 112],
        patch_size=[14, 14],
    )
    more = ids(words, image_token_id="<IMG_CONTEXT>")
    config = InternVLConfig(
        text_config=text,
        vision_config=vision,
        image_seq_length=16,
        tie_word_embeddings=False,
        **more,
    )
    save(InternVLForConditionalGeneration, config, processor, folder)


def video_llama_3(folder: Path) -> None:
    from transformers import (
        VideoLlama3Config,
        VideoLlama3ForConditionalGeneration,
        VideoLlama3ImageProcessor,
        VideoLlama3Processor,
        VideoLlama3VideoProcessor,
    )

    words = tokenizer(
        ["<|im_end|>", "<|im_start|>", "<image>", "<video>"],
        image_token="<image>",
        video_token="<video>",
    )
    # vLLM takes the most frequent token of a video for its media token, so a frame needs several
    video = VideoLlama3VideoProcessor(
        size={"shortest_edge": 4 * 28 * 28, "longest_edge": 64 * 16 * 28 * 28}
    )
    processor = VideoLlama3Processor(
        VideoLlama3ImageProcessor(size=SIZE), words, video, template("<image>\n", "<video>\n")
    )
    text = TEXT_MODEL | dict(model_type="qwen2", vocab_size=len(words), **ends(words))
    vision = dict(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        patch_size=14,
    )
    more = ids(words, image_token_id="<image>", video_token_id="<video>")
    save(
        VideoLlama3ForConditionalGeneration,
        VideoLlama3Config(text_config=text, vision_config=vision, **more),
        processor,
        folder,
    )


def llava_onevision(folder: Path) -> None:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessor,
        LlavaOnevisionProcessor,
        LlavaOnevisionVideoProcessor,
    )

    words = tokenizer(LLAVA)
    size, pinpoints = {"height": 56, "width": 56}, [[56, 56], [56, 112], [112, 56]]
    processor = LlavaOnevisionProcessor(
        LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=pinpoints),
        words,
        LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=template("<image>\n", "<video>\n"),
    )
    text = TEXT_MODEL | dict(model_type="qwen2", vocab_size=len(words), **ends(words))
    vision = dict(
        model_type="siglip_vision_model",
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        vision_use_head=False,
    )
    more = ids(words, image_token_index="<image>", video_token_index="<video>")
    config = LlavaOnevisionConfig(
        text_config=text, vision_config=vision, image_grid_pinpoints=pinpoints, **more
    )
    save(LlavaOnevisionForConditionalGeneration, config, processor, folder)
    renamed(folder, "vision_tower.", "vision_tower.vision_model.")


# ---- what this transformers writes otherwise than released checkpoints are -----------------------


def transposed(folder: Path, *names: str) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = load_file(path)
    for key in weights:
        if key.endswith(names):
            weights[key] = weights[key].transpose(1, 2).contiguous()
    save_file(weights, path, {"format": "pt"})


def renamed(folder: Path, old: str, new: str) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = {
        key if new in key else key.replace(old, new): value
        for key, value in load_file(path).items()
    }
    save_file(weights, path, {"format": "pt"})


FAMILIES: dict[str, Callable[[Path], None]] = {
    "qwen2_vl": qwen2_vl,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen3_vl": qwen3_vl,
    "qwen3_vl_moe": qwen3_vl_moe,
    "qwen3_5": qwen3_5,
    "glm4v": glm4v,
    "glm46v": glm46v,
    "glm4v_moe": glm4v_moe,
    "internvl": internvl,
    "video_llama_3": video_llama_3,
    "llava_onevision": llava_onevision,
}

CONFIGS = {  # family -> the config that serves it
    "qwen2_vl": "hf",
    "qwen2_5_vl": "qwen2_5_vl_7b",
    "qwen3_vl": "qwen3_vl_8b",
    "qwen3_vl_moe": "qwen3_vl_235b_thinking",
    "qwen3_5": "qwen3_5_9b",
    "glm4v": "hf",
    "glm46v": "glm_4_6v_flash",
    "glm4v_moe": "glm_4_5v",
    "internvl": "internvl3_5_8b",
    "video_llama_3": "videollama3_7b",
    "llava_onevision": "hf",
}


def build(family: str, root: Path) -> Path:
    """The folder of a checkpoint of `family` under `root`, made if it is not there."""
    folder = root / family
    if not (folder / "config.json").exists():
        FAMILIES[family](folder)
        assert json.loads((folder / "config.json").read_text())["architectures"]
    return folder


if __name__ == "__main__":
    print(build(sys.argv[1], Path(sys.argv[2])))
