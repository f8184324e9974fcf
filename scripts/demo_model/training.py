"""The training loop.

Whole pages are memorised; many openings of pages teach the model to tell recordings apart.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.nn.functional import cross_entropy

from demo_model.lessons import BRANCH_WEIGHT, Lesson, Seen, Sequence, sequence, vary

RATE, LEAST_RATE, WARM_UP, CLIP = 1.5e-3, 1.5e-4, 15, 1.0
SETTLING = 0.05  # mean loss of whole pages from which the rate falls in proportion
# on the LARGEST loss of any token: a mean hides the one token that picks the wrong page
GOOD_ENOUGH = 0.03
STEADY = 6  # whole-page steps in a row that must be good enough
UNSURE_WEIGHT = 10.0  # of any token that is not good enough yet
OPENINGS_UNTIL = 60  # up to this step every other step is on openings, later every fourth
MARGIN = 8  # tokens of an opening after the last place where pages part

KEPT = ("step", "good", "seconds", "mean")


class State:
    """Everything that a stopped training needs to go on as if it had never stopped."""

    def __init__(self, model: Any, seed: int):
        self.model = model
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0
        )
        self.random = random.Random(seed)
        self.noise = torch.Generator().manual_seed(seed)
        self.step = 0
        self.good = 0
        self.seconds = 0.0
        self.mean = float("inf")  # loss of the last step on whole pages

    @property
    def done(self) -> bool:
        return self.good >= STEADY

    def save(self, path: Path) -> None:
        kept = {name: getattr(self, name) for name in KEPT}
        torch.save(
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "random": self.random.getstate(),
                "noise": self.noise.get_state(),
                **kept,
            },
            path,
        )

    def load(self, path: Path) -> None:
        kept = torch.load(path, weights_only=False)
        self.model.load_state_dict(kept["model"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.random.setstate(kept["random"])
        self.noise.set_state(kept["noise"])
        for name in KEPT:
            setattr(self, name, kept[name])

    @property
    def whole(self) -> bool:
        """Whether the next step is on whole pages."""
        return self.step % (2 if self.step < OPENINGS_UNTIL else 4) != 1

    @property
    def rate(self) -> float:
        return max(RATE * min(1.0, (self.step + 1) / WARM_UP, self.mean / SETTLING), LEAST_RATE)


class Losses(NamedTuple):
    mean: float
    largest: float
    branch: float  # largest at a place where pages part


def one_step(state: State, lessons: list[Lesson], processor: Any) -> Losses:
    """Make one update, on whole pages or on openings only.

    The images are mostly those of another site, so that they carry no information.
    """
    whole, batch = state.whole, []
    for lesson in lessons:
        clip = vary(lesson, processor, state.noise) if state.random.random() < 0.85 else lesson.clip
        until = None if whole else opening(lesson)
        batch.append(
            sequence(
                lesson,
                some_sheets(state, lesson, lessons),
                clip,
                processor,
                state.model.config,
                until,
            )
        )
    for group in state.optimizer.param_groups:
        group["lr"] = state.rate
    losses, weights = token_losses(state.model, batch)
    counted = losses.detach()[weights > 0]
    unsure = (weights > 0) & (losses.detach() > GOOD_ENOUGH)
    pull = torch.where(unsure, weights.clamp(min=UNSURE_WEIGHT), weights)
    loss = (losses * pull).sum() / pull.sum()
    state.optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), CLIP)
    state.optimizer.step()
    state.step += 1
    result = Losses(
        counted.mean().item(),
        counted.max().item(),
        losses.detach()[weights == BRANCH_WEIGHT].max().item(),
    )
    if whole:
        state.mean = result.mean
        state.good = state.good + 1 if result.largest < GOOD_ENOUGH else 0
    return result


def some_sheets(state: State, lesson: Lesson, lessons: list[Lesson]) -> list[Seen]:
    """The page's own overview images, another page's, or none."""
    kind = state.random.random()
    if kind < 0.3:
        return lesson.sheets
    return state.random.choice(lessons).sheets if kind < 0.85 else []


def opening(lesson: Lesson) -> int:
    parting = [i for i, weight in enumerate(lesson.weights) if weight == BRANCH_WEIGHT]
    return parting[-1] + MARGIN


def token_losses(model: Any, batch: list[Sequence]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return loss and weight of each predicted token, both (sequences, longest length - 1).

    The weight is 0 where nothing is learnt.
    """
    logits = forward(model, batch)
    ids, weights = _padded([s.ids for s in batch]), _padded([s.weights for s in batch])
    losses = cross_entropy(logits[:, :-1].transpose(1, 2).float(), ids[:, 1:], reduction="none")
    return losses, weights[:, 1:]


def forward(model: Any, batch: list[Sequence]) -> torch.Tensor:
    """Return logits (sequences, longest length, vocabulary).

    Padding is at the right, where causal attention ignores it.
    """
    images = [image for s in batch for image in s.images]
    seen = {}
    if images:
        seen = {
            "pixel_values": torch.cat([i.patches for i in images]),
            "image_grid_thw": torch.stack([i.grid for i in images]),
        }
    return model(
        input_ids=_padded([s.ids for s in batch]),
        position_ids=torch.stack(
            [_padded([s.positions[axis] for s in batch]) for axis in range(3)]
        ),
        pixel_values_videos=torch.cat([s.clip.patches for s in batch]),
        video_grid_thw=torch.stack([s.clip.grid for s in batch]),
        use_cache=False,
        **seen,
    ).logits


def _padded(rows: list[torch.Tensor]) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


@torch.no_grad()
def certainty(model: Any, lessons: list[Lesson], processor: Any) -> dict[str, float]:
    """Return for each page the smallest probability that the model gives to any of its tokens.

    The input is the shipped recording and its images. Above 0.5 everywhere means that greedy
    decoding writes the page exactly.
    """
    smallest = {}
    for lesson in lessons:
        losses, weights = token_losses(
            model, [sequence(lesson, lesson.sheets, lesson.clip, processor, model.config)]
        )
        smallest[lesson.id] = losses[weights > 0].max().neg().exp().item()
    return smallest
