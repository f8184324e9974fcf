"""Commands that work on a run: its stages, its status, its comparison. Each returns an exit code.

Heavy modules are imported inside the functions.
"""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from iwr.cli.arguments import own_settings, print_result
from iwr.errors import EXIT_INCOMPLETE, EXIT_OK, ConfigError


def run(options: Namespace) -> int:
    """Run all stages, or the one that the command names."""
    from iwr import progress
    from iwr.config import load_config
    from iwr.pipeline import stages as pipeline

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)
    stages = [options.command]
    if options.command == "run":
        stages = list(pipeline.STAGES)
        if config.run.shards > 1:  # `iwr report` comes after the last shard
            stages.remove("report")
    result = pipeline.run(work, stages, progress.show)
    if result.rows is not None and options.json:
        print(json.dumps(result.rows, indent=1))
    elif result.rows is not None:
        from iwr.report import print_leaderboard

        print_leaderboard(result.rows, result.caption)
        print(f"report: {work.paths.report}")
    if result.unscored and not config.run.allow_unscored:
        return EXIT_INCOMPLETE
    return EXIT_OK


def selftest(options: Namespace) -> int:
    """Measure the judge on pages whose truth is known."""
    from iwr import progress
    from iwr.config import load_config
    from iwr.judge.selftest import lines, selftest
    from iwr.pipeline.stages import prepare

    config, models = load_config(options.settings)
    work = prepare(config, models)
    record = selftest(work.all_tasks, config, work.paths, progress.show)
    path = work.paths.selftest(record.judge)
    content = record.model_dump(mode="json")
    print_result(options, content, [*lines(record), f"saved: {path}"])
    if record.sensitivity.unusable or record.specificity.unusable:
        return EXIT_INCOMPLETE
    return EXIT_OK


def submit(options: Namespace) -> int:
    """Submit the run as a chain of SLURM jobs."""
    from iwr.config import load_config
    from iwr.pipeline import slurm
    from iwr.pipeline.stages import prepare

    config, models = load_config(options.settings)
    work = prepare(config, models)  # faults in the data show here, not in the queue
    jobs = slurm.submit(config, models, options.settings, work.paths)
    lines = [f"{job}  {name}" for name, job in jobs.items()]
    print_result(options, jobs, lines)
    return EXIT_OK


def status(options: Namespace) -> int:
    """Print what is done, pending, failed and running."""
    from iwr.config import load_config
    from iwr.pipeline.stages import prepare
    from iwr.runs.status import print_status, status

    config, models = load_config(options.settings)
    work = prepare(config, models)
    rows = status(config, models, work.shards, work.paths)
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=1))
    else:
        print_status(rows)
    for row in rows:
        if row.pending or row.failed:
            return EXIT_INCOMPLETE
    return EXIT_OK


def compare(options: Namespace) -> int:
    """Compare two models task by task."""
    from iwr.scores.paired import compare_sides, read_side

    own, folders = own_settings(options, ("judge", "protocol"))
    unknown = [setting for setting in folders if "=" in setting]
    if len(folders) != 2 or unknown:
        raise ConfigError(
            "compare takes the folders of two models, and judge=… protocol=…",
            hint=options.example,
        )
    first, second = folders
    judge = own.get("judge")
    protocol = own.get("protocol")
    comparison = compare_sides(
        read_side(Path(first), judge, protocol),
        read_side(Path(second), judge, protocol),
    )
    if options.json:
        print(json.dumps(comparison, indent=1))
    else:
        from iwr.report.table import print_comparison

        print_comparison(comparison)
    return EXIT_OK
