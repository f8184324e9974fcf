"""What the self-test says of the judge: a sentence and a table beside every leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from iwr.config import Config
from iwr.judge.selftest_cases import EXPECTED_POSITIVE
from iwr.records import Rollout, SelfTest, SelfTestMiss, Tally, TaskScore
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths


class Trust(NamedTuple):
    """A sentence on the judge, and its self-test, if the rollouts are by the judge as tested."""

    sentence: str
    selftest: SelfTest | None = None


class KindRow(NamedTuple):
    """The questions of one kind."""

    kind: str
    expected: str  # the right answer: yes | no
    tally: Tally  # how often it was given
    wrong: int
    left_out: int  # questions without a certain answer

    @property
    def interval(self) -> str:
        """The share's 95 % interval as text."""
        if self.tally.low is None or self.tally.high is None:
            return "-"
        return f"{self.tally.low:.1%} to {self.tally.high:.1%}"

    @property
    def cells(self) -> list[str]:
        """The row under `HEADERS`."""
        share = self.tally.share
        right = "-" if share is None else f"{share:.1%}"
        counts = (self.tally.asked, self.wrong, self.tally.unusable, self.left_out)
        return [self.kind, self.expected, right, self.interval, *map(str, counts)]


HEADERS = (
    "Question",
    "Right answer",
    "Given",
    "95 %",
    "Asked",
    "Wrong",
    "No usable answer",
    "Left out",
)


def kind_rows(record: SelfTest) -> list[KindRow]:
    """Return the table of a self-test: first the questions whose right answer is yes."""
    rows = []
    for kind in dict.fromkeys((*record.kinds, *record.left_out)):
        tally = record.kinds.get(kind, Tally(asked=0, yes=0, unusable=0))
        row = KindRow(
            kind,
            "yes" if kind in EXPECTED_POSITIVE else "no",
            tally,
            wrong=tally.asked - tally.yes - tally.unusable,
            left_out=record.left_out.get(kind, 0),
        )
        rows.append(row)
    return sorted(rows, key=lambda row: row.expected, reverse=True)


def misses_by_kind(record: SelfTest) -> dict[str, list[SelfTestMiss]]:
    """Return the wrong answers, then those that could not be used, by kind."""
    groups: dict[str, list[SelfTestMiss]] = {}
    for miss in sorted(record.misses, key=lambda miss: miss.answer is None):
        groups.setdefault(miss.kind, []).append(miss)
    return groups


def judge_trust(
    scores: Sequence[TaskScore],
    config: Config,
    paths: RunPaths,
) -> Trust:
    """Return the figures of the run's self-test.

    Where there are none, or they are of the judge under other settings, the sentence says so.
    """
    name = config.judge.name
    remedy = f"run `iwr selftest judge={name} run.name={paths.folder.name}`"
    record = readable(paths.selftest(name), SelfTest)
    if record is None:
        return Trust(f"Judge `{name}` has not been validated on this run: {remedy}.")
    changes = _changed_settings(record, scores, paths)
    if changes:
        keys = ", ".join(changes)
        sentence = f"Judge `{name}` was validated under other settings ({keys}): {remedy} again."
        return Trust(sentence)
    return Trust(f"Judge `{name}`, validated on known pages {_figures(record)}.", record)


def _figures(record: SelfTest) -> str:
    """Return the number of tasks, and what was measured on them."""
    tallies = {
        "correct when an assertion holds": record.sensitivity,
        "correct when it does not": record.specificity,
        "planted defects noticed at the exact step": record.exact,
        "different answer when asked again": record.flips,
        "different answer with the screenshots swapped": record.order_flips,
    }
    figures = []
    for label, tally in tallies.items():
        if tally and tally.asked:
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
