"""`iwr <command> [settings]`. Settings are Hydra overrides: `model=demo run.name=first`."""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import sys
import traceback

from iwr.cli.arguments import Command
from iwr.cli.commands import CLUSTER, COMMANDS, STAGES, TOOLS
from iwr.config import Environment
from iwr.errors import EXIT_INTERNAL, EXIT_OK, EXIT_PIPE, IwrError, exit_code
from iwr.version import __version__


def _list(commands: dict[str, Command]) -> str:
    """Return a list of commands for the help text."""
    lines = [f"  {name:<12}{command.summary}" for name, command in commands.items()]
    return "\n".join(lines)


OVERVIEW = f"""\
iwr evaluates open-weight vision-language models on interactive webpage reconstruction.

  iwr run models=[oracle,demo,screenshot,blank] run.name=first
  iwr run model=qwen2_5_vl_7b judge=qwen3_vl_8b data=iwr_bench data.root=DIR

Stages, each with the same settings as `run`, each resumed where it stopped:
{_list(STAGES)}

On a cluster:
{_list(CLUSTER)}

Tools:
{_list(TOOLS)}

Settings are `key=value`: data=samples|iwr_bench data.root=DIR model=NAME model.path=PATH
judge=NAME protocol=NAME run.root=DIR run.name=NAME. `iwr <command> --help` has an example.
Exit codes: 0 done; 1 done, but something is unscored or faulty; 2 wrong settings or data;
3 server, browser or metric could not run; 4 a fault of iwr itself; 5 a comparison's requirement
is not met; 130 interrupted."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        try:
            return _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has read enough
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        return EXIT_PIPE


def _run(arguments: list[str]) -> int:
    """Parse and run a command; every IwrError becomes one message on standard error."""
    options = _parse(arguments)
    if options is None:
        print(OVERVIEW)
        return EXIT_OK
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for library in ("httpx", "httpx2"):  # ours, and the hub's
        logging.getLogger(library).setLevel(logging.WARNING)
    _handle_signals()
    try:
        return COMMANDS[options.command].function(options)
    except (IwrError, KeyboardInterrupt) as error:
        if options.debug:
            raise
        print(_message(error), file=sys.stderr)
        return exit_code(error)
    except Exception as error:  # Python would exit with 1, "incomplete" here
        if isinstance(error, BrokenPipeError) and _output_is_closed():
            raise
        traceback.print_exc()
        print("iwr: this is a fault of iwr itself; please report the lines above", file=sys.stderr)
        return EXIT_INTERNAL


def _handle_signals() -> None:
    """Let SIGINT and SIGTERM end a command in the same way.

    Under SLURM, as in any shell, what starts in the background ignores SIGINT at first.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def _parse(arguments: list[str]) -> argparse.Namespace | None:
    """Return the parsed command line; None when it asks for the overview."""
    completing = "_ARGCOMPLETE" in Environment.read().inherited  # with an empty command line
    if not completing and (not arguments or arguments[0] in ("-h", "--help", "help")):
        return None
    parser = argparse.ArgumentParser(prog="iwr", add_help=False)
    parser.add_argument("--version", action="version", version=f"iwr {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            description=command.summary,
            epilog=f"example: {command.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_arguments(subparser, command)
    if completing:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)
    return parser.parse_args(arguments)


def _add_arguments(parser: argparse.ArgumentParser, command: Command) -> None:
    """Add what every command takes, and the flags of this one."""
    settings = parser.add_argument("settings", nargs="*", metavar="key=value", help="settings")
    settings.completer = _complete  # type: ignore[attr-defined]
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    for flag in command.flags:
        if not flag.metavar:
            parser.add_argument(f"--{flag.name}", help=flag.summary, action="store_true")
            continue
        action = "append" if flag.repeated else "store"
        parser.add_argument(
            f"--{flag.name}", metavar=flag.metavar, help=flag.summary, action=action
        )
    parser.set_defaults(example=command.example, keys=command.keys)


def _complete(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Return what `prefix` may become; the signature is argcomplete's."""
    from iwr.cli.completion import completions

    name = parsed_args.command
    return completions(prefix, name, COMMANDS[name])


def _message(error: BaseException) -> str:
    """Return what is printed of an error, with the hint."""
    if isinstance(error, KeyboardInterrupt):
        return "iwr: interrupted; the same command resumes"
    hint = getattr(error, "hint", None)
    if hint:
        return f"iwr: {error}\n     {hint}"
    return f"iwr: {error}"


def _output_is_closed() -> bool:
    """Return whether the reader of our output has gone; nothing may be left to flush by now."""
    output = select.poll()
    output.register(sys.stdout.fileno(), select.POLLERR)
    return bool(output.poll(0))


if __name__ == "__main__":
    sys.exit(main())
