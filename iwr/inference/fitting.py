"""Does a request fit into the model's context? Computed before the call.

`model.over_context=error` (default): a task that does not fit fails with the numbers. `degrade`: fewer frames first, a
quarter less at a time and never below 8, then a shorter answer, never below a quarter; what was done is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from iwr.errors import ConfigError, RequestError
from iwr.inference.audit import Plan

FEWEST_FRAMES = 8
SHORTEST_ANSWER = 0.25  # of max_tokens
MODES = ("error", "degrade")


class FittedRequest(NamedTuple):
    """What is asked for in the end; `note` says what had to be given up."""

    plan: Plan
    max_tokens: int
    note: str | None = None


def fit(
    measure: Callable[[int], Plan],
    asked: int,
    max_tokens: int,
    context: int | None,
    mode: str,
    task: str,
) -> FittedRequest:
    """The largest request that fits. `measure` plans a number of frames.

    Raises RequestError when it does not fit (and may not, or cannot, be made smaller), ConfigError for an unknown mode.
    """
    if mode not in MODES:
        raise ConfigError(f"model.over_context={mode}: choose {' or '.join(MODES)}")
    plan = measure(asked)
    if context is None or plan.prompt_tokens is None or plan.prompt_tokens + max_tokens <= context:
        return FittedRequest(plan, max_tokens)
    if mode == "degrade":
        for fewer in _fewer(asked):
            plan = measure(fewer)
            assert plan.prompt_tokens is not None
            if plan.prompt_tokens + max_tokens <= context:
                return FittedRequest(
                    plan,
                    max_tokens,
                    f"{fewer} of {asked} frames: the context is too small for more",
                )
        left = context - (plan.prompt_tokens or 0)
        if left >= max_tokens * SHORTEST_ANSWER:
            note = f"{plan.frames} of {asked} frames, {left} of {max_tokens} answer tokens: the context is too small for more"
            return FittedRequest(plan, left, note)
    prompt = f"{plan.prompt_tokens} prompt tokens ({plan.image_tokens} for overview images, {plan.video_tokens} for {plan.frames} frames)"
    raise RequestError(
        f"task {task}: {prompt} and {max_tokens} for the answer do not fit into a context of {context}",
        hint="raise model.context, lower model.max_tokens or the pixels of model.processor, or set model.over_context=degrade",
    )


def _fewer(asked: int) -> Iterator[int]:
    """Even numbers of frames below `asked`, a quarter less each time."""
    number = asked
    while number > FEWEST_FRAMES:
        number = max(number * 3 // 4 // 2 * 2, FEWEST_FRAMES)
        yield number
