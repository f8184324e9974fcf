"""SLURM is the distributed engine: this module writes batch scripts and hands them to `sbatch`.

A run becomes a chain of jobs. Each model has an array that generates; element i of the array that
judges and scores starts when element i of the first has ended well (`aftercorr`); one last job
writes the report over all of them.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from iwr.config import ClusterConfig, Config, ModelConfig
from iwr.errors import ConfigError
from iwr.runs.files import write_atomic
from iwr.runs.paths import RunPaths

OWN_SETTINGS = ("model=", "models=", "cluster", "run.name=", "run.shard=", "run.shards=")
"""Beginnings of the settings that each job gets for itself or does not need."""

STAGES = ("generate", "judge", "score")
"""What the arrays of a model do."""

FLAG = "-"
"""Value of an option that takes none."""


class Job(NamedTuple):
    """One batch script."""

    name: str
    commands: list[list[str]]  # `iwr` command lines without the program, run one after another
    logs: Path
    gpus: int = 0
    shards: int | None = None  # array size; None: a single job
    after: str | None = None  # dependency in SLURM's words, e.g. "aftercorr:17"


def sbatch_text(job: Job, site: ClusterConfig) -> str:
    """Return the batch script: pure text, nothing is read or written.

    The script forwards the warning before the time limit, preemption and `scancel` to `iwr`, which
    drops the task in flight cleanly; after the warning before the time limit the job puts itself
    back into the queue and resumes.
    """
    lines = ["#!/bin/bash"]
    for option in _options(job, site):
        lines.append(f"#SBATCH {option}")
    lines += site.prelude
    lines.append("set -uo pipefail")
    lines += _BODY_HEAD.splitlines()
    launcher = shlex.split(site.launcher)
    for command in job.commands:
        words = [*launcher, "iwr", *command]
        lines.append(f"run {shlex.join(words)}")
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
    while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done   # traps cut `wait` short
    if [ -n "$requeue" ]; then scontrol requeue "$SLURM_JOB_ID"; exit 0; fi
    [ "$status" -eq 0 ] || exit "$status"
}"""


def _options(job: Job, site: ClusterConfig) -> list[str]:
    """Return the options of a job, in a fixed order."""
    pattern = "%x-%j.log" if job.shards is None else "%x-%A_%a.log"
    values = {
        "job-name": job.name,
        "output": str(job.logs / pattern),
        "open-mode": "append",
        "requeue": FLAG,
        "signal": f"B:USR1@{site.warn_seconds}",
        "kill-on-invalid-dep": "yes",
        "array": _array(job, site),
        "dependency": job.after,
        "partition": site.partition,
        "account": site.account,
        "time": site.time,
        "mem": site.memory,
        "cpus-per-task": str(site.cpus),
        "constraint": site.constraint,
        "gres": _gres(job, site),
    }
    options = []
    for name, value in values.items():
        if value == FLAG:
            options.append(f"--{name}")
        elif value:
            options.append(f"--{name}={value}")
    return options + site.options


def _array(job: Job, site: ClusterConfig) -> str | None:
    """Return the indices of an array's elements, with the most that run at the same time."""
    if job.shards is None:
        return None
    indices = f"0-{job.shards - 1}"
    if site.at_once:
        return f"{indices}%{site.at_once}"
    return indices


def _gres(job: Job, site: ClusterConfig) -> str | None:
    """Return the site's words for GPUs; None for a job without any."""
    if not job.gpus or not site.gres:
        return None
    return site.gres.format(gpus=job.gpus)


Send = Callable[[Job, str], str]
"""Takes a job and its batch script, returns the id by which later jobs depend on it."""


def submit(
    config: Config,
    models: list[ModelConfig],
    overrides: list[str],
    paths: RunPaths,
    send: Send,
) -> dict[str, str]:
    """Send the whole chain, in the order of its dependencies. Return the ids by job name.

    Raise what `send` raises.
    """
    common = [setting for setting in overrides if not setting.startswith(OWN_SETTINGS)]
    common.append(f"run.name={paths.folder.name}")
    site = config.cluster
    ids: dict[str, str] = {}
    last = []  # ids of the jobs that the report waits for
    for model in models:
        generate, judge = _model_jobs(config, model, common, paths)
        text = sbatch_text(generate, site)
        generate_id = send(generate, text)
        judge = judge._replace(after=f"aftercorr:{generate_id}")
        text = sbatch_text(judge, site)
        judge_id = send(judge, text)
        ids[generate.name] = generate_id
        ids[judge.name] = judge_id
        last.append(judge_id)
    report = _report_job(common, last, paths)
    small_site = replace(site, memory=site.report_memory)
    text = sbatch_text(report, small_site)
    ids[report.name] = send(report, text)
    return ids


def _model_jobs(
    config: Config,
    model: ModelConfig,
    common: list[str],
    paths: RunPaths,
) -> tuple[Job, Job]:
    """Return the two arrays of one model: one that generates, one that judges and scores."""
    site = config.cluster
    # the report counts failed tasks; they must not keep their shard from being judged
    settings = [
        *common,
        f"model={model.name}",
        f"run.shards={site.shards}",
        "run.allow_unscored=true",
    ]
    name = f"iwr-{paths.folder.name}-{model.name}"
    if config.judge.model:
        judge_gpus = _gpus(config.judge.model)
    else:
        judge_gpus = min(1, site.score_gpus)
    generate = Job(
        name=f"{name}-generate",
        commands=[["generate", *settings]],
        logs=paths.logs,
        gpus=_gpus(model),
        shards=site.shards,
    )
    judge = Job(
        name=f"{name}-judge",
        commands=[["judge", *settings], ["score", *settings]],
        logs=paths.logs,
        gpus=judge_gpus,
        shards=site.shards,
    )
    return generate, judge


def _report_job(
    common: list[str],
    last: list[str],
    paths: RunPaths,
) -> Job:
    """Return the job that reports on the whole run when the jobs `last` have ended."""
    settings = [setting for setting in common if not setting.startswith("model.")]
    return Job(
        name=f"iwr-{paths.folder.name}-report",
        commands=[["report", *settings]],
        logs=paths.logs,
        after=f"afterany:{':'.join(last)}",
    )


def _gpus(model: ModelConfig) -> int:
    """Return the GPUs of a job."""
    return model.gpus if model.kind in ("vllm", "transformers") else 0


def to_sbatch(job: Job, text: str) -> str:
    """Write a batch script and submit it. Return SLURM's job id.

    Raise ConfigError when `sbatch` is not installed or refuses the script.
    """
    script = job.logs / f"{job.name}.sbatch"
    write_atomic(script, text)
    command = ["sbatch", "--parsable", str(script)]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError as error:
        raise ConfigError(
            "sbatch is not installed here", hint="run this on a login node of a SLURM cluster"
        ) from error
    if process.returncode:
        raise ConfigError(
            f"sbatch refused {script}: {process.stderr.strip()}",
            hint="change the cluster.* settings",
        )
    return process.stdout.strip().split(";")[0]
