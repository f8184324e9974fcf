"""Hydra's own entry point, for multirun with any launcher; the submitit launcher turns each choice into a SLURM job.

    python -m iwr.pipeline.sweep --multirun hydra/launcher=submitit_slurm model=demo,blank run.name=first

Each job generates, judges and scores with the settings of its choice; `iwr report` with all contestants then makes one table.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from iwr.errors import EXIT_INCOMPLETE, EXIT_OK


def main() -> None:
    import hydra
    from hydra.core.hydra_config import HydraConfig

    from iwr.config import register
    from iwr.pipeline.stages import STAGES

    register()

    @hydra.main(config_path="pkg://iwr.configs", config_name="config", version_base="1.3")
    def job(_: Any) -> None:
        """Raises RuntimeError, so that launchers count the job as failed, where a stage could not do its work."""
        given = [
            setting.removesuffix("=null") if setting[0] == "~" else setting
            for setting in HydraConfig.get().overrides.task
        ]
        if not any(setting.startswith("run.shard=") for setting in given):
            given.append("run.shard=0")  # the launcher's own array numbers its choices, not shards
        for stage in STAGES[:-1]:  # the report covers all jobs, so none of them writes it
            code = subprocess.run([sys.executable, "-m", "iwr", stage, *given]).returncode
            if code not in (EXIT_OK, EXIT_INCOMPLETE):
                raise RuntimeError(f"iwr {stage} ended with {code}; the lines above say why")

    job()


if __name__ == "__main__":
    main()
