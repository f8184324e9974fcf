"""Tiny random checkpoints of real architectures, written with the upstream classes, that a CPU serves in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXT = "You see overview images of a website's assets, then a screen recording. Answer with <html><body>the file</body></html>. " * 3


def tokenizer(special: list[str], end: str) -> Any:
    """Byte-level BPE with the family's special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=384, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    bpe.train_from_iterator([TEXT], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=end, pad_token=end, clean_up_tokenization_spaces=False)


def template(image: str, video: str, start: str = "<|im_start|>", end: str = "<|im_end|>") -> str:
    """A chat template in the way of these families."""
    return (
        "{% for message in messages %}" + start + "{{ message.role }}\n"
        "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
        "{% if part.type == 'image' %}" + image + "{% elif part.type == 'video' %}" + video + "{% else %}{{ part.text }}{% endif %}"
        "{% endfor %}{% endif %}" + end + "\n{% endfor %}"
        "{% if add_generation_prompt %}" + start + "assistant\n{% endif %}"
    )


QWEN = ["<|im_end|>", "<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
QWEN_TEMPLATE = template("<|vision_start|><|image_pad|><|vision_end|>", "<|vision_start|><|video_pad|><|vision_end|>")
TEXT_SIZE = dict(
    hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
    max_position_embeddings=8192, tie_word_embeddings=True,
)  # fmt: skip


def qwen_ids(words: Any) -> dict[str, int]:
    names = ("vision_start", "vision_end", "image_pad", "video_pad")
    keys = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    return {key: words.convert_tokens_to_ids(f"<|{name}|>") for key, name in zip(keys, names, strict=True)}


def qwen2_5_vl(folder: Path) -> None:
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    words = tokenizer(QWEN, "<|im_end|>")
    size = {"shortest_edge": 4 * 28 * 28, "longest_edge": 16 * 28 * 28}
    Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=words,
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False),
        chat_template=QWEN_TEMPLATE,
    ).save_pretrained(folder)
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]}
    text = TEXT_SIZE | dict(vocab_size=len(words), rope_parameters=rope, **ends(words))
    vision = dict(
        depth=2, hidden_size=64, intermediate_size=128, num_heads=2, out_hidden_size=64, window_size=56, fullatt_block_indexes=[1]
    )
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **qwen_ids(words))
    save(Qwen2_5_VLForConditionalGeneration, config, folder)


def ends(words: Any) -> dict[str, int]:
    return {key: words.eos_token_id for key in ("bos_token_id", "eos_token_id", "pad_token_id")}


def save(model: Any, config: Any, folder: Path) -> None:
    import torch

    torch.manual_seed(0)
    model(config).to(torch.bfloat16).save_pretrained(folder)


FAMILIES: dict[str, Callable[[Path], None]] = {"qwen2_5_vl": qwen2_5_vl}


def build(family: str, root: Path) -> Path:
    """The folder of a fresh checkpoint of `family`."""
    folder = root / family
    FAMILIES[family](folder)
    return folder
