"""Check that the model really got the frames that the protocol asks for.

The tokens that the planned frames cost (`tokens.py`) are compared with the tokens that the engine
really used, read from the prompt that it returns. An engine that samples otherwise (its `fps` is
easily ignored) uses another number, and the task fails as infrastructure. Processors that join
frames in pairs round up to pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

from iwr.errors import AuditError
from iwr.inference.tokens import Plan, TokenCounter
from iwr.records import Frames


def audit(
    plan: Plan,
    number: int,
    mode: str,
    token_counter: TokenCounter,
    prompt: Sequence[int] | None,
    task: str,
) -> Frames:
    """Return the record of the frames that were delivered.

    `number`: frames that the protocol asks for; `prompt`: token ids that the engine returned.
    Raise AuditError when the media tokens differ from the plan.
    """
    if prompt is None or plan.video_tokens is None or plan.image_tokens is None:
        return Frames(
            mode=mode,
            planned=number,
            delivered=None,
            planned_tokens=plan.video_tokens,
            unaudited=token_counter.problem,
        )
    delivered = token_counter.count(prompt) - plan.image_tokens
    if delivered != plan.video_tokens:
        frames = round(plan.frames * delivered / plan.video_tokens)
        raise AuditError(
            f"task {task}: the model got {delivered} video tokens (about {frames} frames) "
            f"instead of {plan.video_tokens} ({plan.frames} frames)",
            hint="the engine samples otherwise than the protocol: check model.video_io, "
            "model.processor and the server's options",
        )
    return Frames(
        mode=mode,
        planned=number,
        delivered=plan.frames,
        planned_tokens=plan.video_tokens,
        delivered_tokens=delivered,
    )
