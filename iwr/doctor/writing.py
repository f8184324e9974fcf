"""The writing systems of a data set: a page without their fonts is compared as empty boxes."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator

from iwr.doctor.result import CheckResult, DoctorContext, output
from iwr.records import Task

FIX = "apt install fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji"
SHARED = {"Zyyy", "Zinh"}
"""Codes of ISO 15924 for characters of no one script: symbols, emoji, marks."""
SYMBOLS = "So"  # Unicode's category
LISTED = 6


def fonts(context: DoctorContext) -> CheckResult:
    """Check that each writing system of the tasks' sentences has a font here.

    One character stands for its writing system, each symbol for itself.
    """
    if not shutil.which("fc-list"):
        return CheckResult("writing", "warn", "fontconfig's fc-list is not there", FIX)
    examples = examples_of(context.loaded.tasks)
    missing = []
    for name, character in examples.items():
        code = f"{ord(character):x}"
        if not output("fc-list", f":charset={code}", "family"):
            missing.append(name)
    if missing:
        listed = ", ".join(missing[:LISTED])
        message = f"no font for {listed}, which the tasks show: boxes would be compared"
        return CheckResult("writing", "warn", message, FIX)
    return CheckResult(
        "writing", "ok", f"fonts for all {len(examples)} writing systems and symbols"
    )


def examples_of(tasks: tuple[Task, ...]) -> dict[str, str]:
    """Return a character of each writing system, by its English name, and each symbol."""
    from fontTools.unicodedata import script, script_name

    examples: dict[str, str] = {}
    for character in sorted(set(_characters(tasks))):
        code = script(character)
        if code not in SHARED:
            examples.setdefault(script_name(code), character)
        elif unicodedata.category(character) == SYMBOLS:
            examples.setdefault(character, character)
    return examples


def _characters(tasks: tuple[Task, ...]) -> Iterator[str]:
    """Yield the characters of all sentences and typed texts."""
    for task in tasks:
        for action in task.actions:
            yield from action.parameters.description
            yield from action.parameters.text or ""
            yield from action.logical_assertion or ""
