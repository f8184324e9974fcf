"""The life of one vLLM server: start, readiness, end of the whole process tree. Used by generator and judge.

    with Server(model, config, media=task_folder, logs=run.logs) as server:
        client = ChatClient([server.endpoint], …)

`server.kind=external` starts nothing and only points at an endpoint.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from iwr.config import Config, Environment, ModelConfig
from iwr.errors import ConfigError, ServerError
from iwr.inference.server import supervisor as guard
from iwr.inference.server.command import (
    command,
    model_path,
    on_cpu,
    server_environment,
    vllm_version,
)
from iwr.inference.server.diagnosis import PORT_TAKEN, diagnose, phase, tail

log = logging.getLogger(__name__)

PORT_ATTEMPTS = 3


class Endpoint(NamedTuple):
    """What a client needs to talk to a server."""

    url: str  # ends in /v1
    model: str
    key: str | None = None
    context: int | None = None  # longest prompt and answer together, tokens, where the server tells
    vllm: bool = False  # it understands what only vLLM understands


class Server:
    """One model server, ended with everything it started when the `with` block ends or this process dies.

    `media` is the folder below which `file://` addresses may be read; `gpus`: only these. Raises ConfigError for settings that cannot
    work, before anything slow starts; ServerError when the server does not come up, with the end of its log.
    """

    def __init__(
        self,
        model: ModelConfig,
        config: Config,
        *,
        media: Path | None,
        logs: Path,
        gpus: Sequence[str] | None = None,
        on_phase: Callable[[str], None] | None = None,
    ):
        self.model, self.config, self.media, self.logs, self.gpus = model, config, media, logs, gpus
        self.on_phase = on_phase or (lambda words: log.info("server of %s: %s", model.name, words))
        self.endpoint: Endpoint | None = None
        self.engine = "external"
        self.log_file: Path | None = None
        self._environment = Environment.read()
        self._guard: subprocess.Popen[bytes] | None = None
        self._scratch: Path | None = None

    # ---- life ---------------------------------------------------------------------------------------

    def start(self) -> Server:
        if self.config.server.kind == "external":
            return self._connect()
        if self.config.server.kind != "launch":
            raise ConfigError(f"server.kind={self.config.server.kind}: choose launch or external")
        self.engine = vllm_version()
        for attempt in range(PORT_ATTEMPTS):
            try:
                self._launch()
                self._wait_until_ready()
                return self
            except BaseException as error:
                self.stop()
                if not _port_taken(error) or attempt == PORT_ATTEMPTS - 1:
                    raise
                log.warning("server of %s: port taken meanwhile, trying another", self.model.name)
        raise AssertionError("unreachable")

    def alive(self) -> bool:
        """Whether the server's process lives (always, for an external one)."""
        return self.endpoint is not None and (self._guard is None or self._guard.poll() is None)

    def healthy(self, seconds: float = 15.0) -> bool:
        """Whether the server still answers. A dying vLLM lives on for some seconds: waits until it is clear."""
        import httpx

        deadline = time.monotonic() + seconds
        while self.alive() and self.endpoint is not None:
            try:
                url = (
                    f"{self.endpoint.url}/models"
                    if self._guard is None
                    else self.endpoint.url.removesuffix("/v1") + "/health"
                )
                return (
                    httpx.get(url, headers=_headers(self.endpoint.key), timeout=seconds).status_code
                    == 200
                )
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.5)
        return False

    def stop(self) -> None:
        """End the whole process tree within `server.stop_seconds`. Does nothing when nothing runs."""
        if self._guard is not None:
            assert self._guard.stdin is not None
            self._guard.stdin.close()  # the guard's sign to end the tree
            try:
                self._guard.wait(self.config.server.stop_seconds + 5)
            except subprocess.TimeoutExpired:
                log.warning(
                    "server of %s: its guard does not end, killing all of it", self.model.name
                )
                guard.end_tree(self._guard.pid, 0)
                self._guard.kill()
                self._guard.wait()
            self._guard = None
        self.endpoint = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def log_tail(self) -> str:
        return tail(self._log(), self._environment.inherited)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # ---- steps --------------------------------------------------------------------------------------

    def _connect(self) -> Server:
        import httpx

        server = self.config.server
        if not server.url:
            raise ConfigError(
                "server=external needs server.url",
                hint="for example server.url=http://host:8000/v1",
            )
        key = self._environment.api_key
        try:
            answer = httpx.get(
                f"{server.url.rstrip('/')}/models", headers=_headers(key), timeout=30
            ).raise_for_status()
            models = {entry["id"]: entry for entry in answer.json()["data"]}
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ServerError(
                f"{server.url} does not answer as an OpenAI-compatible server: {error}",
                hint="check server.url",
            ) from error
        served = [
            name
            for name in models
            if name in (self.model.path, self.model.name) or len(models) == 1
        ]
        if not served:
            what = f"{server.url} serves {', '.join(models) or 'no model'}, not {self.model.path}"
            raise ConfigError(what, hint="set model.path to one of them")
        entry = models[served[0]]
        self.endpoint = Endpoint(
            server.url.rstrip("/"),
            served[0],
            key,
            entry.get("max_model_len"),
            entry.get("owned_by") == "vllm",
        )
        return self

    def _launch(self) -> None:
        path = model_path(self.model)
        cpu = on_cpu(self._environment)
        port, key = free_port(), secrets.token_hex(16)
        job = self._environment.job or "local"
        self._scratch = Path(
            tempfile.mkdtemp(prefix=f"iwr-{job}-", dir=self._environment.temporary)
        )
        self.logs.mkdir(parents=True, exist_ok=True)
        self.log_file = (
            self.logs / f"server-{self.model.name}-{time.strftime('%Y%m%d-%H%M%S')}-{port}.log"
        )
        words = command(self.model, self.config, port=port, media=self.media, cpu=cpu)
        grace = max(self.config.server.stop_seconds - 5, 0)
        environment = server_environment(
            self.config.server,
            self._environment,
            scratch=self._scratch,
            key=key,
            cpu=cpu,
            local=Path(path).is_dir(),
        )
        if self.gpus is not None:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        with self.log_file.open("wb") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", guard.__file__, str(grace), *words],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self._scratch,
                start_new_session=True,
            )
        self.endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", self.model.name, key)

    def _wait_until_ready(self) -> None:
        import httpx

        process, endpoint = self._guard, self.endpoint
        assert process is not None and endpoint is not None
        started, shown = time.monotonic(), ""
        while True:
            if (code := process.poll()) is not None:
                raise self._failure(
                    f"the server of {self.model.name} ended with code {code} before it answered",
                    died=code == 137,
                )
            if time.monotonic() - started > self.config.server.start_seconds:
                raise self._failure(
                    f"the server of {self.model.name} did not answer within server.start_seconds={self.config.server.start_seconds:.0f}"
                )
            if (now := phase(self._log())) != shown:
                self.on_phase(shown := now)
            try:
                answer = httpx.get(
                    f"{endpoint.url}/models", headers=_headers(endpoint.key), timeout=5
                )
                if answer.status_code == 200:
                    log.info(
                        "server of %s answers after %.0f s",
                        self.model.name,
                        time.monotonic() - started,
                    )
                    self.endpoint = endpoint._replace(
                        context=answer.json()["data"][0]["max_model_len"], vllm=True
                    )
                    return
            except httpx.TransportError:  # not listening yet
                pass
            time.sleep(0.5)

    def _failure(self, what: str, *, died: bool = False) -> ServerError:
        text = self._log()
        cause = diagnose(text)
        hint = (
            cause.hint
            if cause
            else "the kernel may have killed it for memory"
            if died
            else f"the whole log: {self.log_file}"
        )
        because = f": {cause.what}" if cause else ""
        return ServerError(
            f"{what}{because}. End of {self.log_file}:\n{tail(text, self._environment.inherited)}",
            hint=hint,
        )

    def _log(self) -> str:
        return (
            self.log_file.read_text(errors="replace")
            if self.log_file and self.log_file.exists()
            else ""
        )


def _headers(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _port_taken(error: BaseException) -> bool:
    return isinstance(error, ServerError) and error.hint == PORT_TAKEN.hint


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
