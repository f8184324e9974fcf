"""Make a request fit into the model's context, computed before the call.

`model.over_context=error` (default): a task that does not fit fails with the numbers.
`degrade`: fewer frames first, a quarter less at a time and never below 8, then a shorter answer,
never below a quarter; what was given up is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from iwr.errors import RequestError
from iwr.inference.tokens import Plan

FEWEST_FRAMES = 8
SHORTEST_ANSWER = 0.25  # of max_tokens


class FittedRequest(NamedTuple):
    """The request as it is sent; `note` says what had to be given up."""

    plan: Plan
    max_tokens: int
    note: str | None = None


def fit(
    measure: Callable[[int], Plan],
    number: int,
    max_tokens: int,
    context: int | None,
    mode: str,
    task: str,
) -> FittedRequest:
    """Return the largest request that fits.

    `measure` plans a number of frames; `number`: frames that the protocol asks for; `context` in
    tokens, None when it is not known; `mode`: that of `model.over_context`. Raise RequestError
    when the request does not fit and may not, or cannot, be made smaller.
    """
    plan = measure(number)
    if context is None or plan.prompt_tokens is None:
        return FittedRequest(plan, max_tokens)
    if plan.prompt_tokens + max_tokens <= context:
        return FittedRequest(plan, max_tokens)
    if mode == "degrade":
        request = _degraded(measure, number, max_tokens, context)
        if request is not None:
            return request
        plan = measure(_fewest(number))
    raise _does_not_fit(plan, max_tokens, context, task)


def _degraded(
    measure: Callable[[int], Plan],
    number: int,
    max_tokens: int,
    context: int,
) -> FittedRequest | None:
    """Return the largest smaller request that fits, or None."""
    for fewer in _fewer(number):
        plan = measure(fewer)
        assert plan.prompt_tokens is not None
        if plan.prompt_tokens + max_tokens <= context:
            note = f"{fewer} of {number} frames: the context is too small for more"
            return FittedRequest(plan, max_tokens, note)
    plan = measure(_fewest(number))
    assert plan.prompt_tokens is not None
    room = context - plan.prompt_tokens
    if room < max_tokens * SHORTEST_ANSWER:
        return None
    note = (
        f"{plan.frames} of {number} frames, {room} of {max_tokens} answer tokens: "
        "the context is too small for more"
    )
    return FittedRequest(plan, room, note)


def _fewest(number: int) -> int:
    """Return the fewest frames that a request may have."""
    return min(number, FEWEST_FRAMES)


def _fewer(number: int) -> Iterator[int]:
    """Yield even numbers of frames below `number`, a quarter less each time."""
    while number > FEWEST_FRAMES:
        number = max(number * 3 // 4 // 2 * 2, FEWEST_FRAMES)
        yield number


def _does_not_fit(plan: Plan, max_tokens: int, context: int, task: str) -> RequestError:
    """Return the error of a task whose smallest request is too long."""
    return RequestError(
        f"task {task}: {plan.prompt_tokens} prompt tokens ({plan.image_tokens} for overview "
        f"images, {plan.video_tokens} for {plan.frames} frames) and {max_tokens} for the answer "
        f"do not fit into a context of {context}",
        hint="raise model.context, lower model.max_tokens or the pixels of model.processor, "
        "or set model.over_context=degrade",
    )
