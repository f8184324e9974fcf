"""Two models on the same tasks: is one better, by how much, and how sure is that?

    difference  mean over the tasks that both have scored of (second - first); a missing page
                counts as 0
    interval    95 % bootstrap over tasks
    p           permutation test of "no difference", signs flipped by task

Both come from records alone, so any two runs can be compared, provided their settings are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from glob import escape
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from iwr.errors import ConfigError, DataError, StaleRunError
from iwr.records import Fingerprint, Generation, Rollout, ScoreStatus, TaskScore
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths, TaskPaths
from iwr.runs.resume import differing_keys
from iwr.scores.aggregate import SCORES, over_repeats
from iwr.stats import interval, paired_p

FROM_GENERATION = ("prompt", "sampling.fps", "sampling.max_frames")
SHOWN_CHARACTERS = 40  # of a setting that differs, in the message


class ComparableScore(NamedTuple):
    """One score, and everything that it must share with a score that it is compared with."""

    score: TaskScore
    settings: Fingerprint


class Side(NamedTuple):
    """One of two models. `scores` by task, unscored ones included; `label` is RUN/MODEL.

    A model that was asked several times has the mean over its repeats as the score of a task.
    """

    label: str
    scores: dict[str, ComparableScore]


# ---- reading -----------------------------------------------------------------------------------


class ScoreFile(NamedTuple):
    """A file of a score, in the folder of its task."""

    task: TaskPaths
    path: Path

    @property
    def kind(self) -> tuple[str, str]:
        """Judge and protocol."""
        judge = self.path.parent.name.removeprefix("judge-")
        protocol = self.path.stem.removeprefix("score-")
        return judge, protocol


def read_side(
    folder: Path,
    judge: str | None = None,
    protocol: str | None = None,
) -> Side:
    """Read the scores in a model's folder, `<run.root>/<run.name>/<model>`, and of its repeats.

    Raises DataError when there are none, ConfigError when there are scores of several judges or
    protocols and neither is chosen.
    """
    folder = folder.expanduser().absolute()
    pattern = f"judge-{judge or '*'}/score-{protocol or '*'}.json"
    files = list(_score_files(folder, pattern))
    if not files:
        raise DataError(
            f"{folder} holds no scores",
            hint="name a model's folder in a run that was scored, such as runs/demo/oracle",
        )
    kinds = {file.kind for file in files}
    if len(kinds) > 1:
        choices = []
        for judge, protocol in sorted(kinds):
            choices.append(f"judge={judge} protocol={protocol}")
        raise ConfigError(
            f"{folder} holds several kinds of scores",
            hint=f"choose one: {'; '.join(choices)}",
        )
    scores = []
    settings: dict[str, Fingerprint] = {}
    for file in files:
        score = readable(file.path, TaskScore)
        if score is not None:
            scores.append(score)
            settings.setdefault(score.task, _settings(file.task, score))
    by_task = {}
    for score in over_repeats(scores):
        by_task[score.task] = ComparableScore(score, settings[score.task])
    label = f"{folder.parent.name}/{folder.name}"
    repeats = len({score.model for score in scores})
    if repeats > 1:
        label = f"{label} (mean of {repeats} repeats)"
    return Side(label, by_task)


def _score_files(folder: Path, pattern: str) -> Iterator[ScoreFile]:
    """Yield the files of scores of one model and its repeats, by task."""
    run = RunPaths(folder.parent)
    repeats = sorted(folder.parent.glob(f"{escape(folder.name)}.repeat-*"))
    for model in (folder, *repeats):
        for child in sorted(model.glob("*")):
            if not child.is_dir():
                continue
            task = run.task(model.name, child.name)
            for path in sorted(task.folder.glob(pattern)):
                yield ScoreFile(task, path)


def _settings(task: TaskPaths, score: TaskScore) -> Fingerprint:
    """Return the settings of all stages that led to a score."""
    rollout = readable(task.judge(score.judge).rollout, Rollout)
    generation = readable(task.generation, Generation)
    settings = dict(_score_settings(score))
    if rollout:
        settings.update(_rollout_settings(rollout))
    if generation:
        settings.update(_generation_settings(generation))
    return settings


def _score_settings(score: TaskScore) -> Iterator[tuple[str, str]]:
    """Yield judge, protocol, data and, where metrics ran, their engines."""
    yield "judge", score.judge
    yield "protocol", score.protocol
    yield "data", score.fingerprint.get("input.task", "")
    for key, value in score.fingerprint.items():
        if not key.startswith("input."):
            yield key, value
    if score.status is ScoreStatus.UNSCORED:
        return
    for name, engine in score.engines.items():
        yield f"metric {name}", engine


def _rollout_settings(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """Yield the settings of the judge and of the browser."""
    for key, value in rollout.fingerprint.items():
        if key not in ("input.page", "input.task"):
            yield key, value


def _generation_settings(generation: Generation) -> Iterator[tuple[str, str]]:
    """Yield what two models must share: the prompt and the frames they saw."""
    for key in FROM_GENERATION:
        if key in generation.fingerprint:
            yield key, generation.fingerprint[key]


# ---- comparing ---------------------------------------------------------------------------------


def compare_sides(first: Side, second: Side) -> dict[str, Any]:
    """Return {first, second, judge, protocol, tasks, only_first, only_second, unscored, won, lost,
    tied, scores: {ifs: {first, second, difference, interval, p}, …}}.

    won, lost and tied count tasks by Final, from the second one's side. Raises StaleRunError naming
    the keys when the settings of the two differ, DataError when they share no task.
    """
    shared = [task for task in first.scores if task in second.scores]
    if not shared:
        raise DataError(
            f"{first.label} and {second.label} share no task",
            hint="compare runs over the same data set",
        )
    check_comparable(first, second, shared)
    pairs = [(first.scores[task].score, second.scores[task].score) for task in shared]
    any_score, _ = pairs[0]
    return {
        "first": first.label,
        "second": second.label,
        "judge": any_score.judge,
        "protocol": any_score.protocol,
        **_counts(pairs),
        "only_first": len(first.scores) - len(shared),
        "only_second": len(second.scores) - len(shared),
        "scores": {name: _difference(pairs, name) for name in SCORES},
    }


def _counts(pairs: Sequence[tuple[TaskScore, TaskScore]]) -> dict[str, int]:
    """Return how many tasks were won, lost and tied by Final, from the second one's side."""
    counts = {
        "tasks": 0,
        "unscored": 0,
        "won": 0,
        "lost": 0,
        "tied": 0,
    }
    for first, second in pairs:
        if first.final is None or second.final is None:
            counts["unscored"] += 1
            continue
        counts["tasks"] += 1
        difference = round(second.final - first.final, 9)
        if difference > 0:
            counts["won"] += 1
        elif difference < 0:
            counts["lost"] += 1
        else:
            counts["tied"] += 1
    return counts


