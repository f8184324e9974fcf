"""Hydra's own entry point, for multirun with any launcher.

    python -m iwr.pipeline.sweep --multirun hydra/launcher=submitit_slurm model=demo,blank \\
        run.name=first

The submitit launcher turns each choice into a SLURM job. A job generates, judges and scores with
the settings of its choice; `iwr report` with all models then makes one table.
"""

from __future__ import annotations

import subprocess
import sys

from iwr.errors import EXIT_INCOMPLETE, EXIT_OK


def main() -> None:
    """Hand the command line to Hydra, which starts one job for each choice."""
    import hydra
    from hydra.core.hydra_config import HydraConfig

    from iwr.config import register

    register()

    @hydra.main(config_path="pkg://iwr.configs", config_name="config", version_base="1.3")
    def job(_: object) -> None:
        run_stages(HydraConfig.get().overrides.task)

    job()


def run_stages(overrides: list[str]) -> None:
    """Run all stages but the report, which covers the jobs of all choices.

    Raise RuntimeError, so that launchers count the job as failed, where a stage fails.
    """
    from iwr.pipeline.stages import STAGES

    settings = []
    for override in overrides:
        if override.startswith("~"):
            override = override.removesuffix("=null")
        settings.append(override)
    if not any(setting.startswith("run.shard=") for setting in settings):
        settings.append("run.shard=0")  # the launcher's own array numbers its choices, not shards
    for stage in STAGES[:-1]:
        process = subprocess.run([sys.executable, "-m", "iwr", stage, *settings])
        if process.returncode not in (EXIT_OK, EXIT_INCOMPLETE):
            raise RuntimeError(
                f"iwr {stage} ended with {process.returncode}; the lines above name the cause"
            )


if __name__ == "__main__":
    main()
