"""Whether an assertion came true, asked of a judge model with the screenshots before and after."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field

from iwr.judge.model.asking import PAGE_IS_NO_VOICE, Asker, Part, Reply, image, text
from iwr.records import Verdict

REASON = 300  # characters

QUESTION = """\
One screenshot shows a web page BEFORE an action, the other shows it AFTER.
<assertion>{assertion}</assertion>

Did the assertion come true: does it hold in the AFTER screenshot, as a result of what changed since BEFORE? Judge only what can be seen. \
If what it names cannot be seen, is different, or was already so before, the verdict is "no". {voice}
Answer with JSON: a short reason, then the verdict, "yes" or "no"."""


class Ruling(Reply):
    reason: str = Field(max_length=REASON)
    verdict: Literal["yes", "no"]


def question(assertion: str, before: bytes, after: bytes, *, swapped: bool = False) -> list[Part]:
    """Both pictures, each named; `swapped` shows the one after first."""
    pictures = [
        [text("BEFORE the action:"), image(before)],
        [text("AFTER the action:"), image(after)],
    ]
    first, second = reversed(pictures) if swapped else pictures
    return [*first, *second, text(QUESTION.format(assertion=assertion, voice=PAGE_IS_NO_VOICE))]


async def verify(
    asker: Asker, step: int, assertion: str, before: bytes, after: bytes, *, swapped: bool = False
) -> Verdict:
    """The model's verdict on two screenshots (PNG). Raises JudgeError, ServerError."""
    parts = question(assertion, before, after, swapped=swapped)
    asked = await asker.ask(f"step {step}: assertion", parts, Ruling, logprobs=True)
    return Verdict(
        passed=asked.reply.verdict == "yes",
        reason=asked.reply.reason,
        probability=yes_probability(asked.logprobs),
        attempts=asked.attempts,
        answer=asked.text,
    )


def yes_probability(logprobs: list[dict[str, Any]] | None) -> float | None:
    """P(yes) from the alternatives at the token where the verdict begins, "yes" and "no" together being 1. None: not told.

    `logprobs`: the server's entries for each token (OpenAI's form). A token may begin before the verdict ('":"yes').
    """
    written = ""
    for entry in logprobs or []:
        start = len(written)
        written += entry.get("token") or ""
        at = written.find('"verdict"')
        value = (
            written.find('"', written.find(":", at)) + 1 if at >= 0 and ":" in written[at:] else 0
        )
        if value and len(written) > value:
            return _share(entry, max(0, value - start))
    return None


def _share(entry: dict[str, Any], skip: int) -> float | None:
    """Share of "yes" among the alternatives of one token; its first `skip` characters come before the verdict."""
    weights = {"yes": 0.0, "no": 0.0}
    for other in entry.get("top_logprobs") or [entry]:
        word = (other.get("token") or "")[skip:].strip().lower()
        for name in weights:
            if word and (name.startswith(word) or word.startswith(name)):
                weights[name] += math.exp(min(0.0, other.get("logprob", -math.inf)))
    total = sum(weights.values())
    return weights["yes"] / total if total > 0 else None
