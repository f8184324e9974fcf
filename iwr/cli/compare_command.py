"""`iwr compare`: two models task by task, for people, as pages, and as a gate for CI."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iwr.cli import run_commands
from iwr.cli.arguments import Flag, own_settings
from iwr.errors import EXIT_INCOMPLETE, EXIT_NOT_MET, EXIT_OK, ConfigError

if TYPE_CHECKING:
    from iwr.scores.gate import Outcome

FLAGS = (
    Flag(
        "require", "CONDITION", 'such as "final>=0.40"; may be given several times', repeated=True
    ),
    Flag("no-worse-than", "BASELINE", "the folder of a model that must not be better"),
    Flag("by", "MARGIN", "how much worse is allowed, in Final (default: 0)"),
)


def compare(options: Namespace) -> int:
    """Compare two models, or hold one model to requirements; return the exit code."""
    own, rest = own_settings(options, options.keys)
    folders = [text for text in rest if "=" not in text]
    gates = bool(options.require or options.no_worse_than)
    if not folders and not gates:  # two models of one run, by its settings
        return run_commands.compare(options)
    if len(folders) != len(rest) or len(folders) != (1 if gates else 2):
        raise ConfigError(
            "compare takes the folders of two models; with --require or --no-worse-than, of one",
            hint=options.example,
        )
    if gates:
        return _gate(options, Path(folders[0]), own)
    return _compare(options, Path(folders[0]), Path(folders[1]), own)


def _compare(options: Namespace, first: Path, second: Path, own: dict[str, str]) -> int:
    """Print the comparison; write its pages where `out` names a folder."""
    from iwr.report.table import print_comparison
    from iwr.scores.paired import compare_sides, read_side

    sides = []
    for folder in (first, second):
        sides.append(read_side(folder, own.get("judge"), own.get("protocol")))
    comparison = compare_sides(*sides)
    if options.json:
        print(json.dumps(comparison, indent=1))
    else:
        print_comparison(comparison)
    if "out" in own:
        page = _write_pages(Path(own["out"]), first, second, comparison)
        if not options.json:
            print(f"pages: {page}")
    return EXIT_OK


def _write_pages(
    out: Path,
    first: Path,
    second: Path,
    comparison: dict[str, Any],
) -> Path:
    """Write the pages of a comparison into `out`; return the one to open."""
    from iwr.cli.open_command import latest_settings
    from iwr.config import DataConfig
    from iwr.report.comparison import write_comparison
    from iwr.runs.paths import RunPaths
    from iwr.tasks.load import data_root, load

    settings = latest_settings(RunPaths(first.expanduser().absolute().parent))
    data = DataConfig(**settings["data"])
    tasks = load(data_root(data), data.tasks).tasks
    folders = (first.expanduser().absolute(), second.expanduser().absolute())
    return write_comparison(out.expanduser().absolute(), folders, tasks, comparison)


def _gate(options: Namespace, folder: Path, own: dict[str, str]) -> int:
    """Print each requirement with its outcome. Raises StaleRunError for other settings."""
    from iwr.scores.gate import Requirement, check_baseline, check_requirement
    from iwr.scores.paired import read_side

    requirements = [Requirement.parse(text) for text in options.require or ()]
    margin = _margin(options.by)
    judge, protocol = own.get("judge"), own.get("protocol")
    side = read_side(folder, judge, protocol)
    outcomes = [check_requirement(requirement, side) for requirement in requirements]
    if options.no_worse_than:
        baseline = read_side(Path(options.no_worse_than), judge, protocol)
        outcomes.append(check_baseline(baseline, side, margin))
    _print_outcomes(outcomes, as_json=options.json)
    if not all(outcome.is_met for outcome in outcomes):
        return EXIT_NOT_MET
    if any(outcome.left_out for outcome in outcomes):
        return EXIT_INCOMPLETE
    return EXIT_OK


def _print_outcomes(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print a sentence for each requirement, or all of them as JSON."""
    if not as_json:
        for outcome in outcomes:
            print(outcome.sentence)
        return
    records = [outcome._asdict() for outcome in outcomes]
    print(json.dumps(records, indent=1))


def _margin(text: str | None) -> float:
    """Return the margin. Raises ConfigError unless it is a number that is not negative."""
    if text is None:
        return 0.0
    try:
        margin = float(text)
    except ValueError:
        margin = -1.0
    if not 0 <= margin <= 1:
        raise ConfigError(f"--by {text}: give a number from 0 to 1", hint="for example --by 0.02")
    return margin
