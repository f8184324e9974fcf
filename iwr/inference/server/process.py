"""The life of one vLLM server: start, readiness, end of the whole process tree.

    with Server(model, config, media=task_folder, logs=run.logs) as server:
        client = ChatClient([server.endpoint], …)

Models and the judge use it. `server.kind=external` starts nothing and only points at an endpoint.
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
from typing import BinaryIO

from iwr.config import Config, Environment, ModelConfig
from iwr.errors import ServerError
from iwr.inference import weights
from iwr.inference.server import supervisor
from iwr.inference.server.caches import CompileCache, claim
from iwr.inference.server.command import (
    command,
    gpu_kinds,
    model_path,
    on_cpu,
    server_environment,
    vllm_version,
)
from iwr.inference.server.diagnosis import PORT_TAKEN, diagnose, phase, tail
from iwr.inference.server.endpoint import Endpoint, external

log = logging.getLogger(__name__)

PORT_ATTEMPTS = 3
POLL_SECONDS = 0.5
SUPERVISOR_SECONDS = 5.0  # that the supervisor gets to end itself, besides its server
CACHES = Path.home() / ".cache" / "iwr" / "compiled"
KILLED = 137  # exit code after SIGKILL


class Server:
    """One model server, ended with its whole tree when the `with` block or this process ends.

    `media`: folder below which `file://` addresses may be read; `gpus`: only these;
    `video_tokens`: of the largest recording that is to come, 0 where that is not known. Raise
    ConfigError for settings that cannot work, before anything slow starts; ServerError, with the
    end of the server's log, when the server does not come up.
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
        on_phase: Callable[[str], None] | None = None,
    ):
        self.model = model
        self.config = config
        self.media = media
        self.logs = logs
        self.gpus = gpus
        self.video_tokens = video_tokens
        self.on_phase = on_phase or self._log_phase
        self.endpoint: Endpoint | None = None
        self.engine = "external"
        self.log_file: Path | None = None
        self._environment = Environment.read()
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._scratch: Path | None = None
        self._cache: CompileCache | None = None

    # ---- life ---------------------------------------------------------------------------------

    def start(self) -> Server:
        """Start the server and wait until it answers; an external one is only asked."""
        if self.config.server.kind == "external":
            key = self._environment.api_key
            self.endpoint = external(self.model, self.config.server, key)
            return self
        self.engine = vllm_version()
        for _ in range(PORT_ATTEMPTS - 1):
            try:
                return self._start_once()
            except ServerError as error:
                if error.hint != PORT_TAKEN.hint:
                    raise
                log.warning("server of %s: port taken meanwhile, trying another", self.model.name)
        return self._start_once()

    def alive(self) -> bool:
        """Return whether the server's process lives (always, for an external one)."""
        if self.endpoint is None:
            return False
        return self._supervisor is None or self._supervisor.poll() is None

    def healthy(self, seconds: float = 15.0) -> bool:
        """Return whether the server still answers.

        A dying vLLM lives on for some seconds: wait up to `seconds` until it is clear.
        """
        import httpx

        deadline = time.monotonic() + seconds
        while self.alive() and self.endpoint is not None:
            try:
                response = httpx.get(
                    self._health_url(self.endpoint), headers=self.endpoint.headers, timeout=seconds
                )
                return response.status_code == 200
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(POLL_SECONDS)
        return False

    def _health_url(self, endpoint: Endpoint) -> str:
        """Return the address that answers while the server is well."""
        if self._supervisor is None:
            return f"{endpoint.url}/models"
        return f"{endpoint.url.removesuffix('/v1')}/health"

    def stop(self) -> None:
        """End the whole process tree within `server.stop_seconds`.

        Do nothing when nothing runs.
        """
        if self._supervisor is not None:
            self._end(self._supervisor)
            self._supervisor = None
        self.endpoint = None
        if self._cache is not None:
            self._cache.release()
            self._cache = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End the server with all its processes, by force where it must be."""
        assert process.stdin is not None
        process.stdin.close()  # on this the supervisor ends the tree
        try:
            process.wait(self.config.server.stop_seconds + SUPERVISOR_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning(
                "server of %s: its supervisor does not end, killing all of it", self.model.name
            )
            supervisor.end_tree(process.pid, 0)
            process.kill()
            process.wait()

    def log_tail(self) -> str:
        """Return the end of the server's log, without secrets."""
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

    # ---- steps of a start ---------------------------------------------------------------------

    def _start_once(self) -> Server:
        """Start the server and wait until it answers. Raise what the start raises."""
        try:
            port = free_port()
            self._launch(port)
            self._wait_until_ready()
            if self._cache is not None:
                self._cache.trust()
        except BaseException:
            self.stop()
            raise
        return self

    def _launch(self, port: int) -> None:
        """Start the supervisor, which starts the server."""
        cpu = on_cpu(self._environment)
        key = secrets.token_hex(16)
        job = self._environment.job or "local"
        scratch = tempfile.mkdtemp(prefix=f"iwr-{job}-", dir=self._environment.temporary)
        self._scratch = Path(scratch)
        if not cpu:  # which compiles nothing
            self._cache = self._claim_cache()
        words = command(
            self.model,
            self.config,
            port=port,
            media=self.media,
            cpu=cpu,
            video_tokens=self.video_tokens,
        )
        environment = server_environment(
            self.config.server,
            self._environment,
            scratch=self._scratch,
            key=key,
            cpu=cpu,
            offline=weights.on_disk(self.model),
            compiled=self._cache.folder if self._cache else None,
        )
        if self.gpus is not None:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        grace = max(self.config.server.stop_seconds - SUPERVISOR_SECONDS, 0)
        self.logs.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        self.log_file = self.logs / f"server-{self.model.name}-{stamp}-{port}.log"
        with self.log_file.open("wb") as output:
            self._supervisor = _spawn(
                [sys.executable, "-P", supervisor.__file__, str(grace), *words],
                output=output,
                env=environment,
                cwd=self._scratch,
            )
        self.endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", self.model.name, key)

    def _claim_cache(self) -> CompileCache | None:
        """Claim the compile cache of this model on these GPUs; None where it is taken."""
        path = model_path(self.model)
        revision = self.model.revision or ""
        return claim(CACHES, vllm_version(), gpu_kinds(), path, revision, str(self.model.gpus))

    def _wait_until_ready(self) -> None:
        """Return when the server answers. Raise ServerError when it ends or takes too long."""
        start = time.monotonic()
        reported = ""
        while True:
            seconds = time.monotonic() - start
            self._check_start(seconds)
            current = phase(self._log())
            if current != reported:
                self.on_phase(current)
                reported = current
            endpoint = self._ready_endpoint()
            if endpoint is not None:
                log.info("server of %s answers after %.0f s", self.model.name, seconds)
                self.endpoint = endpoint
                return
            time.sleep(POLL_SECONDS)

    def _check_start(self, seconds: float) -> None:
        """Raise ServerError when the server ended, or does not answer after `seconds`."""
        assert self._supervisor is not None
        name = self.model.name
        code = self._supervisor.poll()
        if code is not None:
            problem = f"the server of {name} ended with code {code} before it answered"
            raise self._failure(problem, code)
        limit = self.config.server.start_seconds
        if seconds > limit:
            problem = f"the server of {name} did not answer within server.start_seconds={limit:.0f}"
            raise self._failure(problem)

    def _ready_endpoint(self) -> Endpoint | None:
        """Return the endpoint of a server that answers, with the context that it tells."""
        import httpx

        endpoint = self.endpoint
        assert endpoint is not None
        try:
            response = httpx.get(f"{endpoint.url}/models", headers=endpoint.headers, timeout=5)
        except httpx.TransportError:  # not listening yet
            return None
        if response.status_code != 200:
            return None
        context = response.json()["data"][0]["max_model_len"]
        return endpoint._replace(context=context, vllm=True)

    def _failure(self, problem: str, code: int | None = None) -> ServerError:
        """Return an error that names the cause, the setting that helps and the end of the log."""
        diagnosis = diagnose(self._log())
        if diagnosis is not None:
            problem = f"{problem}: {diagnosis.what}"
            hint = diagnosis.hint
        elif code == KILLED:
            hint = "the kernel may have killed it for memory"
        else:
            hint = f"the whole log: {self.log_file}"
        return ServerError(f"{problem}. End of {self.log_file}:\n{self.log_tail()}", hint=hint)

    def _log(self) -> str:
        """Return the server's log so far."""
        if self.log_file is None or not self.log_file.exists():
            return ""
        return self.log_file.read_text(errors="replace")

    def _log_phase(self, words: str) -> None:
        """Tell how far the start of the server is."""
        log.info("server of %s: %s", self.model.name, words)


def _spawn(
    words: Sequence[str],
    *,
    output: BinaryIO,
    env: dict[str, str],
    cwd: Path,
) -> subprocess.Popen[bytes]:
    """Start a process with a pipe to its standard input; `output` gets all that it prints."""
    return subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
    )


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
