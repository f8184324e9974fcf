"""The life of a model server: its command, failures before it starts, and a real vLLM."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import httpx
import psutil
import pytest
import recordings

from iwr.config import Environment, load_config
from iwr.errors import AuditError, ConfigError, RequestError, ServerError
from iwr.inference.client import ChatClient
from iwr.inference.engines.vllm import ServedModel
from iwr.inference.server import supervisor
from iwr.inference.server.command import command, model_path, server_environment
from iwr.inference.server.diagnosis import diagnose, phase, tail
from iwr.inference.server.process import Server

# ---- without a server ----------------------------------------------------------------------------


def settings(*overrides):
    config, (model,) = load_config([*overrides])
    return model, config


def flags(words: list[str]) -> dict[str, str]:
    return {
        word: following
        for word, following in zip(words, [*words[1:], ""], strict=True)
        if word.startswith("--")
    }


def test_the_command_on_gpu_and_cpu(tmp_path):
    model, config = settings(
        "model=qwen3_vl_235b_thinking", "server.in_flight=8", "+server.engine_args.swap-space=1"
    )
    found = flags(command(model, config, port=5, media=tmp_path, cpu=False))
    assert found["--model"] == "Qwen/Qwen3-VL-235B-A22B-Thinking"
    assert found["--served-model-name"] == "qwen3_vl_235b_thinking"
    assert found["--tensor-parallel-size"] == "8" and "--max-num-seqs" not in found
    assert "--reasoning-parser" not in found  # replies are read as they are written
    assert (found["--max-model-len"], found["--dtype"], found["--swap-space"]) == (
        "131072",
        "auto",
        "1",
    )
    assert found["--allowed-local-media-path"] == str(tmp_path) and "--enforce-eager" not in found
    assert (
        found["--media-io-kwargs"]
        == '{"video": {"video_backend": "opencv", "fps": 1.0, "num_frames": 64}}'
    )
    found = flags(command(model, config, port=5, media=None, cpu=True))
    assert (
        found["--dtype"] == "bfloat16"
        and found["--max-num-seqs"] == "8"
        and "--enforce-eager" in found
        and "--allowed-local-media-path" not in found
    )


def test_sampling_is_the_protocols_and_not_the_checkpoints():
    model, config = settings("model=hf", "model.path=a/b")
    words = flags(command(model, config, port=5, media=None, cpu=False))
    assert words["--generation-config"] == "vllm"


def test_the_largest_recording_is_encoded_in_one_piece():
    """vLLM refuses more tokens of media than it computes at once."""

    def batch(tokens: int, *overrides: str, cpu: bool = False) -> str | None:
        model, config = settings("model=hf", "model.path=a/b", *overrides)
        words = command(model, config, port=5, media=None, cpu=cpu, video_tokens=tokens)
        return flags(words).get("--max-num-batched-tokens")

    assert batch(0) is None and batch(2000) is None
    assert batch(4320) == "8192" and batch(4320, cpu=True) == "4320"
    assert batch(23_040) == "23040"
    assert batch(23_040, "+server.engine_args.max-num-batched-tokens=9000") == "9000"


def test_later_settings_win():
    model, config = settings(
        "model=hf",
        "model.path=a/b",
        "+model.engine_args.max-num-seqs=3",
        "+server.engine_args.enforce-eager=false",
    )
    words = command(model, config, port=5, media=None, cpu=True)
    assert flags(words)["--max-num-seqs"] == "3" and "--no-enforce-eager" in words


def test_a_server_has_caches_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    _, config = settings()
    made = [
        server_environment(
            config.server,
            Environment.read(),
            scratch=tmp_path / name,
            key="k",
            cpu=True,
            offline=True,
        )
        for name in ("a", "b")
    ]
    for key in ("TMPDIR", "VLLM_CACHE_ROOT", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
        assert made[0][key].startswith(str(tmp_path / "a")) and made[0][key] != made[1][key]
    assert "PYTHONDONTWRITEBYTECODE" not in made[0] and made[0]["PYTHONPYCACHEPREFIX"]
    assert made[0]["HF_HUB_OFFLINE"] == "1"


@pytest.mark.parametrize("path", ["/nowhere/model", "./model", "package:nothing", "plainname"])
def test_a_path_without_weights_is_named_at_once(path):
    model, _ = settings("model=hf", f"model.path={path}")
    with pytest.raises(ConfigError, match=r"no config\.json"):
        model_path(model)


def test_weights_of_another_architecture_are_named_at_once(tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ["GPT2LMHeadModel"]}')
    model, _ = settings("model=qwen3_vl_8b", f"model.path={tmp_path}")
    with pytest.raises(
        ConfigError,
        match="GPT2LMHeadModel, but model qwen3_vl_8b is a Qwen3VLForConditionalGeneration",
    ):
        model_path(model)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ConfigError, match="not a model's configuration"):
        model_path(model)


LOGS = {  # what vLLM 0.32 and its libraries print, and the setting that helps
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has": "gpus",
    "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB "
    "KV cache is needed, which is larger than the available KV cache memory (6.39 GiB).": "context",
    "ValueError: User-specified max_model_len (9999) is greater than the derived max_model_len "
    "(max_position": "set it lower",
    "ValueError: Free memory on device cuda:0 (10/79 GiB) on startup is less than desired GPU "
    "memory utilization": "gpu-memory-utilization",
    "ValueError: Available memory on node 0 (15/24 GiB) on kv cache allocation is less than "
    "requested memory for kv (4000.0 GiB). Decrease --kv-cache-memory-bytes": "KVCACHE_SPACE",
    "api_server.py: error: unrecognized arguments: --no-such-option": "engine_args",
    "ValueError: The checkpoint you are trying to load has model type `x` but Transformers does "
    "not recognize this architecture": "kind=",
    "huggingface_hub.errors.GatedRepoError: 401 Client Error.": "HF_TOKEN",
    "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find an appropriate": "iwr prefetch",
    "OSError: [Errno 98] Address already in use": "new port",
}


@pytest.mark.parametrize("log", LOGS)
def test_a_log_is_answered_with_the_setting(log):
    found = diagnose(f"INFO 11-22 starting\n{log}\nTraceback follows")
    assert found and LOGS[log] in found.hint


def test_the_end_of_a_log_shows_no_secret():
    assert diagnose("INFO all is well") is None
    text = "\n".join(f"line {i} with hf_secret_value" for i in range(50))
    shown = tail(text, {"HF_TOKEN": "hf_secret_value", "HOME": "/root"})
    assert "hf_secret" not in shown and "<HF_TOKEN>" in shown and len(shown.splitlines()) == 12


def test_the_root_cause_is_shown_although_it_is_far_above():
    cause = "(EngineCore pid=7) ERROR 11-22 [core.py:9] ValueError: head size 16 is not supported"
    log = "\n".join(
        [
            cause,
            *["frame of a traceback"] * 50,
            "RuntimeError: Engine core initialization failed. See root cause above.",
        ]
    )
    assert cause in tail(log, {}) and "See root cause above" in tail(log, {})


def test_phases_of_a_start():
    log = (
        "INFO Initializing a V1 LLM engine (v0.32.0)\n"
        "Loading safetensors checkpoint shards:  25% Completed\n"
    )
    assert (phase(""), phase(log)) == ("importing", "loading weights 25 %")
    assert (
        phase(log + "init engine (profile, create kv cache, warmup model) took 3.1 s")
        == "engine ready"
    )


def test_no_vllm_behind_an_external_address(tmp_path):
    model, config = settings(
        "model=hf", "model.path=a/b", "server=external", "server.url=http://127.0.0.1:9/v1"
    )
    with pytest.raises(ServerError, match="does not answer"):
        Server(model, config, media=None, logs=tmp_path).start()


# ---- a real vLLM ---------------------------------------------------------------------------------


def ask(server, task, *overrides, context=None):
    """One answer; `context`: what the server is taken to hold."""
    model, config = settings(
        "model=hf", f"model.path={server.model.path}", "model.max_tokens=8", *overrides
    )

    async def once():
        endpoint = server.endpoint._replace(context=context or server.endpoint.context)
        async with ChatClient([endpoint], seconds=300) as client:
            return await ServedModel(model, config).ask(task, client)

    return asyncio.run(once())


@pytest.mark.vllm
@pytest.mark.parametrize(
    ("seconds", "rate", "planned"),
    [(0.4, 25, 2), (3, 10, 3), (3.04, 25, 3), (10.02, 59.94, 10), (90, 10, 64)],
)
def test_the_planned_frames_arrive(model_server, tmp_path, seconds, rate, planned):
    frames = ask(model_server, recordings.task(tmp_path, "t", seconds, rate)).frames
    assert (frames.planned, frames.delivered) == (planned, planned)
    assert frames.planned_tokens == frames.delivered_tokens > 0


@pytest.mark.vllm
def test_an_engine_that_samples_otherwise_is_caught(model_server, tmp_path):
    # the running server samples once a second; the protocol of this request asks for twice,
    # and the request does not say so
    with pytest.raises(AuditError, match="instead of"):
        ask(
            model_server,
            recordings.task(tmp_path, "t", 8),
            "protocol.fps=2",
            "+model.video_io.fps=1",
        )


@pytest.mark.vllm
def test_too_long_for_the_context_is_told_before_the_call(model_server, tmp_path):
    task = recordings.task(tmp_path, "t", 30)
    with pytest.raises(RequestError, match="do not fit into a context of 760"):
        ask(model_server, task, context=760)
    reply = ask(model_server, task, "model.over_context=degrade", context=760)
    assert 8 <= reply.frames.delivered < reply.frames.planned == 30 and "of 30 frames" in reply.note


@pytest.mark.vllm
def test_nobody_else_may_ask(model_server):
    assert httpx.get(f"{model_server.endpoint.url}/models").status_code == 401


@pytest.mark.vllm
def test_structured_answers(model_server):
    schema = {
        "type": "object",
        "properties": {"verdict": {"enum": ["yes", "no"]}},
        "required": ["verdict"],
        "additionalProperties": False,
    }
    form = {
        "type": "json_schema",
        "json_schema": {"name": "verdict", "schema": schema, "strict": True},
    }

    async def once():
        async with ChatClient([model_server.endpoint], seconds=300) as client:
            question = [{"role": "user", "content": "Is it so?"}]
            return await client.chat(
                question,
                max_tokens=32,
                temperature=0,
                response_format=form,
                logprobs=True,
                top_logprobs=2,
            )

    answer = asyncio.run(once())
    assert (
        answer.text
        in ('{"verdict":"yes"}', '{"verdict":"no"}', '{"verdict": "yes"}', '{"verdict": "no"}')
        and answer.logprobs
    )


@pytest.mark.vllm
def test_an_external_server_gets_the_files_themselves(model_server, tmp_path, monkeypatch):
    monkeypatch.setenv("IWR_API_KEY", model_server.endpoint.key)
    external = ["server=external", f"server.url={model_server.endpoint.url}"]
    model, config = settings("model=hf", f"model.path={model_server.model.path}", *external)
    with Server(model, config, media=None, logs=tmp_path) as server:
        assert server.endpoint == model_server.endpoint
    task = recordings.task(tmp_path, "t", 3)
    frames = ask(model_server, task, *external).frames
    assert frames.delivered == frames.planned == 3
    assert model_server.alive()  # leaving an external server does not end it


# ---- starts that fail, and exits -----------------------------------------------------------------


@pytest.mark.vllm
def test_a_start_that_takes_too_long_leaves_nothing(tiny_model, tmp_path):
    model, config = settings("model=hf", f"model.path={tiny_model}", "server.start_seconds=2")
    before = family(os.getpid())  # the server that all tests share is among them
    server = Server(model, config, media=None, logs=tmp_path)
    with pytest.raises(ServerError, match=r"server\.start_seconds=2"):
        server.start()
    assert not server.alive()
    assert family(os.getpid()) - before == set()


@pytest.mark.vllm
@pytest.mark.parametrize(
    ("override", "words", "hint"),
    [
        ("model.context=999999", r"above the model's own(.|\n)*End of .*server-hf-.*log", "null"),
        pytest.param(
            "+server.environment.VLLM_CPU_KVCACHE_SPACE='4000'",
            r"out of memory on the host(.|\n)*End of ",
            "VLLM_CPU_KVCACHE_SPACE",
            marks=pytest.mark.full,
        ),
    ],
    ids=["context", "memory"],
)
def test_a_start_that_fails_says_why_and_what_to_change(
    override, words, hint, tiny_model, tmp_path
):
    model, config = settings("model=hf", f"model.path={tiny_model}", override)
    with pytest.raises(ServerError, match=rf"ended with code 1 .*{words}") as caught:
        Server(model, config, media=None, logs=tmp_path).start()
    assert hint in caught.value.hint


@pytest.mark.vllm
@pytest.mark.full
def test_a_taken_port_is_tried_again_elsewhere(tiny_model, tmp_path):
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        fixed = (
            f"+server.engine_args.port={occupant.getsockname()[1]}"  # so that every try meets it
        )
        model, config = settings("model=hf", f"model.path={tiny_model}", fixed)
        with pytest.raises(ServerError, match="port was taken"):
            Server(model, config, media=None, logs=tmp_path).start()
    assert len(list(tmp_path.glob("server-*.log"))) == 3


OWNER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from iwr.config import load_config
    from iwr.inference.server.process import Server
    path, logs, way = sys.argv[1:]
    config, (model,) = load_config(["model=hf", f"model.path={path}", "model.context=2048"])
    with Server(model, config, media=None, logs=Path(logs)) as server:
        print("ready", flush=True)
        if way == "end":
            sys.exit()
        if way == "exception":
            raise RuntimeError("planned")
        time.sleep(600)
""")
WAYS = {
    "end": None,
    "exception": None,
    "interrupt": signal.SIGINT,
    "terminate": signal.SIGTERM,
    "kill": signal.SIGKILL,
}


@pytest.mark.vllm
@pytest.mark.full  # test_end_to_end.py kills a run with a server in the default suite
@pytest.mark.parametrize("way", WAYS)
def test_no_process_of_vllm_survives(way, tiny_model, tmp_path):
    (tmp_path / "owner.py").write_text(OWNER)
    words = [sys.executable, tmp_path / "owner.py", tiny_model, tmp_path, way]
    owner = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert owner.stdout is not None and owner.stdout.readline() == "ready\n"
    tree = family(owner.pid)
    assert len(tree) >= 3  # supervisor, server, engine
    ended = time.monotonic()
    if WAYS[way]:
        owner.send_signal(WAYS[way])
    owner.wait(30)
    while (left := living(tree)) and time.monotonic() - ended < 20:
        time.sleep(0.2)
    assert left == set()


def family(pid: int) -> set[psutil.Process]:
    return supervisor.descendants(pid)


def living(processes: set[psutil.Process]) -> set[psutil.Process]:
    return {process for process in processes if supervisor.is_alive(process)}
