"""Requests that do not fit into the context: an error with the numbers, or fewer frames."""

from __future__ import annotations

import pytest

from iwr.errors import RequestError
from iwr.inference.fitting import fit
from iwr.inference.tokens import Plan


def measure(frames: int) -> Plan:
    return Plan(
        frames, video_tokens=100 * frames, image_tokens=1000, prompt_tokens=1100 + 100 * frames
    )


def test_what_fits_is_left_alone():
    assert fit(measure, 64, 4000, context=11_500, mode="error", task="t") == (
        measure(64),
        4000,
        None,
    )
    assert fit(measure, 64, 4000, context=None, mode="error", task="t").max_tokens == 4000


def test_error_names_the_numbers_and_the_settings():
    numbers = r"7500 prompt tokens \(1000 for overview images, 6400 for 64 frames\) and 4000"
    with pytest.raises(RequestError, match=f"task t: {numbers}") as caught:
        fit(measure, 64, 4000, context=11_499, mode="error", task="t")
    assert "model.context" in caught.value.hint


@pytest.mark.parametrize(
    ("context", "frames", "answer"),
    [(11_499, 48, 4000), (9_000, 36, 4000), (6_000, 8, 4000), (5_899, 8, 3999), (2_900, 8, 1000)],
)
def test_degrade_gives_up_frames_first_then_answer(context, frames, answer):
    got = fit(measure, 64, 4000, context=context, mode="degrade", task="t")
    assert (got.plan.frames, got.max_tokens) == (frames, answer)
    assert f"{frames} of 64 frames" in got.note
    assert got.plan.prompt_tokens + got.max_tokens <= context


def test_degrade_has_a_floor():
    with pytest.raises(RequestError, match="do not fit"):
        fit(measure, 64, 4000, context=2_899, mode="degrade", task="t")
    with pytest.raises(RequestError):  # few frames from the start: only the answer can shrink
        fit(measure, 4, 4000, context=2_000, mode="degrade", task="t")
    assert fit(measure, 4, 4000, context=5_000, mode="degrade", task="t").plan.frames == 4
