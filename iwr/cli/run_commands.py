"""Commands that work on a run: its stages, its status, its comparison. Each returns an exit code.

Heavy modules are imported inside the functions.
"""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from iwr.cli.arguments import Flag, own_settings, print_result
from iwr.errors import EXIT_INCOMPLETE, EXIT_OK, ConfigError

if TYPE_CHECKING:
    from iwr.config import Config
    from iwr.pipeline.slurm import Job

DRY_RUN = Flag("dry-run", "", "print the batch scripts and submit nothing; needs no cluster")


def run(options: Namespace) -> int:
    """Run all stages, or the one that the command names."""
    from iwr import progress
    from iwr.pipeline import stages as pipeline
    from iwr.runs.settings import load_run, require_results

    judged = options.command in ("score", "report")
    if judged:
        require_results(options.settings, judged=True)
    config, models, settings = load_run(options.settings, judged=judged)
    makes_results = options.command != "report"
    work = pipeline.prepare(config, models, settings if makes_results else None)
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
    from iwr.judge.selftest import lines, selftest
    from iwr.pipeline.stages import prepare
    from iwr.runs.settings import load_run

    config, models, _ = load_run(options.settings)
    work = prepare(config, models)
    record = selftest(work.all_tasks, config, work.paths, progress.show)
    path = work.paths.selftest(record.judge)
    content = record.model_dump(mode="json")
    print_result(options, content, [*lines(record), f"saved: {path}"])
    if record.sensitivity.unusable or record.specificity.unusable:
        return EXIT_INCOMPLETE
    return EXIT_OK


def submit(options: Namespace) -> int:
    """Submit the run as a chain of SLURM jobs; with --dry-run, print their scripts alone."""
    from iwr.pipeline import preflight, slurm
    from iwr.pipeline.stages import prepare
    from iwr.runs.settings import load_run, store

    config, models, settings = load_run(options.settings)
    work = prepare(config, models)  # faults show here, not in the queue
    preflight.require(config, models, work.all_tasks, slurm.STAGES, here=False)
    if options.dry_run:
        slurm.submit(config, models, options.settings, work.paths, _show_script)
        return EXIT_OK
    store(settings, work.paths)
    jobs = slurm.submit(config, models, options.settings, work.paths, slurm.to_sbatch)
    lines = [f"{job}  {name}" for name, job in jobs.items()]
    print_result(options, jobs, lines)
    return EXIT_OK


def _show_script(job: Job, text: str) -> str:
    """Print a batch script. Return what stands for its job id in the scripts after it."""
    print(f"# ---- {job.name}.sbatch\n{text}")
    return f"<{job.name}>"


def status(options: Namespace) -> int:
    """Print what is done, pending, failed and running."""
    from iwr.pipeline.stages import prepare
    from iwr.runs.settings import load_run, require_results
    from iwr.runs.status import print_status, status

    require_results(options.settings, judged=True)
    config, models, _ = load_run(options.settings, judged=True)
    work = prepare(config, models)
    rows = status(config, work.names, work.shards, work.paths)
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=1))
    else:
        print_status(rows)
    for row in rows:
        if row.pending or row.failed:
            return EXIT_INCOMPLETE
    return EXIT_OK


def _folders_of_run(settings: list[str]) -> tuple[Config, list[str]]:
    """Return the settings of a run, and the folders of the models that are compared."""
    from iwr.runs.paths import RunPaths
    from iwr.runs.settings import load_run, require_results

    require_results(settings, judged=True)
    config, models, _ = load_run(settings, judged=True)
    paths = RunPaths.of(config.run.root, config.run.name)
    return config, [str(paths.model(model.name)) for model in models]


def compare(options: Namespace) -> int:
    """Compare two models task by task."""
    from iwr.scores.paired import compare_sides, read_side

    own, folders = own_settings(options, ("judge", "protocol"))
    judge = own.get("judge")
    protocol = own.get("protocol")
    settings = [setting for setting in folders if "=" in setting]
    if len(settings) == len(folders):
        config, folders = _folders_of_run(options.settings)
        judge = config.judge.name
        protocol = config.protocol.name
    if len(folders) != 2:
        raise ConfigError(
            "compare takes the folders of two models, or two models of a run: "
            "run.name=… models=[…,…]",
            hint=options.example,
        )
    first, second = folders
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
