"""`iwr doctor`: what the settings need of this machine, whether it is here, and how to get it.

Nothing is left behind: the slowest check starts the browser once, another writes a temporary file.
torch and vLLM are not loaded, so "installed" does not mean "works"; that shows when a server
starts.
"""

from __future__ import annotations

from collections.abc import Iterator

from iwr.config import Config, Environment, ModelConfig
from iwr.doctor.result import CheckResult, DoctorContext


def examine(config: Config, models: list[ModelConfig]) -> Iterator[CheckResult]:
    """Yield one or more results of each check, in the order in which a run needs them."""
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


def lines(results: list[CheckResult]) -> list[str]:
    """Return a line for each result, with its fix on the next line, and a last line."""
    lines = []
    failures = 0
    for result in results:
        lines.append(f"{result.status:5}{result.check:12}{result.found}")
        if result.fix and result.status != "ok":
            lines.append(f"{'':17}fix: {result.fix}")
        failures += result.status == "fail"
    if failures:
        lines.append(f"{failures} of {len(results)} checks failed")
    else:
        lines.append("everything that these settings need is here")
    return lines


def _served(config: Config, models: list[ModelConfig]) -> Iterator[tuple[str, ModelConfig]]:
    for model in models:
        if model.kind == "transformers" or (
            model.kind == "vllm" and config.server.kind == "launch"
        ):
            yield "model", model
    if config.judge.model and not config.judge.url and config.server.kind == "launch":
        yield "judge", config.judge.model
