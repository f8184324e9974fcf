"""Which reference screenshot belongs to which step, however its file is numbered.

The number in `step_<k>.png` is either the step (1-based index of the action) or the ordinal of the
action among those that are flagged. Number 0 is always the opened page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from iwr.tasks.files import FileError, check_image, inside
from iwr.tasks.schema import ActionLine

STEP_FILE = re.compile(r"step_(\d{1,4})\.png")
FIELD = "checkpoint_screenshot"

Numbering = dict[int, int]
"""Step -> number in the file's name."""


class Checkpoints(NamedTuple):
    """The reference screenshots of a task, and how they are numbered."""

    by_step: dict[int, Path]
    unused: list[str]
    """Names of numbered files that no flagged action refers to."""


def checkpoints_of(root: Path, folder: Path, actions: Sequence[ActionLine]) -> Checkpoints:
    """Return the screenshots of the opened page and of every flagged action.

    Raises FileError for a screenshot that is missing, broken or ambiguous.
    """
    files = _numbered_files(folder)
    first = files.pop(0, folder / "checkpoints" / "step_0.png")
    by_step = {0: inside(folder, first, step=0)}
    flagged = _flagged(actions)
    for step in flagged:
        name = actions[step - 1].checkpoint_screenshot
        if name:
            by_step[step] = _named_file(
                root,
                folder,
                name,
                step,
            )
            files = _without(files, by_step[step])
    steps = [step for step in flagged if step not in by_step]
    numbering = _numbering(
        folder,
        steps,
        flagged,
        set(files),
        len(actions),
    )
    for step in steps:
        path = files.pop(numbering[step])
        by_step[step] = inside(folder, path, step=step)
    for step, path in by_step.items():
        check_image(path, step=step)
    unused = [path.name for path in files.values()]
    return Checkpoints(dict(sorted(by_step.items())), unused)


def _flagged(actions: Sequence[ActionLine]) -> list[int]:
    """Return the steps that have a checkpoint, in order."""
    steps = []
    for step, action in enumerate(actions, 1):
        if action.visual_evaluation_flag:
            steps.append(step)
    return steps


def _numbered_files(folder: Path) -> dict[int, Path]:
    """Return the files by the number in their names."""
    files = {}
    paths = (folder / "checkpoints").glob("step_*.png")
    for path in sorted(paths):
        match = STEP_FILE.fullmatch(path.name)
        if match:
            files[int(match[1])] = path
    return files


def _without(files: dict[int, Path], taken: Path) -> dict[int, Path]:
    """Return the files except those that are `taken`, by this or another name."""
    real = taken.resolve()
    rest = {}
    for number, path in files.items():
        if path.resolve() != real:
            rest[number] = path
    return rest


def _named_file(
    root: Path,
    folder: Path,
    name: str,
    step: int,
) -> Path:
    """Return a named screenshot, relative to the task's folder or to the data set's root."""
    if Path(name).is_absolute() or "\0" in name:
        place = folder / "checkpoints"
        message = f"{name!r} must be a path relative to the task's folder"
        raise FileError(
            place,
            message,
            step=step,
            field=FIELD,
        )
    path = folder / name
    below_root = root / name
    if not path.exists() and below_root.exists():
        path = below_root
    inside(
        folder,
        path,
        step=step,
        field=FIELD,
    )
    relative = os.path.relpath(path.resolve(), folder.resolve())
    return folder / relative


def _numbering(
    folder: Path,
    steps: Sequence[int],
    flagged: Sequence[int],
    numbers: set[int],
    count: int,
) -> Numbering:
    """Return the numbering that has a file for every step.

    Where both have, it is the one that explains every file. `numbers` are those of the files,
    `count` is how many actions there are. Raises FileError when neither fits.
    """
    if not steps:
        return {}
    by_ordinal = {step: flagged.index(step) + 1 for step in steps}
    by_index = {step: step for step in steps}
    fits_ordinal = set(by_ordinal.values()) <= numbers
    fits_index = set(by_index.values()) <= numbers
    if fits_ordinal and (by_ordinal == by_index or not fits_index):
        return by_ordinal
    if fits_index and not fits_ordinal:
        return by_index
    if fits_ordinal and numbers <= set(by_ordinal.values()):
        return by_ordinal
    if fits_index and max(numbers) <= count:
        return by_index
    raise _no_numbering(
        folder,
        steps,
        by_ordinal,
        by_index,
        numbers,
    )


def _no_numbering(
    folder: Path,
    steps: Sequence[int],
    by_ordinal: Numbering,
    by_index: Numbering,
    numbers: set[int],
) -> FileError:
    """Return the error of checkpoints that fit no way of numbering."""
    choices = dict.fromkeys([_names(by_ordinal.values()), _names(by_index.values())])
    listed = ", ".join(map(str, steps))
    message = (
        f"flagged actions {listed} need {' or '.join(choices)}, "
        f"found {_names(numbers) or 'nothing'} beside step_0.png; "
        f"add the missing files or name each in {FIELD}"
    )
    place = folder / "checkpoints"
    return FileError(
        place,
        message,
        step=steps[0],
        field="visual_evaluation_flag",
    )


def _names(numbers: Iterable[int]) -> str:
    """Return the names of the files of these steps."""
    names = [f"step_{number}.png" for number in sorted(numbers)]
    return ", ".join(names)
