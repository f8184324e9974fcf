"""`iwr <command> [settings]`. Settings are Hydra overrides: `model=demo run.name=first`."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import signal
import sys
import traceback
from pathlib import Path

from iwr.config import Environment
from iwr.errors import EXIT_INCOMPLETE, EXIT_INTERNAL, EXIT_OK, ConfigError, IwrError, exit_code
from iwr.version import __version__

OVERVIEW = """\
iwr evaluates open-weight vision-language models on interactive webpage reconstruction.

  iwr run                          all stages on the bundled samples with the demo model
  iwr run model=qwen2_5_vl_7b data=iwr_bench data.root=DIR
  iwr run models=[oracle,demo,screenshot,blank] run.name=first

Stages, each with the same settings as `run`, each resumed where it stopped:
  generate    models write a page for each recording
  judge       a judge drives the pages through the recorded actions
  score       screenshots are compared, scores computed
  report      tables from what is there

On a cluster:
  prefetch    download data set and weights of models, judge and metrics, with sizes: where there is a network
  submit      the same as a chain of SLURM jobs
  status      what is done, owed, failed and running, by model and shard

Tools:
  compare     two contestants task by task: difference, interval, p-value
  selftest    measure a judge on pages whose truth is known
  doctor      what the chosen settings need of this machine, and how to get it
  validate    check a data set: one line for each fault
  record      make a task from a page and an action script
  import      take over pages from a folder of the reference evaluator
  export      write a run in the reference evaluator's layout
  config      print every setting and its value
  completion  make the Tab key complete commands and settings

Settings are `key=value`: data=samples|iwr_bench data.root=DIR model=NAME model.path=PATH judge=NAME
protocol=NAME run.root=DIR run.name=NAME. `iwr <command> --help` has an example.
Exit codes: 0 done; 1 done, but something is unscored or faulty; 2 wrong settings or data; 3 server, browser or
metric could not run; 4 a fault of iwr itself; 130 interrupted."""

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
RUNS = ("run", "generate", "judge", "score", "report")


def main(arguments: list[str] | None = None) -> int:
    """Entry point. Returns the exit code; every IwrError is one message on standard error."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    if options is None:
        print(OVERVIEW)
        return EXIT_OK
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for library in ("httpx", "httpx2"):  # ours, and the hub's
        logging.getLogger(library).setLevel(logging.WARNING)
    # one way out for both; a shell starts what runs in the background, as under SLURM, with SIGINT ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        return _dispatch(options)
    except (IwrError, KeyboardInterrupt) as error:
        if options.debug:
            raise
        print(_message(error), file=sys.stderr)
        return exit_code(error)
    except Exception:  # noqa: BLE001 - Python would exit with 1, which means "incomplete" here
        traceback.print_exc()
        print("iwr: this is a fault of iwr itself: please report the lines above", file=sys.stderr)
        return EXIT_INTERNAL


def _parse(arguments: list[str]) -> argparse.Namespace | None:
    completing = "_ARGCOMPLETE" in Environment.read().inherited  # the shell asks, with an empty command line
    if not completing and (not arguments or arguments[0] in ("-h", "--help", "help")):
        return None
    parser = argparse.ArgumentParser(prog="iwr", add_help=False)
    parser.add_argument("--version", action="version", version=f"iwr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, example in EXAMPLES.items():
        command = commands.add_parser(name, epilog=f"example: {example}", formatter_class=argparse.RawDescriptionHelpFormatter)
        command.add_argument("settings", nargs="*", metavar="key=value", help="settings").completer = _complete  # type: ignore[attr-defined]
        command.add_argument("--json", action="store_true", help="print the result as JSON")
        command.add_argument("--debug", action="store_true", help="show tracebacks")
    if completing:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)
    return parser.parse_args(arguments)


def _complete(**asked: object) -> list[str]:
    from iwr.completion import settings

    return settings(**asked)  # type: ignore[arg-type]


