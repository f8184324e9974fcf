"""The pages of a comparison: what flipped, with both candidates beside the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from iwr.records import Action, Rollout, Step, Task, TaskScore
from iwr.report.links import link_or_copy
from iwr.report.steps import StepOutcome, outcome_of
from iwr.report.templating import STATIC, environment, template
from iwr.runs.files import readable, write_atomic
from iwr.runs.paths import ReportPaths, RunPaths
from iwr.scores.aggregate import SCORES

EQUAL = 1e-9  # differences below it are rounding


class SideRecords(NamedTuple):
    """What one side has of a task."""

    score: TaskScore
    steps: dict[int, Step]
    folder: Path  # of the screenshots


class StepFlip(NamedTuple):
    """A step to which only one of the two candidates gave credit. Addresses from the page."""

    number: int
    action: Action
    outcomes: tuple[StepOutcome, StepOutcome]
    reasons: tuple[str, str]
    reference: str | None
    shots: tuple[str | None, str | None]


class TaskFlip(NamedTuple):
    """A task whose Final differs."""

    task: Task
    finals: tuple[float, float]
    steps: list[StepFlip]

    @property
    def difference(self) -> float:
        """Final of the second one minus that of the first."""
        return self.finals[1] - self.finals[0]


def write_comparison(
    out: Path,
    folders: tuple[Path, Path],
    tasks: Sequence[Task],
    comparison: dict[str, Any],
) -> Path:
    """Write the page of a comparison with its pictures into `out`; return the page.

    `comparison` is what `iwr.scores.paired.compare_sides` returned for the two model folders.
    Raises DataError when the disk refuses.
    """
    report = ReportPaths(out)
    flips = []
    for task in tasks:
        flip = _flip(task, folders, comparison, report)
        if flip is not None:
            flips.append(flip)
    flips.sort(key=lambda flip: flip.difference)
    page = (
        environment()
        .get_template("comparison.html")
        .render(
            root="",
            comparison=comparison,
            names=SCORES,
            flips=flips,
        )
    )
    for name in STATIC:
        write_atomic(report.folder / name, template(name))
    write_atomic(report.index, page)
    return report.index


def _flip(
    task: Task,
    folders: tuple[Path, Path],
    comparison: dict[str, Any],
    report: ReportPaths,
) -> TaskFlip | None:
    """Return how a task differs; None when it does not, or one side has no score."""
    first_folder, second_folder = folders
    first = _records(task, first_folder, comparison)
    second = _records(task, second_folder, comparison)
    if first is None or second is None:
        return None
    first_final = first.score.final
    second_final = second.score.final
    if first_final is None or second_final is None:
        return None
    if abs(second_final - first_final) < EQUAL:
        return None
    steps = _step_flips(task, (first, second), report)
    return TaskFlip(
        task=task,
        finals=(first_final, second_final),
        steps=list(steps),
    )


def _records(
    task: Task,
    folder: Path,
    comparison: dict[str, Any],
) -> SideRecords | None:
    """Return what one side has of a task; None when there is no score."""
    files = RunPaths(folder.parent).task(folder.name, task.id)
    judged = files.judge(comparison["judge"])
    score = readable(judged.score(comparison["protocol"]), TaskScore)
    if score is None:
        return None
    rollout = readable(judged.rollout, Rollout)
    steps = {}
    if rollout is not None:
        steps = {step.step: step for step in rollout.steps}
    return SideRecords(score, steps, judged.folder)


def _step_flips(
    task: Task,
    sides: tuple[SideRecords, SideRecords],
    report: ReportPaths,
) -> Iterator[StepFlip]:
    """Yield the steps to which only one side gave credit, with their pictures linked."""
    first, second = sides
    for number in range(1, len(task.actions) + 1):
        first_step = first.steps.get(number)
        second_step = second.steps.get(number)
        if _has_credit(first_step) == _has_credit(second_step):
            continue
        yield StepFlip(
            number=number,
            action=task.action(number),
            outcomes=(outcome_of(first_step), outcome_of(second_step)),
            reasons=(_reason(first_step), _reason(second_step)),
            reference=_reference(task, number, report),
            shots=(
                _shot("first", task, number, first, report),
                _shot("second", task, number, second, report),
            ),
        )


def _reference(
    task: Task,
    number: int,
    report: ReportPaths,
) -> str | None:
    """Link the checkpoint of a step and return its address; None when the step has none."""
    checkpoint = task.checkpoints.get(number)
    if checkpoint is None:
        return None
    target = report.reference(task.id, number)
    link_or_copy(checkpoint, target)
    return _address(target, report)


def _has_credit(step: Step | None) -> bool:
    """Return whether a step counts for IFS; what was not reached does not."""
    if step is None:
        return False
    return step.credited


def _reason(step: Step | None) -> str:
    """Return why a step ended as it did."""
    if step is None:
        return "there is no page"
    if step.reason:
        return step.reason
    if step.verdict:
        return step.verdict.reason
    return ""


def _shot(
    name: str,
    task: Task,
    number: int,
    side: SideRecords,
    report: ReportPaths,
) -> str | None:
    """Link what a side shows at a step, else what it showed last; return the address.

    `name` is the folder of that side: first or second.
    """
    for earlier in range(number, -1, -1):
        step = side.steps.get(earlier)
        if step is None or step.screenshot is None:
            continue
        file = side.folder / step.screenshot
        if not file.is_file():
            return None
        target = report.screenshot(name, task.id, earlier)
        link_or_copy(file, target)
        return _address(target, report)
    return None


def _address(file: Path, report: ReportPaths) -> str:
    """Return the address of a file from the page of the comparison."""
    return file.relative_to(report.folder).as_posix()
