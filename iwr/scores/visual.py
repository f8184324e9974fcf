"""The visual part of a score, from the similarities of its screenshots."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.config import ProtocolConfig
from iwr.metrics.compare import Similarity
from iwr.records import Pair, ScoreStatus, TaskScore
from iwr.scores import formula
from iwr.scores.draft import NO_NUMBERS, Draft
from iwr.tasks.pairing import Shot

HIGH = "high"
"""Key of the rubric among the reasons of a pair."""


def finish(
    draft: Draft,
    similarities: Sequence[Similarity],
    engines: dict[str, str],
    protocol: ProtocolConfig,
) -> TaskScore:
    """Return the score with its visual part. `similarities`: one for each shot of the draft."""
    score = draft.score
    if score.status is not ScoreStatus.OK:
        return score
    pairs = _pairs(draft, similarities, protocol)
    low = formula.mean(pair.low for pair in pairs)
    high = formula.mean(pair.high for pair in pairs) if protocol.high else None
    vfs = formula.vfs(low, high, has_high=protocol.high)
    update: dict[str, object] = {
        "pairs": tuple(pairs),
        "engines": engines,
        "low": low,
        "high": high,
        "vfs": vfs,
        "final": formula.final(score.ifs, vfs),
    }
    if vfs is None:
        update |= NO_NUMBERS
        update["status"] = ScoreStatus.UNSCORED
        update["reason"] = _unscored_reason(pairs, protocol)
    return score.model_copy(update=update)


def _pairs(
    draft: Draft,
    similarities: Sequence[Similarity],
    protocol: ProtocolConfig,
) -> list[Pair]:
    """Return the pairs of all shots in the order of their steps."""
    pairs = list(draft.score.pairs)
    for shot, similarity in zip(draft.shots, similarities, strict=True):
        pairs.append(_pair(shot, similarity, protocol))
    return sorted(pairs, key=lambda pair: pair.step)


def _pair(
    shot: Shot,
    similarity: Similarity,
    protocol: ProtocolConfig,
) -> Pair:
    """Return one pair; its reasons say what has no value."""
    step = shot.step
    metrics = similarity.metrics
    reasons = dict(similarity.reasons)
    high = None
    if protocol.high:
        if shot.rubric is None:
            reasons[HIGH] = step.rubric_reason or "the judge gave no rubric"
        else:
            high = formula.high(shot.rubric.total)
    if _is_screenshot_changed(shot, similarity):
        reason = "the screenshot is not the one that was judged: run `iwr judge` again"
        reasons = dict.fromkeys(metrics, reason)
        metrics = dict.fromkeys(metrics)
    return Pair(
        step=step.step,
        reference_sha256=similarity.reference_sha256,
        candidate_sha256=similarity.candidate_sha256,
        metrics=metrics,
        reasons=reasons,
        low=formula.mean(metrics[name] for name in protocol.low),
        high=high,
        note=similarity.note,
    )


def _is_screenshot_changed(shot: Shot, similarity: Similarity) -> bool:
    """Return whether the screenshot on disk is not the one that was judged."""
    judged = shot.step.screenshot_sha256
    compared = similarity.candidate_sha256
    if judged is None or compared is None:
        return False
    return judged != compared


def _unscored_reason(pairs: Sequence[Pair], protocol: ProtocolConfig) -> str:
    """Return the first reason why a pair has no low-level or no high-level score."""
    for pair in pairs:
        names = []
        if pair.low is None:
            names += protocol.low
        if protocol.high and pair.high is None:
            names.append(HIGH)
        for name in names:
            reason = pair.reasons.get(name)
            if reason is not None:
                return f"step {pair.step}: {name}: {reason}"
    return "no checkpoint could be compared"
