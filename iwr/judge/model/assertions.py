"""Whether an assertion came true, asked of a judge model with the screenshots before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

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

BOTH_PICTURES = """\
One screenshot shows a web page BEFORE an action, the other shows it AFTER.
<assertion>{assertion}</assertion>

"""
VERDICT = """\
{voice}
Answer with JSON: a short reason, then the verdict, "yes" or "no"."""
PAPER = f"""\
{BOTH_PICTURES}\
Given both screenshots, is the assertion true?
{VERDICT}"""
LOCAL = f"""\
{BOTH_PICTURES}\
Is the assertion true? Judge only what can be seen.
- What it says to happen (something appears, becomes, opens, closes, changes, moves, is added or \
removed) must have happened between the screenshots: it was not yet so BEFORE, and is so AFTER.
- What it says to be so (something is, has, shows, contains) must be so AFTER, whether or not it \
was so BEFORE. What remains or stays must be so in both.
If it names several things, all must be true. If what it names cannot be seen, or is different, \
the verdict is "no".
{VERDICT}"""
QUESTIONS = {"paper": PAPER, "local": LOCAL}
"""By the value of `protocol.assertion`: `paper` asks as the benchmark's paper does."""


class Claim(NamedTuple):
    """An assertion and the screenshots (PNG) around the action that it is about."""

    assertion: str
    before: bytes
    after: bytes


class Ruling(StructuredReply):
    reason: str = Field(max_length=REASON)
    verdict: Literal["yes", "no"]


async def verify(
    asker: Asker, step: int, claim: Claim, wording: str, *, swapped: bool = False
) -> Verdict:
    """Return the model's verdict, asked for in a wording of QUESTIONS.

    Raises JudgeError, ServerError.
    """
    parts = question(claim, wording, swapped=swapped)
    answer = await asker.ask(f"step {step}: assertion", parts, Ruling, logprobs=True)
    return Verdict(
        passed=answer.reply.verdict == "yes",
        reason=answer.reply.reason,
        probability=yes_probability(answer.logprobs),
        attempts=answer.attempts,
        answer=answer.text,
    )


def question(claim: Claim, wording: str, *, swapped: bool = False) -> list[Part]:
    """Return both pictures, each named, and the question. `swapped` shows the one after first.

    The names tell them apart in either order, so a model that understands them answers the same.
    """
    before = [text("BEFORE the action:"), image(claim.before)]
    after = [text("AFTER the action:"), image(claim.after)]
    words = QUESTIONS[wording].format(assertion=claim.assertion, voice=PAGE_IS_EVIDENCE)
    if swapped:
        return [*after, *before, text(words)]
    return [*before, *after, text(words)]


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
            skip = max(0, verdict_start - token_start)
            return _yes_share(entry, skip)
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
    if quote < 0:
        return None
    return quote + 1


def _yes_share(entry: TokenLogprob, skip: int) -> float | None:
    """Return the share of "yes" among the alternatives of one token.

    The first `skip` characters of the token come before the verdict.
    """
    yes = 0.0
    no = 0.0
    for alternative in entry.get("top_logprobs") or [entry]:
        token = alternative.get("token") or ""
        word = token[skip:].strip().lower()
        logprob = alternative.get("logprob", -math.inf)
        weight = math.exp(min(0.0, logprob))
        if _may_be(word, "yes"):
            yes += weight
        if _may_be(word, "no"):
            no += weight
    total = yes + no
    if total == 0:
        return None
    return yes / total


def _may_be(word: str, verdict: str) -> bool:
    """Return whether a token is the verdict, its beginning, or goes on after it."""
    if not word:
        return False
    return verdict.startswith(word) or word.startswith(verdict)
