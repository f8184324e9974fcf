"""The files of one task: each exists, lies inside the task's folder and is what its name says."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from iwr.errors import DataError
from iwr.tasks.schema import ActionLine

STEP_FILE = re.compile(r"step_(\d{1,4})\.png")
STITCHED_FILE = re.compile(r"stitched_image.*\.(png|jpe?g)", re.IGNORECASE)
MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
WHOLE = 4 << 20  # bytes; larger files are sampled, see `content_digest`
BLOCK = 256 << 10


class FileError(DataError):
    """A file of a task cannot be used."""

    def __init__(
        self, file: Path, message: str, *, step: int | None = None, field: str | None = None
    ):
        super().__init__(message)
        self.file, self.step, self.field = file, step, field


def content_digest(path: Path) -> str:
    """sha256 of a file's content; of a file above 4 MiB, its size and 16 blocks of 256 KiB spread over it, both ends included.

    A video's index lies at one of its ends and changes with any new encoding, so recordings that differ get
    digests that differ, while 2.7 GB of data are checked in a second.
    """
    size = path.stat().st_size
    sha = hashlib.sha256(size.to_bytes(8, "big"))
    with path.open("rb") as file:
        if size <= WHOLE:
            sha.update(file.read())
        else:
            for index in range(16):
                file.seek((size - BLOCK) * index // 15)
                sha.update(file.read(BLOCK))
    return sha.hexdigest()


def inside(folder: Path, path: Path, *, empty: bool = False, **place: Any) -> Path:
    """`path`, if it is a regular file inside the task's folder, links followed. Raises FileError otherwise."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise FileError(path, "is missing; add the file", **place) from error
    if not real.is_relative_to(folder.resolve()):
        raise FileError(
            path,
            "leads out of the task's folder; put the file itself there (`cp -rL` replaces links by files)",
            **place,
        )
    if not real.is_file():
        raise FileError(path, "is not a regular file", **place)
    if not empty and real.stat().st_size == 0:
        raise FileError(path, "is empty; copy the file again", **place)
    return path


def check_video(folder: Path, video: Path) -> None:
    """By its first box only: the inference stage probes the stream itself."""
    try:
        with inside(folder, video).open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise FileError(video, f"cannot be read: {error.strerror}") from error
    if head[4:8] not in MP4_BOXES:
        raise FileError(video, "is not an MP4 video; convert the recording to MP4")


def _check_image(path: Path, **place: Any) -> None:
    """Header and end only: a full decode of all images would cost minutes."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            kind = image.format
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            tail = file.read()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise FileError(path, "cannot be read as an image; copy the file again", **place) from error
    if kind == "PNG" and b"IEND" not in tail:
        raise FileError(path, "is cut off (PNG without its end); copy the file again", **place)


def checkpoints_of(
    root: Path, folder: Path, actions: list[ActionLine]
) -> tuple[dict[int, Path], list[str]]:
    """Step -> reference screenshot, and the names of numbered files that no flagged action refers to."""
    paths = sorted((folder / "checkpoints").glob("step_*.png"))
    found = {int(match[1]): path for path in paths if (match := STEP_FILE.fullmatch(path.name))}
    first = folder / "checkpoints" / "step_0.png"
    chosen = {0: inside(folder, found.pop(0, first), step=0)}
    flagged = [step for step, action in enumerate(actions, 1) if action.visual_evaluation_flag]
    ordinals = {step: ordinal for ordinal, step in enumerate(flagged, 1)}
    for step in flagged:
        given = actions[step - 1].checkpoint_screenshot
        if given:
            chosen[step] = _explicit(root, folder, given, step)
            found = {
                number: path
                for number, path in found.items()
                if path.resolve() != chosen[step].resolve()
            }
    open_steps = [step for step in flagged if step not in chosen]
    numbers = _numbering(folder, open_steps, ordinals, set(found), len(actions))
    for step in open_steps:
        chosen[step] = inside(folder, found.pop(numbers[step]), step=step)
    for step, path in chosen.items():
        _check_image(path, step=step)
    return dict(sorted(chosen.items())), [path.name for path in found.values()]


def _explicit(root: Path, folder: Path, given: str, step: int) -> Path:
    """`checkpoint_screenshot`, relative to the task's folder or to the data set's root."""
    field = "checkpoint_screenshot"
    if Path(given).is_absolute() or "\0" in given:
        raise FileError(
            folder / "checkpoints",
            f"{given!r} must be a path relative to the task's folder",
            step=step,
            field=field,
        )
    below_root = root / given
    path = below_root if below_root.exists() and not (folder / given).exists() else folder / given
    path = inside(folder, path, step=step, field=field)
    return folder / os.path.relpath(path.resolve(), folder.resolve())


def _numbering(
    folder: Path, steps: list[int], ordinals: dict[int, int], files: set[int], actions: int
) -> dict[int, int]:
    """Step -> number in the file's name: order among the flagged actions, or index of the action.

    The numbering must have a file for every step; when both do, the one that explains every file is taken.
    """
    if not steps:
        return {}
    by_order = {step: ordinals[step] for step in steps}
    by_index = {step: step for step in steps}
    fits = [numbers for numbers in (by_order, by_index) if set(numbers.values()) <= files]
    if len(fits) == 2 and by_order != by_index:
        fits = (
            [by_order]
            if files <= set(by_order.values())
            else [by_index]
            if max(files) <= actions
            else []
        )
    if fits:
        return fits[0]
    wanted = " or ".join(
        dict.fromkeys(_names(sorted(numbers.values())) for numbers in (by_order, by_index))
    )
    raise FileError(
        folder / "checkpoints",
        f"flagged actions {', '.join(map(str, steps))} need {wanted}, found {_names(sorted(files)) or 'nothing'} beside step_0.png; "
        "add the missing files or name each in checkpoint_screenshot",
        step=steps[0],
        field="visual_evaluation_flag",
    )


def _names(numbers: list[int]) -> str:
    return ", ".join(f"step_{number}.png" for number in numbers)


def stitched_of(folder: Path) -> tuple[Path, ...]:
    names = [
        path
        for path in (folder / "stitched_assets").glob("*")
        if STITCHED_FILE.fullmatch(path.name)
    ]
    paths = sorted(
        names,
        key=lambda path: [
            int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)
        ],
    )
    for path in paths:
        _check_image(inside(folder, path))
    return tuple(paths)


def assets_of(folder: Path, assets: Path) -> list[Path]:
    """Every file below `assets`; an empty one is allowed, a link that leads out is not."""
    if assets.is_symlink():
        inside(folder, assets)
    files = []
    for parent, folders, names in os.walk(assets):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        files += [inside(folder, Path(parent) / name, empty=True) for name in names + links]
    return sorted(files)
