"""SLURM is the distributed engine: this module only writes batch scripts and hands them to `sbatch`.

A run becomes a chain of jobs. For each contestant an array that generates; element i of the array that judges and
scores starts when element i of the first has ended well (`aftercorr`); one last job writes the report over all of them.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from iwr.config import ClusterConfig, Config, ModelConfig
from iwr.errors import ConfigError
from iwr.runs.files import write_atomic
from iwr.runs.paths import RunPaths


class Job(NamedTuple):
    """One batch script. `commands` run one after another, each an `iwr` command line without the program."""

    name: str
    commands: list[list[str]]
    logs: Path
    gpus: int = 0
    shards: int | None = None  # array size; None: a single job
    after: str | None = None  # dependency in SLURM's words, e.g. "aftercorr:17"


def sbatch_text(job: Job, site: ClusterConfig) -> str:
    """The batch script: pure text, nothing is read or written.

    The script forwards the warning before the time limit, preemption and `scancel` to `iwr`, which drops the task in
    flight cleanly; after the warning before the time limit the job puts itself back into the queue and resumes.
    """
    lines = [
        "#!/bin/bash",
        *(f"#SBATCH {option}" for option in _options(job, site)),
        *site.prelude,
        "set -uo pipefail",
    ]
    lines += _BODY_HEAD.splitlines()
    lines += [
        f"run {shlex.join([*shlex.split(site.launcher), 'iwr', *command])}"
        for command in job.commands
    ]
    return "\n".join(lines) + "\n"


_BODY_HEAD = """\
requeue=""
child=""
trap 'requeue=yes; [ -z "$child" ] || kill -TERM "$child"' USR1   # the time limit is near
trap '[ -z "$child" ] || kill -TERM "$child"' TERM                # scancel, preemption
run() {
    [ -z "$requeue" ] || return 0
    "$@" &
    child=$!
    wait "$child"; status=$?
    while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done   # a trap cuts `wait` short
    if [ -n "$requeue" ]; then scontrol requeue "$SLURM_JOB_ID"; exit 0; fi
    [ "$status" -eq 0 ] || exit "$status"
}"""


def _options(job: Job, site: ClusterConfig) -> list[str]:
    pattern = "%x-%A_%a.log" if job.shards is not None else "%x-%j.log"
    options = {
        "job-name": job.name,
        "output": str(job.logs / pattern),
        "open-mode": "append",
        "requeue": None,
        "signal": f"B:USR1@{site.warn_seconds}",
        "kill-on-invalid-dep": "yes",
        "array": f"0-{job.shards - 1}" + (f"%{site.at_once}" if site.at_once else "")
        if job.shards is not None
        else False,
        "dependency": job.after or False,
        "partition": site.partition or False,
        "account": site.account or False,
        "time": site.time or False,
        "mem": site.memory or False,
        "cpus-per-task": str(site.cpus),
        "constraint": site.constraint or False,
        "gres": site.gres.format(gpus=job.gpus) if job.gpus and site.gres else False,
    }
    return [
        f"--{key}" if value is None else f"--{key}={value}"
        for key, value in options.items()
        if value is not False
    ] + site.options


def submit(
    config: Config, models: list[ModelConfig], overrides: list[str], paths: RunPaths
) -> dict[str, str]:
    """Submit the whole chain. Returns job name -> SLURM job id.

    Raises ConfigError when `sbatch` is not there or refuses a script.
    """
    kept = [
        o
        for o in overrides
        if not o.startswith(("model=", "models=", "cluster", "run.shard=", "run.shards="))
    ]
    shards, site = config.cluster.shards, config.cluster
    jobs: dict[str, str] = {}
    judged = []
    for model in models:
        # a task that failed is counted by the report; it must not keep its shard from being judged
        settings = [*kept, f"model={model.name}", f"run.shards={shards}", "run.allow_unscored=true"]
        name = f"iwr-{paths.folder.name}-{model.name}"
        generate = Job(
            f"{name}-generate", [["generate", *settings]], paths.logs, _gpus(model), shards
        )
        jobs[generate.name] = first = _sbatch(generate, site, paths)
        gpus = _gpus(config.judge.model) if config.judge.model else min(1, site.score_gpus)
        commands = [["judge", *settings], ["score", *settings]]
        judge = Job(f"{name}-judge", commands, paths.logs, gpus, shards, f"aftercorr:{first}")
        jobs[judge.name] = _sbatch(judge, site, paths)
        judged.append(jobs[judge.name])
    names = f"models=[{','.join(model.name for model in models)}]"
    report = Job(
        f"iwr-{paths.folder.name}-report",
        [["report", *kept, names]],
        paths.logs,
        after=f"afterany:{':'.join(judged)}",
    )
    jobs[report.name] = _sbatch(report, replace(site, memory=site.report_memory), paths)
    return jobs


def _gpus(model: ModelConfig) -> int:
    return model.gpus if model.kind in ("vllm", "transformers") else 0


def _sbatch(job: Job, site: ClusterConfig, paths: RunPaths) -> str:
    script = paths.logs / f"{job.name}.sbatch"
    write_atomic(script, sbatch_text(job, site))
    try:
        done = subprocess.run(
            ["sbatch", "--parsable", script], capture_output=True, text=True, timeout=60
        )
    except FileNotFoundError as error:
        raise ConfigError(
            "sbatch is not there", hint="run this on a login node of a SLURM cluster"
        ) from error
    if done.returncode:
        raise ConfigError(
            f"sbatch refused {script}: {done.stderr.strip()}", hint="change the cluster.* settings"
        )
    return done.stdout.strip().split(";")[0]
