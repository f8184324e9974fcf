"""`iwr <command> [settings]`. Settings are Hydra overrides: `model=demo run.name=first`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import traceback

from iwr.cli.commands import COMMANDS, EXAMPLES
from iwr.config import Environment
from iwr.errors import EXIT_INTERNAL, EXIT_OK, IwrError, exit_code
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
  prefetch    download data set and weights, with their sizes: run it where there is a network
  submit      the same as a chain of SLURM jobs
  status      what is done, pending, failed and running, by model and shard

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
        return COMMANDS[options.command](options)
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
    completing = (
        "_ARGCOMPLETE" in Environment.read().inherited
    )  # the shell asks, with an empty command line
    if not completing and (not arguments or arguments[0] in ("-h", "--help", "help")):
        return None
    parser = argparse.ArgumentParser(prog="iwr", add_help=False)
    parser.add_argument("--version", action="version", version=f"iwr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, example in EXAMPLES.items():
        command = commands.add_parser(
            name,
            description=_says(name),
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_argument(
            "settings", nargs="*", metavar="key=value", help="settings"
        ).completer = _complete  # type: ignore[attr-defined]
        command.add_argument("--json", action="store_true", help="print the result as JSON")
        command.add_argument("--debug", action="store_true", help="show tracebacks")
    if completing:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)
    return parser.parse_args(arguments)


def _says(command: str) -> str:
    """The words of the overview about a command."""
    starts = (f"  {command} ", f"  iwr {command} ")
    return next(
        line.split(command, 1)[1].strip()
        for line in OVERVIEW.splitlines()
        if line.startswith(starts)
    )


def _complete(**asked: object) -> list[str]:
    from iwr.cli.completion import settings

    return settings(**asked)  # type: ignore[arg-type]


def _message(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "iwr: interrupted; the same command resumes"
    hint = getattr(error, "hint", None)
    return f"iwr: {error}" + (f"\n     {hint}" if hint else "")


if __name__ == "__main__":
    sys.exit(main())