def _message(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "iwr: interrupted; the same command resumes"
    hint = getattr(error, "hint", None)
    return f"iwr: {error}" + (f"\n     {hint}" if hint else "")


def _dispatch(options: argparse.Namespace) -> int:
    if options.command in RUNS:
        return _run(options)
    tools = {
        "compare": _compare, "selftest": _selftest, "validate": _validate, "record": _record, "config": _config,
        "prefetch": _prefetch, "submit": _submit, "status": _status, "doctor": _doctor,
        "import": _import, "export": _export, "completion": _completion,
    }  # fmt: skip
    return tools[options.command](options)


def _run(options: argparse.Namespace) -> int:
    from iwr import pipeline, progress
    from iwr.config import load_config

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)
    stages = list(pipeline.STAGES) if options.command == "run" else [options.command]
    if config.run.shards > 1 and options.command == "run":
        stages.remove("report")  # other shards are still at work: `iwr report` comes after all of them
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


def _selftest(options: argparse.Namespace) -> int:
    from iwr import pipeline, progress
    from iwr.config import load_config
    from iwr.judge.selftest import lines, selftest

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)
    record = selftest(work.all_tasks, config, work.paths, progress.show)
    print(record.model_dump_json(indent=1) if options.json else "\n".join([*lines(record), f"saved: {work.paths.selftest(record.judge)}"]))
    return EXIT_INCOMPLETE if record.sensitivity.unusable or record.specificity.unusable else EXIT_OK


def _prefetch(options: argparse.Namespace) -> int:
    from iwr import prefetch
    from iwr.config import load_config

    config, models = load_config(options.settings)
    sizes = [(want, prefetch.size(want)) for want in prefetch.wants(config, models)]
    for want, size in sizes:
        print(prefetch.line(want, size), file=sys.stderr)
    prefetch.check_room(sizes)
    fetched = prefetch.fetch(config, models)
    print(json.dumps(fetched, indent=1) if options.json else "\n".join(f"{name}  {path}" for name, path in fetched.items()))
    return EXIT_OK


def _submit(options: argparse.Namespace) -> int:
    from iwr import pipeline, slurm
    from iwr.config import load_config

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)  # faults in the data show here, not in the queue
    jobs = slurm.submit(config, models, options.settings, work.paths)
    print(json.dumps(jobs, indent=1) if options.json else "\n".join(f"{job}  {name}" for name, job in jobs.items()))
    return EXIT_OK


def _status(options: argparse.Namespace) -> int:
    from iwr import pipeline, status
    from iwr.config import load_config

    config, models = load_config(options.settings)
    work = pipeline.prepare(config, models)
    rows = status.status(config, models, work.shards, work.paths)
    print(json.dumps([row._asdict() for row in rows], indent=1) if options.json else status.table(rows))
    return EXIT_OK if all(row.owed == row.failed == 0 for row in rows) else EXIT_INCOMPLETE


def _compare(options: argparse.Namespace) -> int:
    from iwr.scores.paired import compare, read_side

    folders = [Path(setting) for setting in options.settings if "=" not in setting]
    given = dict(setting.split("=", 1) for setting in options.settings if "=" in setting)
    if len(folders) != 2 or given.keys() - {"judge", "protocol"}:
        raise ConfigError("compare takes two contestants' folders, and judge=… protocol=…", hint=EXAMPLES["compare"])
    first, second = (read_side(folder, given.get("judge"), given.get("protocol")) for folder in folders)
    result = compare(first, second)
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        from iwr.report.table import print_comparison

        print_comparison(result)
    return EXIT_OK


