"""What the pending stages need, checked before the first of them starts.

These are the quick checks of `iwr doctor`: nothing is started, nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from iwr.config import Config, Environment, ModelConfig
from iwr.doctor.result import CheckResult, DoctorContext, RoleModel
from iwr.errors import ConfigError
from iwr.records import Task
from iwr.tasks.load import Loaded

HEADING = "these settings cannot work here:"


def require(
    config: Config,
    models: Sequence[ModelConfig],
    tasks: Sequence[Task],
    stages: Collection[str],
    *,
    here: bool = True,
) -> None:
    """Raise ConfigError when one of these pending stages cannot work, naming every reason.

    `here`: they will run on this machine, not on one of a cluster.
    """
    if not stages:
        return
    if "judge" in stages:
        from iwr.judge.backends import require_contracts

        require_contracts(tasks, config)
        _require_rubric(config)
    problems = [HEADING]
    fixes = []
    for result in _results(config, models, tasks, stages, here=here):
        if result.status == "fail":
            problems.append(f"     {result.check}: {result.found}")
            fixes.append(result.fix or "")
    if not fixes:
        return
    fixes.append("`iwr doctor` with the same settings checks everything")
    hints = dict.fromkeys(filter(None, fixes))
    raise ConfigError("\n".join(problems), hint="\n     ".join(hints))


def _require_rubric(config: Config) -> None:
    """Raise ConfigError for a protocol that needs the rubric of a judge model."""
    if not config.protocol.high or config.judge.kind != "contract":
        return
    raise ConfigError(
        f"protocol={config.protocol.name} needs the rubric of a judge model; "
        f"judge={config.judge.name} has none",
        hint="choose a judge model, as in judge=qwen3_vl_8b, or set protocol.high=false",
    )


def _results(
    config: Config,
    models: Sequence[ModelConfig],
    tasks: Sequence[Task],
    stages: Collection[str],
    *,
    here: bool,
) -> Iterator[CheckResult]:
    """Yield the checks of these stages, in the order in which a run needs them."""
    from iwr.doctor import engines, pages
    from iwr.doctor.weights import ModelWeights

    loaded = Loaded(tuple(tasks), (), ())
    served = list(_served(config, models, stages))
    context = DoctorContext(config, list(models), served, loaded, Environment.read())
    if served and here:
        yield from engines.packages(context)
    for role, model in served:
        yield ModelWeights(role, model).check()
    if "generate" in stages:
        yield from pages.copies(context)
    if "score" in stages:
        yield from _metrics(config)


def _served(
    config: Config, models: Sequence[ModelConfig], stages: Collection[str]
) -> Iterator[RoleModel]:
    """Yield the models that start on this machine in these stages."""
    from iwr.doctor import served_models

    for served in served_models(config, models):
        stage = "judge" if served.role == "judge" else "generate"
        if stage in stages:
            yield served


def _metrics(config: Config) -> Iterator[CheckResult]:
    """Yield the checks of the metrics that make the score."""
    from iwr.doctor.weights import MetricWeights
    from iwr.scores.draft import metrics_of

    settings = metrics_of(config.protocol)
    for name in config.protocol.low:
        yield MetricWeights(name, settings[name]).check()
