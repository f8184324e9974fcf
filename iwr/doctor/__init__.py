"""`iwr doctor`: what the chosen settings need of this machine, whether it is there, and how to get it.

Nothing is kept: the slowest look starts the browser once, the boldest writes a temporary file. torch and vLLM are not loaded,
so "installed" does not mean "works"; that shows when a server starts.
"""

from __future__ import annotations

from collections.abc import Iterator

from iwr.config import Config, Environment, ModelConfig
from iwr.doctor.result import DoctorContext, CheckResult


def examine(config: Config, models: list[ModelConfig]) -> Iterator[CheckResult]:
    """One or more findings for each thing, in the order in which a run needs them."""
    from iwr.doctor import machine, work
    from iwr.doctor import models as engines
    from iwr.tasks.load import data_root, load

    loaded = load(data_root(config.data), config.data.tasks)
    context = DoctorContext(
        config, models, list(_served(config, models)), loaded, Environment.read()
    )
    checks = (
        machine.system,
        work.disk,
        engines.vllm,
        engines.gpu,
        engines.server,
        machine.browser,
        machine.sandbox,
        machine.fonts,
        work.data,
        work.pages,
        engines.weights,
        work.metrics,
        machine.port,
        machine.slurm,
    )
    for check in checks:
        yield from check(context)


def lines(findings: list[CheckResult]) -> list[str]:
    """For people: a line each, what to do below it."""
    shown = []
    for finding in findings:
        shown.append(f"{finding.status:5}{finding.check:12}{finding.found}")
        if finding.fix and finding.status != "ok":
            shown.append(f"{'':17}fix: {finding.fix}")
    failed = sum(finding.status == "fail" for finding in findings)
    return [
        *shown,
        f"{failed} of {len(findings)} checks failed"
        if failed
        else "everything that these settings need is here",
    ]


def _served(config: Config, models: list[ModelConfig]) -> Iterator[tuple[str, ModelConfig]]:
    for model in models:
        if model.kind == "transformers" or (
            model.kind == "vllm" and config.server.kind == "launch"
        ):
            yield "model", model
    if config.judge.model and not config.judge.url and config.server.kind == "launch":
        yield "judge", config.judge.model
