"""Hydra's own entry point, for multirun with any launcher.

    python -m iwr.pipeline.sweep --multirun hydra/launcher=submitit_slurm model=demo,blank \\
        run.name=first

The submitit launcher turns each choice of config files into a SLURM job. Values of single settings
are the same for all jobs and taken as they are written, as everywhere: a comma is a comma. A job
generates, judges and scores with the settings of its choice; `iwr report` with all models then
makes one table.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

from iwr.config import register, split
from iwr.config.command_line import texts
from iwr.config.overrides import assignment_of, parse
from iwr.errors import EXIT_INCOMPLETE, EXIT_OK, ConfigError


class Sweep(NamedTuple):
    """A command line, sorted by who reads it."""

    choices: list[str]  # for Hydra: its flags, its own settings, config files
    settings: list[str]  # for `iwr`, the same in all jobs


def main() -> None:
    """Hand the choices of the command line to Hydra, which starts one job for each."""
    import hydra
    from hydra.core.hydra_config import HydraConfig

    program, *arguments = sys.argv
    try:
        sweep = sorted_by_reader(arguments)
    except ConfigError as error:
        hint = f"\n{error.hint}" if error.hint else ""
        sys.exit(f"{error}{hint}")
    register()

    @hydra.main(config_path="pkg://iwr.configs", config_name="config", version_base="1.3")
    def job(_: object) -> None:
        choices = HydraConfig.get().overrides.task
        run_stages([*choices, *sweep.settings])

    sys.argv = [program, *sweep.choices]
    job()


def sorted_by_reader(arguments: Sequence[str]) -> Sweep:
    """Sort the words of a command line. Raise ConfigError for a value that no job could use."""
    choices = []
    settings = []
    for argument in arguments:
        if _is_for_hydra(argument):
            choices.append(argument)
        else:
            settings.append(argument)
    line = split(settings)
    parse(texts(line.common))
    for model in line.model_settings():
        parse(model)
    return Sweep(choices, settings)


def _is_for_hydra(argument: str) -> bool:
    """Return whether an argument is Hydra's own, and not a setting."""
    if argument.startswith(("-", "hydra", "+hydra", "~hydra")):
        return True
    if argument.startswith("~"):
        return False
    if "=" not in argument:  # the word after a flag
        return True
    return assignment_of(argument).is_choice


def run_stages(settings: list[str]) -> None:
    """Run all stages but the report, which covers the jobs of all choices.

    Raise RuntimeError, so that launchers count the job as failed, where a stage fails.
    """
    from iwr.pipeline.stages import STAGES

    if not any(setting.startswith("run.shard=") for setting in settings):
        # the launcher's own array numbers its choices, not shards
        settings = [*settings, "run.shard=0"]
    for stage in STAGES[:-1]:
        process = subprocess.run([sys.executable, "-m", "iwr", stage, *settings])
        if process.returncode not in (EXIT_OK, EXIT_INCOMPLETE):
            raise RuntimeError(
                f"iwr {stage} ended with {process.returncode}; the lines above name the cause"
            )


if __name__ == "__main__":
    main()
