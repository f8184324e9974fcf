"""Several servers of one model, each on its own GPUs. `server.replicas=1` is one of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from iwr.config import Config, Environment, ModelConfig
from iwr.errors import ConfigError
from iwr.inference.server.command import on_cpu, visible_gpus
from iwr.inference.server.endpoint import Endpoint
from iwr.inference.server.process import Server


class ServerReplicas:
    """Starts and stops its servers together; after a death only the dead are started again.

    `gpus`: those that it may use; None: all. `video_tokens`: see `Server`. Raise ConfigError when
    the GPUs do not suffice, otherwise what `Server` raises.
    """

    def __init__(
        self,
        model: ModelConfig,
        config: Config,
        *,
        media: Path | None,
        logs: Path,
        gpus: Sequence[str] | None = None,
        video_tokens: int = 0,
    ):
        available = gpus
        if gpus is None:
            available = available_gpus(config)
        shares = shares_of_gpus(model, config, available)
        if gpus is not None and len(shares) == 1:
            shares = [list(gpus)]
        self.servers = []
        for share in shares:
            server = Server(
                model,
                config,
                media=media,
                logs=logs,
                gpus=share,
                video_tokens=video_tokens,
            )
            self.servers.append(server)
        self.gpus = 0
        if available is not None:
            self.gpus = len(self.servers) * model.gpus
        self.start_seconds = 0.0
        self.restart_seconds = 0.0

    @property
    def endpoints(self) -> list[Endpoint]:
        """Addresses of the servers that were started."""
        return [server.endpoint for server in self.servers if server.endpoint]

    @property
    def engine(self) -> str:
        """Name and version of what answers."""
        return self.servers[0].engine

    def start(self) -> ServerReplicas:
        """Start every server that does not live."""
        is_restart = self.start_seconds > 0
        start = time.monotonic()
        self._start(self._dead())
        seconds = time.monotonic() - start
        self.start_seconds += seconds
        if is_restart:
            self.restart_seconds += seconds
        return self

    def _dead(self) -> list[Server]:
        """Return the servers that have ended."""
        return [server for server in self.servers if not server.alive()]

    def _start(self, servers: list[Server]) -> None:
        """Start servers side by side; when one fails, all end."""
        for server in servers:
            server.stop()
        if len(servers) < 2:
            for server in servers:
                server.start()
            return
        with ThreadPoolExecutor(len(servers)) as pool:
            starts = [pool.submit(server.start) for server in servers]
            try:
                for start in starts:
                    start.result()
            except BaseException:
                self.stop()  # ends the starts that are still waiting, too
                raise

    def healthy(self) -> bool:
        """Return whether all of them still answer."""
        return all(server.healthy() for server in self.servers)

    def log_tail(self) -> str:
        """Return the end of the log of the first server that died, else of the first."""
        servers = self._dead() or self.servers
        return servers[0].log_tail()

    def stop(self) -> None:
        """End all servers."""
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


def available_gpus(config: Config) -> list[str] | None:
    """Return the GPUs that servers may be started on; None when none is needed."""
    environment = Environment.read()
    if config.server.kind == "external" or on_cpu(environment):
        return None
    return visible_gpus(environment)


def shares_of_gpus(
    model: ModelConfig,
    config: Config,
    gpus: Sequence[str] | None,
) -> list[list[str] | None]:
    """Return the GPUs of each replica; None where there is nothing to choose.

    Raise ConfigError when `gpus` do not suffice.
    """
    replicas = config.server.replicas
    if replicas < 1:
        raise ConfigError(f"server.replicas={replicas}: at least 1")
    if gpus is None:
        if config.server.kind == "external":
            return [None]
        return [None] * replicas
    if replicas * model.gpus > len(gpus):
        needed = str(model.gpus)
        if replicas > 1:
            needed = f"{replicas} x {model.gpus}"
        raise ConfigError(
            f"model {model.name} needs {needed} GPUs, {len(gpus)} are here",
            hint="lower server.replicas or model.gpus",
        )
    if replicas == 1:
        return [None]
    shares: list[list[str] | None] = []
    for replica in range(replicas):
        first = replica * model.gpus
        shares.append(list(gpus[first : first + model.gpus]))
    return shares
