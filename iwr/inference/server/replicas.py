"""Several servers of one model, each on its own GPUs. `server.replicas=1` is a fleet of one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from iwr.config import Config, Environment, ModelConfig
from iwr.errors import ConfigError
from iwr.inference.server.command import on_cpu, visible_gpus
from iwr.inference.server.process import Endpoint, Server


class ServerReplicas:
    """Starts and stops its servers together; after a death only the dead are started again.

    Raises ConfigError when the GPUs do not suffice, otherwise what `Server` raises.
    """

    def __init__(self, model: ModelConfig, config: Config, *, media: Path | None, logs: Path):
        here = gpus_here(config)
        shares = shares_of_gpus(model, config, here)
        self.servers = [
            Server(model, config, media=media, logs=logs, gpus=share) for share in shares
        ]
        self.gpus = 0 if here is None else len(shares) * model.gpus
        self.start_seconds = self.restart_seconds = 0.0

    @property
    def endpoints(self) -> list[Endpoint]:
        return [server.endpoint for server in self.servers if server.endpoint]

    @property
    def engine(self) -> str:
        return self.servers[0].engine

    def start(self) -> ServerReplicas:
        """Start every server that does not live."""
        started, first = time.monotonic(), not self.start_seconds
        self._start()
        seconds = time.monotonic() - started
        self.start_seconds += seconds
        self.restart_seconds += 0 if first else seconds
        return self

    def _start(self) -> None:
        resting = [server for server in self.servers if not server.alive()]
        for server in resting:
            server.stop()
        if len(resting) < 2:
            for server in resting:
                server.start()
            return
        with ThreadPoolExecutor(len(resting)) as pool:
            starts = [pool.submit(server.start) for server in resting]
            try:
                for start in starts:
                    start.result()
            except BaseException:
                self.stop()  # ends the starts that are still waiting, too
                raise

    def healthy(self) -> bool:
        """Whether all of them still answer."""
        return all(server.healthy() for server in self.servers)

    def log_tail(self) -> str:
        """End of the log of the first that died, else of the first."""
        return next(
            (server for server in self.servers if not server.alive()), self.servers[0]
        ).log_tail()

    def stop(self) -> None:
        for server in self.servers:
            server.stop()

    def __enter__(self) -> ServerReplicas:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def gpus_here(config: Config) -> list[str] | None:
    """The GPUs that servers may be started on; None when none is needed (CPU, external)."""
    environment = Environment.read()
    return (
        None
        if config.server.kind == "external" or on_cpu(environment)
        else visible_gpus(environment)
    )


def shares_of_gpus(
    model: ModelConfig, config: Config, here: Sequence[str] | None
) -> list[list[str] | None]:
    """The GPUs of each replica; None: nothing to choose. Raises ConfigError when they do not suffice."""
    replicas = config.server.replicas
    if replicas < 1:
        raise ConfigError(f"server.replicas={replicas}: at least 1")
    if here is None:
        return [None] * (1 if config.server.kind == "external" else replicas)
    if replicas * model.gpus > len(here):
        needed = f"{replicas} x {model.gpus}" if replicas > 1 else str(model.gpus)
        raise ConfigError(
            f"model {model.name} needs {needed} GPUs, {len(here)} are here",
            hint="lower server.replicas or model.gpus",
        )
    if replicas == 1:
        return [None]
    return [
        list(here[first : first + model.gpus])
        for first in range(0, replicas * model.gpus, model.gpus)
    ]
