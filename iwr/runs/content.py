"""The content of a run's results, to tell whether two runs are equal."""

from __future__ import annotations

import json
from pathlib import Path

from iwr.digests import file_digest

VOLATILE = {"seconds", "input.generation", "input.rollout"}
"""Keys left out of records: durations, and hashes of files that hold durations."""

NO_RESULTS = ("cache", "locks", "logs", "manifests", "manifest.json", "settings.json")
"""Files and folders of a run that hold no results."""


def content(folder: Path) -> dict[str, str]:
    """Return the results of the run in `folder` by file name.

    Records are compared without durations, tables and images by hash. The HTML report shows
    durations and is left out. Two runs of deterministic models under the same settings have
    equal content.
    """
    results = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not path.is_file() or not _is_result(name):
            continue
        if path.suffix == ".json":
            record = json.loads(path.read_bytes())
            results[str(name)] = json.dumps(_without_durations(record))
        else:
            results[str(name)] = file_digest(path)
    return results


def _is_result(name: Path) -> bool:
    """Return whether two equal runs have this file in common; `name` is relative to the run."""
    folder = name.parts[0]
    if folder == "report":
        return name.suffix != ".html" and name.name != "made_from.json"
    return folder not in NO_RESULTS


def _without_durations(value: object) -> object:
    """Return JSON data without the keys that differ between equal runs."""
    if isinstance(value, list):
        return [_without_durations(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        if key not in VOLATILE:
            kept[key] = _without_durations(item)
    return kept
