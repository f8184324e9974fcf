"""What each command does. Each takes the parsed command line and returns the exit code; whatever is heavy is imported inside."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from iwr.errors import EXIT_INCOMPLETE, EXIT_OK, ConfigError

EXAMPLES = {
    "run": "iwr run models=[oracle,demo,screenshot,blank] judge=rules protocol=offline run.name=first",
    "generate": "iwr generate model=demo data=samples run.name=first",
    "judge": "iwr judge model=directory model.path=DIR run.name=first     # judges DIR/<task>/index.html",
    "score": "iwr score model=demo protocol=offline run.name=first",
    "report": "iwr report models=[oracle,demo] run.name=first",
    "prefetch": "iwr prefetch model=qwen2_5_vl_7b judge=qwen3_vl_8b protocol=local data=iwr_bench data.root=DIR",
    "submit": "iwr submit models=[demo,blank] cluster=default cluster.shards=4 cluster.partition=gpu run.name=first",
    "status": "iwr status models=[demo,blank] run.shards=4 run.name=first",
    "compare": "iwr compare runs/first/demo runs/second/demo protocol=offline",
    "selftest": "iwr selftest judge=qwen3_vl_8b run.name=first",
    "doctor": "iwr doctor model=qwen2_5_vl_7b judge=qwen3_vl_8b protocol=local data=iwr_bench data.root=DIR",
    "validate": "iwr validate data=iwr_bench data.root=DIR --json",
    "record": "iwr record page=DIR script=DIR/script.yaml out=DATA_ROOT id=my-task",
    "import": "iwr import from=OUTPUTS data=iwr_bench data.root=DIR run.name=first",
    "export": "iwr export to=OUTPUTS models=[oracle,demo] run.name=first",
    "config": "iwr config model=demo protocol=offline",
    "completion": 'eval "$(iwr completion bash)"     # or zsh; in ~/.bashrc, to keep it',
}


def run(options: argparse.Namespace) -> int:
    from iwr import progress
    from iwr.config import load_config
    from iwr.pipeline import stages as pipeline

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)
    stages = list(pipeline.STAGES) if options.command == "run" else [options.command]
    if config.run.shards > 1 and options.command == "run":
        stages.remove(
            "report"
        )  # other shards are still at work: `iwr report` comes after all of them
    outcome = pipeline.run(work, stages, progress.show)
    if outcome.rows is not None:
        _show(outcome, work.paths.report, as_json=options.json)
    return EXIT_INCOMPLETE if outcome.unscored and not config.run.allow_unscored else EXIT_OK


def _show(outcome, folder: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(outcome.rows, indent=1))
        return
    from iwr.report import print_leaderboard

    print_leaderboard(outcome.rows, outcome.caption)
    print(f"report: {folder}")


def selftest(options: argparse.Namespace) -> int:
    from iwr import progress
    from iwr.config import load_config
    from iwr.judge.selftest import lines, selftest
    from iwr.pipeline import stages as pipeline

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)
    record = selftest(work.all_tasks, config, work.paths, progress.show)
    print(
        record.model_dump_json(indent=1)
        if options.json
        else "\n".join([*lines(record), f"saved: {work.paths.selftest(record.judge)}"])
    )
    return (
        EXIT_INCOMPLETE if record.sensitivity.unusable or record.specificity.unusable else EXIT_OK
    )


def prefetch(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.doctor import prefetch

    config, models = load_config(options.settings)
    sizes = [(want, prefetch.size(want)) for want in prefetch.wants(config, models)]
    for want, size in sizes:
        print(prefetch.line(want, size), file=sys.stderr)
    prefetch.check_room(sizes)
    fetched = prefetch.fetch(config, models)
    print(
        json.dumps(fetched, indent=1)
        if options.json
        else "\n".join(f"{name}  {path}" for name, path in fetched.items())
    )
    return EXIT_OK


def submit(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.pipeline import slurm
    from iwr.pipeline import stages as pipeline

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)  # faults in the data show here, not in the queue
    jobs = slurm.submit(config, models, options.settings, work.paths)
    print(
        json.dumps(jobs, indent=1)
        if options.json
        else "\n".join(f"{job}  {name}" for name, job in jobs.items())
    )
    return EXIT_OK


def status(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.pipeline import stages as pipeline
    from iwr.runs import status

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)
    rows = status.status(config, models, work.shards, work.paths)
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=1))
    else:
        status.print_status(rows)
    return EXIT_OK if all(row.pending == row.failed == 0 for row in rows) else EXIT_INCOMPLETE


def compare(options: argparse.Namespace) -> int:
    from iwr.scores.paired import compare, read_side

    folders = [Path(setting) for setting in options.settings if "=" not in setting]
    given = dict(setting.split("=", 1) for setting in options.settings if "=" in setting)
    if len(folders) != 2 or given.keys() - {"judge", "protocol"}:
        raise ConfigError(
            "compare takes two contestants' folders, and judge=… protocol=…",
            hint=EXAMPLES["compare"],
        )
    first, second = (
        read_side(folder, given.get("judge"), given.get("protocol")) for folder in folders
    )
    result = compare(first, second)
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        from iwr.report.table import print_comparison

        print_comparison(result)
    return EXIT_OK


def validate(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.tasks.load import data_root, load

    config, _ = load_config(options.settings)
    loaded = load(data_root(config.data), config.data.tasks)
    if options.json:
        print(json.dumps([fault.model_dump() for fault in loaded.faults], indent=1))
    for fault in loaded.faults:
        print(fault, file=sys.stderr)
    for note in loaded.notes:
        print(f"note: {note}", file=sys.stderr)
    if not options.json:
        print(f"{len(loaded.tasks)} tasks load, {len(loaded.faults)} faults")
    return EXIT_INCOMPLETE if loaded.faults else EXIT_OK


def doctor(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.doctor import examine, lines

    findings = list(examine(*load_config(options.settings)))
    print(
        json.dumps([finding._asdict() for finding in findings], indent=1)
        if options.json
        else "\n".join(lines(findings))
    )
    return EXIT_INCOMPLETE if any(finding.status == "fail" for finding in findings) else EXIT_OK


def record(options: argparse.Namespace) -> int:
    from iwr.tasks.recorder.record import record_task

    given = dict(setting.partition("=")[::2] for setting in options.settings)
    missing = [key for key in ("page", "script", "out", "id") if not given.get(key)]
    unknown = sorted(given.keys() - {"page", "script", "out", "id", "pace", "seed"})
    if missing or unknown:
        what = f"missing: {', '.join(missing)}" if missing else f"unknown: {', '.join(unknown)}"
        raise ConfigError(f"record: {what}", hint=EXAMPLES["record"])
    seed = int(given["seed"]) if "seed" in given else None
    folder = record_task(
        Path(given["page"]),
        Path(given["script"]),
        Path(given["out"]),
        given["id"],
        pace=float(given.get("pace", 1.0)),
        seed=seed,
    )
    print(f"recorded {folder}")
    return EXIT_OK


def import_(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.pipeline import exchange
    from iwr.pipeline import stages as pipeline

    given, settings = _own(options, "from", "contestant")
    folder = Path(given["from"]).expanduser()
    config, _ = load_config(settings)
    work = pipeline.prepare(config, [])
    names = (
        [given["contestant"]]
        if "contestant" in given
        else exchange.contestants(folder, work.all_tasks)
    )
    done = []
    for name in names:
        path = work.paths.task(name, work.all_tasks[0].id).folder.parent
        mine, (model,) = load_config(
            [*settings, "model=directory", f"model.name={name}", f"model.path={path}"]
        )
        path.mkdir(parents=True, exist_ok=True)
        done.append(exchange.import_pages(folder, work.all_tasks, model, mine, work.paths))
    if options.json:
        print(json.dumps([found._asdict() for found in done], indent=1))
        return EXIT_OK
    for found in done:
        print(
            f"{found.model}: {found.pages} pages, {found.empty} empty ones, {found.absent} tasks without one"
        )
        words = [
            "iwr",
            "run",
            "model=directory",
            f"model.name={found.model}",
            f"model.path={found.path}",
            *settings,
        ]
        print(f"  next: {shlex.join(words)}")
    return EXIT_OK


def export(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.pipeline import exchange
    from iwr.pipeline import stages as pipeline

    given, settings = _own(options, "to")
    config, models = load_config(settings)
    work = pipeline.prepare(config, models)
    done = exchange.export(
        Path(given["to"]).expanduser(),
        [model.name for model in models],
        work.all_tasks,
        config,
        work.paths,
    )
    if options.json:
        print(json.dumps([written._asdict() for written in done], indent=1))
        return EXIT_OK
    for written in done:
        print(f"{written.model}: {written.pages} pages, {written.scored} tasks with scores")
    if not any(written.scored for written in done):
        print(
            "scores go along only with a judge model and a protocol that has OCR and DINO: protocol=paper or protocol=reference"
        )
    return EXIT_OK


def _own(
    options: argparse.Namespace, needed: str, *others: str
) -> tuple[dict[str, str], list[str]]:
    """The settings that belong to this command alone, and the rest. Raises ConfigError when `needed` is not given."""
    pairs = [setting.partition("=")[::2] for setting in options.settings]
    own = {key: value for key, value in pairs if key in (needed, *others)}
    if not own.get(needed):
        raise ConfigError(f"{options.command} needs {needed}=…", hint=EXAMPLES[options.command])
    return own, [setting for setting in options.settings if setting.partition("=")[0] not in own]


def completion(options: argparse.Namespace) -> int:
    from iwr.cli.completion import script

    print(script(" ".join(options.settings)))
    return EXIT_OK


def config(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from omegaconf import OmegaConf

    from iwr.config import load_config

    config, models = load_config(options.settings)
    settings = asdict(config) | {"model": asdict(models[0])}
    print(
        json.dumps(settings, indent=1)
        if options.json
        else OmegaConf.to_yaml(OmegaConf.create(settings)),
        end="",
    )
    return EXIT_OK


COMMANDS = dict.fromkeys(("run", "generate", "judge", "score", "report"), run) | {
    "prefetch": prefetch,
    "submit": submit,
    "status": status,
    "compare": compare,
    "selftest": selftest,
    "doctor": doctor,
    "validate": validate,
    "record": record,
    "import": import_,
    "export": export,
    "config": config,
    "completion": completion,
}
