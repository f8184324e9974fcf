"""Two contestants on the same tasks: is one better, by how much, and how sure is that?

    difference  mean over the tasks that both have scored of (second - first); a missing page counts as 0
    interval    95 % bootstrap over tasks
    p           permutation test of "no difference", signs flipped by task

Both come from records alone, so any two runs can be compared, provided they were made the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from iwr.errors import ConfigError, DataError, StaleRunError
from iwr.records import Fingerprint, Generation, Rollout, ScoreStatus, TaskScore
from iwr.runs.files import readable
from iwr.runs.paths import RunPaths, TaskPaths
from iwr.runs.resume import differing_keys
from iwr.scores.aggregate import SCORES
from iwr.stats import interval, paired_p

FROM_GENERATION = ("prompt", "sampling.fps", "sampling.max_frames")


class Scored(NamedTuple):
    """One contestant's score for one task, and everything it must share with a score that it is compared with."""

    score: TaskScore
    settings: Fingerprint


class Side(NamedTuple):
    """One contestant. `scores` by task, unscored ones included; `label` is RUN/MODEL."""

    label: str
    scores: dict[str, Scored]


def read_side(folder: Path, judge: str | None = None, protocol: str | None = None) -> Side:
    """The scores in a contestant's folder, `<run.root>/<run.name>/<model>`.

    Raises DataError when there are none, ConfigError when scores of several judges or protocols lie there and
    neither is chosen.
    """
    folder = folder.expanduser().absolute()
    paths = RunPaths(folder.parent)
    tasks = [
        paths.task(folder.name, child.name) for child in sorted(folder.glob("*")) if child.is_dir()
    ]
    found = [
        (task, file)
        for task in tasks
        for file in sorted(task.folder.glob(f"judge-{judge or '*'}/score-{protocol or '*'}.json"))
    ]
    if not found:
        raise DataError(
            f"{folder} holds no scores",
            hint="name a contestant's folder in a run that was scored, such as runs/demo/oracle",
        )
    kinds = sorted(
        {
            (file.parent.name.removeprefix("judge-"), file.stem.removeprefix("score-"))
            for _, file in found
        }
    )
    if len(kinds) > 1:
        choices = "; ".join(f"judge={judge} protocol={protocol}" for judge, protocol in kinds)
        raise ConfigError(f"{folder} holds several kinds of scores", hint=f"choose one: {choices}")
    scores = {task.folder.name: scored for task, file in found if (scored := _scored(task, file))}
    return Side(f"{folder.parent.name}/{folder.name}", scores)


def compare(first: Side, second: Side) -> dict[str, Any]:
    """{first, second, judge, protocol, tasks, only_first, only_second, unscored, won, lost, tied, scores: {ifs: {first,
    second, difference, interval, p}, …}}; won, lost and tied count tasks by Final, from the second one's side.

    Raises StaleRunError naming the keys when the two were not made the same way, DataError when they share no task.
    """
    shared = [task for task in first.scores if task in second.scores]
    if not shared:
        raise DataError(
            f"{first.label} and {second.label} share no task",
            hint="compare runs over the same data set",
        )
    check_comparable(first, second, shared)
    pairs = [(first.scores[task].score, second.scores[task].score) for task in shared]
    known = [(a, b) for a, b in pairs if a.final is not None and b.final is not None]
    finals = [
        round(b.final - a.final, 9) for a, b in known if a.final is not None and b.final is not None
    ]
    return {
        "first": first.label,
        "second": second.label,
        "judge": pairs[0][0].judge,
        "protocol": pairs[0][0].protocol,
        "tasks": len(known),
        "unscored": len(shared) - len(known),
        "only_first": len(first.scores) - len(shared),
        "only_second": len(second.scores) - len(shared),
        "won": sum(d > 0 for d in finals),
        "lost": sum(d < 0 for d in finals),
        "tied": sum(d == 0 for d in finals),
        "scores": {
            name: _difference([(getattr(a, name), getattr(b, name)) for a, b in known])
            for name in SCORES
        },
    }


def check_comparable(first: Side, second: Side, shared: Sequence[str]) -> None:
    """Raises StaleRunError naming every setting, and every task's data, in which the two differ."""
    different: dict[str, str] = {}
    for task in shared:
        a, b = first.scores[task].settings, second.scores[task].settings
        for key in differing_keys(a, b):
            if (
                key in a and key in b
            ):  # baselines have no prompt, a task without a page was never judged
                name = f"data of task {task}" if key == "data" else key
                different.setdefault(name, f"{name}: {a[key][:40]} and {b[key][:40]}")
    if different:
        raise StaleRunError(
            f"{first.label} and {second.label} were not made the same way ({'; '.join(different.values())})",
            hint="score both under the same protocol, judge, prompt and data, then compare",
        )


def _difference(pairs: Sequence[tuple[float | None, float | None]]) -> dict[str, Any] | None:
    """None where the protocol does not have this score."""
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not known:
        return None
    differences = [b - a for a, b in known]
    return {
        "first": sum(a for a, _ in known) / len(known),
        "second": sum(b for _, b in known) / len(known),
        "difference": sum(differences) / len(known),
        "interval": interval(differences),
        "p": paired_p(differences),
    }


def _scored(task: TaskPaths, file: Path) -> Scored | None:
    score = readable(file, TaskScore)
    return Scored(score, dict(_settings(task, file, score))) if score else None


def _settings(task: TaskPaths, file: Path, score: TaskScore) -> Iterator[tuple[str, str]]:
    yield from (
        ("judge", score.judge),
        ("protocol", score.protocol),
        ("data", score.fingerprint.get("input.task", "")),
    )
    yield from (
        (key, value) for key, value in score.fingerprint.items() if not key.startswith("input.")
    )
    if score.status is not ScoreStatus.UNSCORED:
        yield from ((f"metric {name}", engine) for name, engine in score.engines.items())
    rollout = readable(task.judge(score.judge).rollout, Rollout)
    if rollout:
        yield from (
            (key, value)
            for key, value in rollout.fingerprint.items()
            if key not in ("input.page", "input.task")
        )
    generation = readable(task.generation, Generation)
    if generation:
        yield from (
            (key, generation.fingerprint[key])
            for key in FROM_GENERATION
            if key in generation.fingerprint
        )
