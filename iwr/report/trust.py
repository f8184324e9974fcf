"""What the self-test says of the judge: a sentence that stands beside every leaderboard."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.config import Config
from iwr.records import Rollout, SelfTest, TaskScore
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths


def judge_trust(scores: Sequence[TaskScore], config: Config, paths: RunPaths) -> str:
    """The figures of the run's self-test; or that there is none, or that it measured the judge under other settings."""
    name = config.judge.name
    again = f"`iwr selftest judge={name} run.name={paths.folder.name}` measures it"
    record = readable(paths.selftest(name), SelfTest)
    if record is None:
        return f"Nobody has measured the judge {name} here: {again}."
    if changed := _changed(record, scores, paths):
        return f"The judge {name} was measured under other settings ({', '.join(changed)}): {again} again."
    figures = {
        "right when an assertion holds": record.sensitivity,
        "right when it does not": record.specificity,
        "another answer when asked again": record.flips,
        "another answer in the other order": record.order_flips,
    }
    told = "; ".join(f"{what} {tally}" for what, tally in figures.items() if tally.asked)
    return f"The judge {name} on pages whose truth is known ({len(record.tasks)} tasks): {told}."


def _changed(record: SelfTest, scores: Sequence[TaskScore], paths: RunPaths) -> list[str]:
    """Settings of the judge that differ between the self-test and the first rollout at hand."""
    for score in scores:
        rollout = readable(paths.task(score.model, score.task).judge(record.judge).rollout, Rollout)
        if rollout is not None:
            return sorted(
                key
                for key, value in record.settings.items()
                if rollout.fingerprint.get(key) != value
            )
    return []
