"""`iwr plan`: what a run will cost, before it starts or while it goes on."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING

from iwr.cli.arguments import own_settings
from iwr.console import plain_table, print_table
from iwr.errors import EXIT_INCOMPLETE, EXIT_OK, ConfigError

if TYPE_CHECKING:
    from iwr.pipeline.plan import RunPlan, StagePlan

KEYS = ("probe",)
HEADERS = (
    "Model",
    "Stage",
    "Pending",
    "Requests",
    "Prompt tokens",
    "of video",
    "Answer tokens",
    "Hours",
    "GPU-hours",
)


def plan(options: Namespace) -> int:
    """Print what is left to do. `probe=N` does N of the tasks first, to know the hours."""
    from iwr import progress
    from iwr.pipeline import plan as planning
    from iwr.pipeline.stages import prepare
    from iwr.runs.settings import load_run

    own, options.settings = own_settings(options, KEYS)
    number = _number(own.get("probe"))
    config, models, settings = load_run(options.settings)
    work = prepare(config, models, settings)
    if number:
        planning.probe(work, number, progress.show)
    run_plan = planning.plan(work, progress.show)
    if options.json:
        print(json.dumps(_content(run_plan), indent=1))
    else:
        _print(run_plan)
    return EXIT_INCOMPLETE if run_plan.refused else EXIT_OK


def _number(text: str | None) -> int:
    """Return the number of tasks to probe. Raise ConfigError unless it is a whole number."""
    if text is None:
        return 0
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"probe={text}: must be a whole number of tasks, at least 1")
    return int(text)


def _content(run_plan: RunPlan) -> dict[str, object]:
    """Return the plan for `--json`."""
    stages = [stage._asdict() for stage in run_plan.stages]
    return run_plan._asdict() | {"stages": stages}


def _print(run_plan: RunPlan) -> None:
    """Print a table, the disk, what cannot be asked, what is unknown."""
    table = plain_table(HEADERS, texts=2)
    for stage in run_plan.stages:
        table.add_row(*_cells(stage))
    print_table(table)
    print(f"disk: about {run_plan.bytes / 1e9:.1f} GB for the whole run")
    for problem in run_plan.refused:
        print(f"cannot be asked: {problem}")
    for note in run_plan.notes:
        print(note)


def _cells(stage: StagePlan) -> list[str]:
    """Return a row of the table."""
    counts = (
        stage.pending,
        stage.requests,
        stage.prompt_tokens,
        stage.video_tokens,
        stage.answer_tokens,
    )
    cells = [stage.model, stage.stage]
    cells += ["-" if count is None else f"{count:,}" for count in counts]
    cells += ["-" if hours is None else f"{hours:.2f}" for hours in (stage.hours, stage.gpu_hours)]
    return cells
