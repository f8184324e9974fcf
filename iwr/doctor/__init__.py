"""`iwr doctor`: what the settings need of this machine, whether it is here, and how to get it.

Nothing is left behind: the slowest check starts the browser once, another writes a temporary file.
torch and vLLM are not loaded, so "installed" does not mean "works"; that shows when a server
starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iwr.config import Config, Environment, ModelConfig
from iwr.doctor.result import CheckResult, DoctorContext, RoleModel


def examine(config: Config, models: list[ModelConfig]) -> Iterator[CheckResult]:
    """Yield one or more results of each check, in the order in which a run needs them."""
    from iwr.doctor import browser, cluster, disk, engines, gpus, machine, pages, writing
    from iwr.doctor.requirements import requirements
    from iwr.tasks.load import data_root, load

    root = data_root(config.data)
    loaded = load(root, config.data.tasks)
    served = list(served_models(config, models))
    environment = Environment.read()
    context = DoctorContext(config, models, served, loaded, environment)
    yield machine.system(context)
    yield from disk.space(context)
    yield from engines.packages(context)
    yield from gpus.memory(context)
    yield from engines.external_servers(context)
    yield browser.start(context)
    yield browser.sandbox(context)
    yield machine.fonts()
    yield writing.fonts(context)
    for requirement in requirements(config, served, loaded):
        yield requirement.check()
    yield from pages.copies(context)
    yield machine.port(context)
    yield cluster.slurm(context)


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


def served_models(config: Config, models: Sequence[ModelConfig]) -> Iterator[RoleModel]:
    """Yield the models that start on this machine."""
    launches = config.server.kind == "launch"
    for model in models:
        is_launched = model.kind == "vllm" and launches
        if is_launched or model.kind == "transformers":
            yield RoleModel("model", model)
    judge = config.judge
    if judge.model and launches and not judge.url:
        yield RoleModel("judge", judge.model)
