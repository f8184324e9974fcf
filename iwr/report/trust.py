"""What the self-test says of the judge: a sentence beside every leaderboard."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.config import Config
from iwr.records import Rollout, SelfTest, TaskScore
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths


def judge_trust(
    scores: Sequence[TaskScore],
    config: Config,
    paths: RunPaths,
) -> str:
    """Return the figures of the run's self-test.

    Where there are none, or they are of the judge under other settings, the sentence says so.
    """
    name = config.judge.name
    remedy = f"run `iwr selftest judge={name} run.name={paths.folder.name}`"
    record = readable(paths.selftest(name), SelfTest)
    if record is None:
        return f"Judge `{name}` has not been validated on this run: {remedy}."
    changes = _changed_settings(record, scores, paths)
    if changes:
        keys = ", ".join(changes)
        return f"Judge `{name}` was validated under other settings ({keys}): {remedy} again."
    return f"Judge `{name}`, validated on known pages {_figures(record)}."


def _figures(record: SelfTest) -> str:
    """Return the number of tasks, and what was measured on them."""
    tallies = {
        "correct when an assertion holds": record.sensitivity,
        "correct when it does not": record.specificity,
        "different answer when asked again": record.flips,
        "different answer with the screenshots swapped": record.order_flips,
    }
    figures = []
    for label, tally in tallies.items():
        if tally.asked:
            figures.append(f"{label} {tally}")
    count = len(record.tasks)
    return f"({count} tasks): {'; '.join(figures)}"


def _changed_settings(
    record: SelfTest,
    scores: Sequence[TaskScore],
    paths: RunPaths,
) -> list[str]:
    """Return settings of the judge that differ between self-test and the first rollout on disk."""
    for score in scores:
        judged = paths.task(score.model, score.task).judge(record.judge)
        rollout = readable(judged.rollout, Rollout)
        if rollout is not None:
            return _differences(record, rollout)
    return []


def _differences(record: SelfTest, rollout: Rollout) -> list[str]:
    """Return the keys in which the two have different settings."""
    keys = []
    for key, value in record.settings.items():
        if rollout.fingerprint.get(key) != value:
            keys.append(key)
    return sorted(keys)