def _validate(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.pipeline import data_root
    from iwr.tasks.load import load

    config, _ = load_config(options.settings)
    loaded = load(data_root(config), config.data.tasks)
    if options.json:
        print(json.dumps([fault.model_dump() for fault in loaded.faults], indent=1))
    for fault in loaded.faults:
        print(fault, file=sys.stderr)
    for note in loaded.notes:
        print(f"note: {note}", file=sys.stderr)
    if not options.json:
        print(f"{len(loaded.tasks)} tasks load, {len(loaded.faults)} faults")
    return EXIT_INCOMPLETE if loaded.faults else EXIT_OK


def _doctor(options: argparse.Namespace) -> int:
    from iwr.config import load_config
    from iwr.doctor import examine, lines

    findings = list(examine(*load_config(options.settings)))
    print(json.dumps([finding._asdict() for finding in findings], indent=1) if options.json else "\n".join(lines(findings)))
    return EXIT_INCOMPLETE if any(finding.status == "fail" for finding in findings) else EXIT_OK


def _record(options: argparse.Namespace) -> int:
    from iwr.tasks.record import record_task

    given = dict(setting.partition("=")[::2] for setting in options.settings)
    missing = [key for key in ("page", "script", "out", "id") if not given.get(key)]
    unknown = sorted(given.keys() - {"page", "script", "out", "id", "pace", "seed"})
    if missing or unknown:
        what = f"missing: {', '.join(missing)}" if missing else f"unknown: {', '.join(unknown)}"
        raise ConfigError(f"record: {what}", hint=EXAMPLES["record"])
    seed = int(given["seed"]) if "seed" in given else None
    folder = record_task(Path(given["page"]), Path(given["script"]), Path(given["out"]), given["id"],
                         pace=float(given.get("pace", 1.0)), seed=seed)
    print(f"recorded {folder}")
    return EXIT_OK


def _import(options: argparse.Namespace) -> int:
    from iwr import exchange, pipeline
    from iwr.config import load_config

    given, settings = _own(options, "from", "contestant")
    folder = Path(given["from"]).expanduser()
    config, _ = load_config(settings)
    work = pipeline.prepare(config, [])
    names = [given["contestant"]] if "contestant" in given else exchange.contestants(folder, work.all_tasks)
    done = []
    for name in names:
        path = work.paths.task(name, work.all_tasks[0].id).folder.parent
        mine, (model,) = load_config([*settings, "model=directory", f"model.name={name}", f"model.path={path}"])
        path.mkdir(parents=True, exist_ok=True)
        done.append(exchange.import_pages(folder, work.all_tasks, model, mine, work.paths))
    if options.json:
        print(json.dumps([found._asdict() for found in done], indent=1))
        return EXIT_OK
    for found in done:
        print(f"{found.model}: {found.pages} pages, {found.empty} empty ones, {found.absent} tasks without one")
        words = ["iwr", "run", "model=directory", f"model.name={found.model}", f"model.path={found.path}", *settings]
        print(f"  next: {shlex.join(words)}")
    return EXIT_OK


def _export(options: argparse.Namespace) -> int:
    from iwr import exchange, pipeline
    from iwr.config import load_config

    given, settings = _own(options, "to")
    config, models = load_config(settings)
    work = pipeline.prepare(config, models)
    done = exchange.export(Path(given["to"]).expanduser(), [model.name for model in models], work.all_tasks, config, work.paths)
    if options.json:
        print(json.dumps([written._asdict() for written in done], indent=1))
        return EXIT_OK
    for written in done:
        print(f"{written.model}: {written.pages} pages, {written.scored} tasks with scores")
    if not any(written.scored for written in done):
        print("scores go along only with a judge model and a protocol that has OCR and DINO: protocol=paper or protocol=reference")
    return EXIT_OK


def _own(options: argparse.Namespace, needed: str, *others: str) -> tuple[dict[str, str], list[str]]:
    """The settings that belong to this command alone, and the rest. Raises ConfigError when `needed` is not given."""
    pairs = [setting.partition("=")[::2] for setting in options.settings]
    own = {key: value for key, value in pairs if key in (needed, *others)}
    if not own.get(needed):
        raise ConfigError(f"{options.command} needs {needed}=…", hint=EXAMPLES[options.command])
    return own, [setting for setting in options.settings if setting.partition("=")[0] not in own]


def _completion(options: argparse.Namespace) -> int:
    from iwr.completion import script

    print(script(" ".join(options.settings)))
    return EXIT_OK


def _config(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from omegaconf import OmegaConf

    from iwr.config import load_config

    config, models = load_config(options.settings)
    settings = asdict(config) | {"model": asdict(models[0])}
    print(json.dumps(settings, indent=1) if options.json else OmegaConf.to_yaml(OmegaConf.create(settings)), end="")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
