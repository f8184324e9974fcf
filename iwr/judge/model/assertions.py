"""Whether an assertion came true, asked of a judge model with the screenshots before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from iwr.judge.model.asking import (
    PAGE_IS_EVIDENCE,
    Asker,
    Part,
    StructuredReply,
    TokenLogprob,
    image,
    text,
)
from iwr.records import Verdict

REASON = 300  # characters

QUESTION = """\
One screenshot shows a web page BEFORE an action, the other shows it AFTER.
<assertion>{assertion}</assertion>

Did the assertion come true: does it hold in the AFTER screenshot, as a result of what changed \
since BEFORE? Judge only what can be seen. \
If what it names cannot be seen, is different, or was already so before, the verdict is "no". \
{voice}
Answer with JSON: a short reason, then the verdict, "yes" or "no"."""


class Ruling(StructuredReply):
    reason: str = Field(max_length=REASON)
    verdict: Literal["yes", "no"]


async def verify(
    asker: Asker,
    step: int,
    assertion: str,
    before: bytes,
    after: bytes,
    *,
    swapped: bool = False,
) -> Verdict:
    """Return the model's verdict on two screenshots (PNG). Raises JudgeError, ServerError."""
    parts = question(assertion, before, after, swapped=swapped)
    answer = await asker.ask(f"step {step}: assertion", parts, Ruling, logprobs=True)
    return Verdict(
        passed=answer.reply.verdict == "yes",
        reason=answer.reply.reason,
        probability=yes_probability(answer.logprobs),
        attempts=answer.attempts,
        answer=answer.text,
    )


def question(
    assertion: str,
    before: bytes,
    after: bytes,
    *,
    swapped: bool = False,
) -> list[Part]:
    """Return both pictures, each named, and the question. `swapped` shows the one after first."""
    pictures = [
        [text("BEFORE the action:"), image(before)],
        [text("AFTER the action:"), image(after)],
    ]
    if swapped:
        pictures.reverse()
    words = QUESTION.format(assertion=assertion, voice=PAGE_IS_EVIDENCE)
    return [*pictures[0], *pictures[1], text(words)]


# ---- how sure the model is ---------------------------------------------------------------------


def yes_probability(logprobs: Sequence[TokenLogprob] | None) -> float | None:
    """Return P(yes) at the token where the verdict begins, "yes" and "no" together being 1.

    `logprobs` holds one entry for each token. A token may begin before the verdict ('":"yes').
    None when the server sent no such entry.
    """
    written = ""
    for entry in logprobs or ():
        token_start = len(written)
        written += entry.get("token") or ""
        verdict_start = _verdict_start(written)
        if verdict_start is not None and len(written) > verdict_start:
            return _yes_share(entry, max(0, verdict_start - token_start))
    return None


def _verdict_start(written: str) -> int | None:
    """Return where the value of "verdict" begins in the answer so far; None before its quote."""
    key = written.find('"verdict"')
    if key < 0:
        return None
    colon = written.find(":", key)
    if colon < 0:
        return None
    quote = written.find('"', colon)
    return quote + 1 if quote >= 0 else None


def _yes_share(entry: TokenLogprob, skip: int) -> float | None:
    """Return the share of "yes" among the alternatives of one token.

    The first `skip` characters of the token come before the verdict.
    """
    weights = {"yes": 0.0, "no": 0.0}
    for alternative in entry.get("top_logprobs") or [entry]:
        word = (alternative.get("token") or "")[skip:].strip().lower()
        weight = math.exp(min(0.0, alternative.get("logprob", -math.inf)))
        for name in weights:
            if word and (name.startswith(word) or word.startswith(name)):
                weights[name] += weight
    total = sum(weights.values())
    return weights["yes"] / total if total > 0 else None
