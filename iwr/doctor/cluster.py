"""The cluster: SLURM's commands, its controller, the partition of the settings."""

from __future__ import annotations

import shutil

from iwr.doctor.result import CheckResult, DoctorContext, output

COMMANDS = ("sbatch", "squeue", "scontrol", "sinfo")


def slurm(context: DoctorContext) -> CheckResult:
    """Check that jobs can be submitted from here; only `iwr submit` needs it."""
    missing = [name for name in COMMANDS if not shutil.which(name)]
    if len(missing) == len(COMMANDS):
        return CheckResult("slurm", "ok", "not here; only `iwr submit` needs it")
    if missing:
        text = f"{', '.join(missing)} not found"
        return CheckResult(
            "slurm",
            "warn",
            text,
            "load your site's SLURM module",
        )
    partitions = output("sinfo", "--noheader", "--format=%R").split()
    if not partitions:
        return CheckResult(
            "slurm",
            "warn",
            "installed, but its controller does not answer `sinfo`; only `iwr submit` needs it",
            "run this on a login node",
        )
    names = ", ".join(partitions)
    partition = context.config.cluster.partition
    if partition and partition not in partitions:
        return CheckResult(
            "slurm",
            "warn",
            f"no partition {partition}",
            f"cluster.partition= one of {names}",
        )
    return CheckResult("slurm", "ok", f"partitions {names}")