def check_comparable(
    first: Side,
    second: Side,
    shared: Sequence[str],
) -> None:
    """Raise StaleRunError, naming the differences, unless settings and data are the same."""
    differences: dict[str, str] = {}
    for task in shared:
        ours = first.scores[task].settings
        theirs = second.scores[task].settings
        for key in differing_keys(ours, theirs):
            # baselines have no prompt, a task without a page was never judged
            if key not in ours or key not in theirs:
                continue
            name = key
            if key == "data":
                name = f"data of task {task}"
            our_value = ours[key][:SHOWN_CHARACTERS]
            their_value = theirs[key][:SHOWN_CHARACTERS]
            differences.setdefault(name, f"{name}: {our_value} and {their_value}")
    if differences:
        raise StaleRunError(
            f"{first.label} and {second.label} have different settings "
            f"({'; '.join(differences.values())})",
            hint="score both under the same protocol, judge, prompt and data, then compare",
        )


def _difference(
    pairs: Sequence[tuple[TaskScore, TaskScore]],
    name: str,
) -> dict[str, Any] | None:
    """Return how one score differs over the tasks that both have scored.

    None where the protocol does not have it.
    """
    firsts: list[float] = []
    seconds: list[float] = []
    differences: list[float] = []
    for first, second in pairs:
        if first.final is None or second.final is None:
            continue
        first_value = getattr(first, name)
        second_value = getattr(second, name)
        if first_value is None or second_value is None:
            continue
        firsts.append(first_value)
        seconds.append(second_value)
        differences.append(second_value - first_value)
    if not differences:
        return None
    return {
        "first": fmean(firsts),
        "second": fmean(seconds),
        "difference": fmean(differences),
        "interval": interval(differences),
        "p": paired_p(differences),
    }
