"""Recordings and pages as training sequences, laid out exactly as vLLM lays out a request.

Frames are taken from a file by vLLM's own loader under the product's own settings. The rotary
positions after a video differ between transformers and vLLM; here they are vLLM's
(`rotary_positions`).
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from iwr.config import ModelConfig, ProtocolConfig
from iwr.inference.prompt import text_for
from iwr.inference.video import count, engine_settings, request_settings
from iwr.records import Task
from iwr.tasks.recordings import probe

DENSE = 6.0  # frames a second kept for augmentation
BRANCH_WEIGHT, AMBIGUOUS_WEIGHT = 60.0, 10.0
CONTEXT = 4  # tokens that decide whether a place is ambiguous


class Seen(NamedTuple):
    """Pixels of one image or clip after the processor.

    patches: (n, features), grid: (3,) patches in time, height, width.
    """

    patches: torch.Tensor
    grid: torch.Tensor
    seconds: float = 0.0  # between two steps of the grid in time


class Lesson(NamedTuple):
    """One page and what a model may see of it."""

    id: str
    prompt: str
    page: str
    answer: list[int]  # tokens, the closing one included
    weights: list[float]  # of each answer token in the loss
    sheets: list[Seen]
    clip: Seen  # as vLLM samples the recording
    dense: torch.Tensor  # (frames, 3, height, width) uint8, already scaled down


class Sequence(NamedTuple):
    """One training sequence of `length` tokens. Loss is taken where weights > 0."""

    ids: torch.Tensor  # (length,)
    positions: torch.Tensor  # (3, length)
    weights: torch.Tensor  # (length,), of the prediction OF this token
    images: list[Seen]
    clip: Seen


def answer_text(page: str) -> str:
    return f"```html\n{page}\n```"


def load_lessons(
    tasks: list[Task], processor: Any, model: ModelConfig, protocol: ProtocolConfig
) -> list[Lesson]:
    """Read, decode and tokenise everything once.

    The recordings are sampled by vLLM, under the settings of the product.
    """
    pages = [task.true_page.read_text() for task in tasks if task.true_page]
    answers = [
        processor.tokenizer(answer_text(page) + processor.tokenizer.eos_token)["input_ids"]
        for page in pages
    ]
    weights = token_weights(answers)
    return [
        Lesson(
            task.id,
            text_for(task),
            page,
            answer,
            weight,
            [_see_image(path, processor) for path in task.stitched],
            _see_clip(task, processor, model, protocol),
            _dense_frames(task.video, processor),
        )
        for task, page, answer, weight in zip(tasks, pages, answers, weights, strict=True)
    ]


def token_weights(answers: list[list[int]]) -> list[list[float]]:
    """Weigh the tokens at which pages part, and those that the few tokens before do not settle."""
    after_prefix: dict[tuple[int, ...], set[int]] = defaultdict(set)
    after_context: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for answer in answers:
        for i, token in enumerate(answer):
            after_context[tuple(answer[max(0, i - CONTEXT) : i])].add(token)
            after_prefix[tuple(answer[:i])].add(token)

    def weight(answer: list[int], i: int) -> float:
        if len(after_prefix[tuple(answer[:i])]) > 1:
            return BRANCH_WEIGHT
        return (
            AMBIGUOUS_WEIGHT
            if len(after_context[tuple(answer[max(0, i - CONTEXT) : i])]) > 1
            else 1.0
        )

    return [[weight(answer, i) for i in range(len(answer))] for answer in answers]


def _see_image(path: Path, processor: Any) -> Seen:
    from PIL import Image

    seen = processor.image_processor(images=[Image.open(path).convert("RGB")], return_tensors="pt")
    return Seen(seen["pixel_values"], seen["image_grid_thw"][0])


def decode(path: Path, settings: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
    """Return frames (n, 3, height, width) uint8 and their metadata.

    `settings` are the media_io_kwargs of a video in vLLM.
    """
    from vllm.multimodal.video import VIDEO_LOADER_REGISTRY

    wanted = dict(settings)
    frames, metadata = VIDEO_LOADER_REGISTRY.load(wanted.pop("video_backend")).load_bytes(
        path.read_bytes(), **wanted
    )
    return torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous(), metadata


def _see_clip(task: Task, processor: Any, model: ModelConfig, protocol: ProtocolConfig) -> Seen:
    from transformers.video_utils import VideoMetadata

    number = count(probe(task.video, task.id), protocol)
    frames, metadata = decode(
        task.video,
        {**engine_settings(model, protocol), **request_settings(model, number).get("video", {})},
    )
    metadata.pop("do_sample_frames")
    known = VideoMetadata(**metadata)
    seen = processor.video_processor(
        videos=[frames], video_metadata=[known], do_sample_frames=False, return_tensors="pt"
    )
    seconds = processor.video_processor.temporal_patch_size / known.sampled_fps
    return Seen(seen["pixel_values_videos"], seen["video_grid_thw"][0], seconds)


def _dense_frames(path: Path, processor: Any) -> torch.Tensor:
    from transformers.image_utils import SizeDict

    video = processor.video_processor
    frames, _ = decode(path, {"video_backend": "opencv", "fps": DENSE})
    size = SizeDict(
        shortest_edge=video.size["shortest_edge"], longest_edge=video.size["longest_edge"]
    )
    return video.resize(frames[None], size, video.resample, video.patch_size * video.merge_size)[0]


def vary(lesson: Lesson, processor: Any, random: torch.Generator) -> Seen:
    """Return the recording as somebody else might have made it.

    Its tempo, start, end and light vary.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=random).item()

    total = len(lesson.dense)
    first, last = uniform(0, 0.12) * total, (1 - uniform(0, 0.2)) * total - 1
    step = DENSE * uniform(0.55, 1.7)
    pairs = max(2, int((last - first) / step) // 2)
    at = torch.linspace(first, last - uniform(0, step), 2 * pairs).clamp(0, total - 1).long()
    frames = lesson.dense[at].float() * uniform(0.9, 1.1) + uniform(-10, 10)
    frames = (frames + 3 * torch.randn(frames.shape, generator=random)).clamp(0, 255).byte()
    seen = processor.video_processor(
        videos=[frames], do_resize=False, do_sample_frames=False, return_tensors="pt"
    )
    return Seen(seen["pixel_values_videos"], seen["video_grid_thw"][0], uniform(1.9, 2.4))


def sequence(
    lesson: Lesson,
    images: list[Seen],
    clip: Seen,
    processor: Any,
    config: Any,
    until: int | None = None,
) -> Sequence:
    """Return the request as the product words it, then the answer (its first `until` tokens)."""
    parts = [{"type": "image"}] * len(images) + [
        {"type": "video"},
        {"type": "text", "text": lesson.prompt},
    ]
    text = processor.apply_chat_template(
        [{"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True
    )
    seen, merge = iter([*images, clip]), config.vision_config.spatial_merge_size
    request: list[int] = []
    for token in processor.tokenizer(text)["input_ids"]:
        pads = (config.image_token_id, config.video_token_id)
        request += [token] * (int(next(seen).grid.prod()) // merge**2 if token in pads else 1)
    ids = torch.tensor(request + lesson.answer[:until])
    weights = torch.tensor([0.0] * len(request) + lesson.weights[:until])
    return Sequence(ids, rotary_positions(ids, images, clip, config), weights, images, clip)


def rotary_positions(
    ids: torch.Tensor, images: list[Seen], clip: Seen, config: Any
) -> torch.Tensor:
    """Return positions (3, length) in time, height, width, as vLLM counts them.

    After an image or a video vLLM goes on at the largest position so far + 1, where transformers
    adds the larger side of the grid (vllm/model_executor/models/qwen2_5_vl.py:
    get_mrope_input_positions).
    """
    merge, rate = config.vision_config.spatial_merge_size, config.vision_config.tokens_per_second
    waiting = {config.image_token_id: list(images), config.video_token_id: [clip]}
    columns: list[torch.Tensor] = []
    at, following = 0, 0
    while at < len(ids):
        seen = waiting[int(ids[at])].pop(0) if int(ids[at]) in waiting else None
        if seen is None:
            block = torch.full((3, 1), following)
        else:
            t, h, w = (int(n) for n in seen.grid)
            scale = rate * seen.seconds if seen.seconds else 1.0
            grid = torch.meshgrid(
                (torch.arange(t) * scale).long(),
                torch.arange(h // merge),
                torch.arange(w // merge),
                indexing="ij",
            )
            block = torch.stack(grid).reshape(3, -1) + following
        columns.append(block)
        at, following = at + block.shape[1], int(block.max()) + 1
    return torch.cat(columns, dim=1)
