"""The stage with a real server that dies, and with the transformers engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import textwrap
import threading
import time

import psutil
import pytest
import recordings

from iwr import progress
from iwr.config import load_config
from iwr.errors import ServerError, StaleRunError
from iwr.inference.engines.tiles import tiled
from iwr.inference.generate import generate, pending_tasks
from iwr.inference.server import supervisor
from iwr.records import Generation, Session
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths
from iwr.tasks.load import load, samples_root


def records(tasks, model, paths):
    return {
        task.id: read_record(paths.task(model.name, task.id).generation, Generation)
        for task in tasks
    }


def answers(paths) -> list[int]:
    """How many questions each server answered, in the order of their starts."""
    logs = sorted(paths.logs.glob("server-*.log"))
    return [log.read_text().count('POST /v1/chat/completions HTTP/1.1" 200') for log in logs]


def is_server(process: psutil.Process) -> bool:
    line = " ".join(process.cmdline())
    return "api_server" in line and "supervisor.py" not in line


def is_renderer(process: psutil.Process) -> bool:
    """Whether it is of the browser that all tests share, whose processes come and go."""
    try:
        return process.name().startswith("chrom")
    except psutil.NoSuchProcess:
        return True


def kill_servers_after(paths, model, answers: list[int]) -> threading.Thread:
    """Kill the first server (-9) when answers[0] tasks are answered and it works on the next one.

    The second is killed at answers[1], and so on.
    """

    def serving(number: int) -> bool:
        logs = sorted(paths.logs.glob("server-*.log"))
        return (
            len(logs) > number and "GET /v1/models HTTP" in logs[number].read_text()
        )  # iwr has found it ready

    others = supervisor.descendants(
        os.getpid()
    )  # the server that all tests share may be among them

    def watch() -> None:
        for number, wanted in enumerate(answers):
            while not serving(number):
                time.sleep(0.05)
            started = supervisor.descendants(os.getpid()) - others
            servers = [process.pid for process in started if is_server(process)]
            while len(list(paths.folder.glob(f"{model.name}/*/generation.json"))) < wanted:
                time.sleep(0.05)
            # the next question has come by then, and its answer takes several seconds;
            # a process of its own, as this one may be busy
            subprocess.run(
                ["sh", "-c", f"sleep 1; kill -9 {' '.join(map(str, servers))}"], check=True
            )

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.mark.vllm
@pytest.mark.parametrize("deaths", [[1], pytest.param([1, 3], marks=pytest.mark.full)])
def test_a_server_that_dies_is_started_again_and_nothing_is_asked_twice(
    deaths, tiny_model, tmp_path, caplog
):
    names = "abcde"[: max(deaths) + 2]
    tasks = [recordings.task(tmp_path, name, 2) for name in names]
    slow = [
        "model.max_tokens=3000",
        "server.in_flight=1",
    ]  # so that a death meets an answer on its way
    config, (model,) = load_config(
        ["model=hf", f"model.path={tiny_model}", "model.context=4096", *slow]
    )
    paths = RunPaths.of(tmp_path, "run")
    others = supervisor.descendants(os.getpid())
    watcher = kill_servers_after(paths, model, deaths)
    generate(tasks, model, config, paths, progress.silent)
    watcher.join(5)
    found = records(tasks, model, paths)
    assert all(
        record and record.status in ("ok", "missing") and record.frames.delivered == 2
        for record in found.values()
    )
    assert (
        f"restart {len(deaths)} of 3" in caplog.text
        and pending_tasks(tasks, model, config, paths) == []
    )
    (session,) = [read_record(path, Session) for path in paths.sessions(model.name)]
    assert (
        (session.answered, session.gpus) == (len(tasks), 0)
        and session.completion_tokens > 0
        and session.seconds > 0
    )
    answered = answers(paths)
    assert sum(answered) == len(tasks) and len(answered) == len(deaths) + 1
    left = supervisor.descendants(os.getpid()) - others
    assert [process for process in left if not is_renderer(process)] == []


@pytest.mark.vllm
@pytest.mark.full
def test_the_samples_are_answered_although_the_server_is_killed_twice(tmp_path, caplog):
    tasks = load(samples_root()).tasks
    config, (model,) = load_config(["model=demo", "server.in_flight=1"])
    paths = RunPaths.of(tmp_path, "run")
    watcher = kill_servers_after(paths, model, [2, 5])
    generate(tasks, model, config, paths, progress.silent)
    watcher.join(5)
    found = records(tasks, model, paths)
    assert all(
        record.status == "ok" and record.frames.delivered == record.frames.planned
        for record in found.values()
    )
    assert "restart 2 of 3" in caplog.text and pending_tasks(tasks, model, config, paths) == []
    answered = answers(paths)
    assert sum(answered) == len(tasks) and len(answered) == 3
    (session,) = [read_record(path, Session) for path in paths.sessions(model.name)]
    assert (session.answered, session.completion_tokens) == (
        len(tasks),
        sum(record.usage.completion_tokens for record in found.values()),
    )


DIES_OF = """
import os, sys

def look(event, arguments):
    if event == "open" and str(arguments[0]) == {video!r}:
        os.kill(os.getpid(), 9)

sys.addaudithook(look)
"""


@pytest.mark.vllm
@pytest.mark.full
@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_task_that_kills_the_server_again_and_again_costs_only_itself(
    in_flight, tiny_model, tmp_path
):
    tasks = [recordings.task(tmp_path, name, 2) for name in "abcde"]
    poison = tmp_path / "poison" / "sitecustomize.py"
    poison.parent.mkdir()
    poison.write_text(DIES_OF.format(video=str(tasks[2].video.resolve())))
    options = ["model.context=4096", "model.max_tokens=50", f"server.in_flight={in_flight}"]
    options.append(
        f"server.environment.PYTHONPATH={poison.parent}"
    )  # Python imports it when a server starts
    config, (model,) = load_config(["model=hf", f"model.path={tiny_model}", *options])
    paths = RunPaths.of(tmp_path, "run")
    generate(tasks, model, config, paths, progress.silent)
    statuses = {name: record.status for name, record in records(tasks, model, paths).items()}
    assert statuses.pop("c") == "failed" and set(statuses.values()) <= {"ok", "missing"}
    assert pending_tasks(tasks, model, config, paths) == [tasks[2]]
    deaths = len(list(paths.logs.glob("server-*.log")))
    assert deaths == 3 or (
        in_flight > 1 and deaths == 4
    )  # with others beside it, one more start for those that come after it


@pytest.mark.vllm
@pytest.mark.full
def test_replicas_share_the_work(tiny_model, tmp_path):
    tasks = [recordings.task(tmp_path, name, 2) for name in "abcdef"]
    two = ["model.context=4096", "model.max_tokens=50", "server.replicas=2"]
    config, (model,) = load_config(["model=hf", f"model.path={tiny_model}", *two])
    paths = RunPaths.of(tmp_path, "run")
    generate(tasks, model, config, paths, progress.silent)
    assert all(record.frames.delivered == 2 for record in records(tasks, model, paths).values())
    answered = answers(paths)
    assert len(answered) == 2 and sum(answered) == 6 and min(answered) >= 2


# ---- transformers --------------------------------------------------------------------------------


def local(tiny_model, *overrides):
    small = ["model.max_tokens=8", "model.dtype=float32"]
    return load_config(
        ["model=hf", "model.kind=transformers", f"model.path={tiny_model}", *small, *overrides]
    )


def test_the_transformers_engine_makes_the_same_records(tiny_model, tmp_path):
    tasks = [recordings.task(tmp_path, "a", 3), recordings.task(tmp_path, "b", 2)]
    tasks[1].video.write_bytes(b"broken")
    config, (model,) = local(tiny_model)
    paths = RunPaths.of(tmp_path, "run")
    generate(tasks, model, config, paths, progress.silent)
    found = records(tasks, model, paths)
    assert found["b"].status == "failed" and "task b" in found["b"].reason
    good = found["a"]
    assert (
        good.status in ("ok", "missing")
        and good.engine.startswith("transformers ")
        and good.seconds > 0
    )
    assert (good.frames.planned, good.frames.delivered) == (
        3,
        3,
    ) and good.frames.delivered_tokens == good.frames.planned_tokens > 0
    assert (
        good.usage.prompt_tokens > good.frames.planned_tokens
        and 0 < good.usage.completion_tokens <= 8
    )
    assert pending_tasks(tasks, model, config, paths) == tasks[1:]
    config, (model,) = local(tiny_model, "protocol.fps=2")
    with pytest.raises(StaleRunError, match=r"sampling\.fps: 1\.0 -> 2\.0"):
        generate(tasks, model, config, paths, progress.silent)


def test_frames_go_as_images_to_models_that_take_no_video(tiny_model, tmp_path):
    task = recordings.task(tmp_path, "a", 3)
    config, (model,) = local(tiny_model, "model.video=frames")
    paths = RunPaths.of(tmp_path, "run")
    generate([task], model, config, paths, progress.silent)
    frames = records([task], model, paths)["a"].frames
    assert (frames.mode, frames.planned, frames.delivered) == ("frames", 3, 3)


CHAT_MODEL = textwrap.dedent('''
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

    class TalkerConfig(PretrainedConfig):
        model_type = "talker"

    class Talker(PreTrainedModel):
        """Answers with what it was given, through the interface of InternVL 2.5's own code."""
        config_class = TalkerConfig

        def __init__(self, config):
            super().__init__(config)
            self.weight = torch.nn.Parameter(torch.zeros(1))  # no post_init, as in releases

        def chat(self, tokenizer, pixel_values, question, generation_config, history=None,
                 return_history=False, num_patches_list=None, IMG_START_TOKEN="<img>",
                 IMG_END_TOKEN="</img>", IMG_CONTEXT_TOKEN="<IMG_CONTEXT>", verbose=False):
            assert question.count("<image>") == len(num_patches_list)
            assert sum(num_patches_list) == pixel_values.shape[0]
            limit = generation_config["max_new_tokens"]
            return f"```html\\n<p>{tuple(pixel_values.shape)} {limit}</p>\\n```"
''')


def test_a_model_with_its_own_chat(tiny_model, tmp_path):
    folder = tmp_path / "talker"
    folder.mkdir()
    (folder / "talker.py").write_text(CHAT_MODEL)
    classes = {"AutoConfig": "talker.TalkerConfig", "AutoModel": "talker.Talker"}
    (folder / "config.json").write_text(
        json.dumps({"model_type": "talker", "architectures": ["Talker"], "auto_map": classes})
    )
    import torch
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(1)}, folder / "model.safetensors", {"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_model / name, folder / name)
    task = recordings.task(tmp_path, "a", 3)
    config, (model,) = local(folder, "model.interface=chat", "model.trust_remote_code=true")
    paths = RunPaths.of(tmp_path, "run")
    generate([task], model, config, paths, progress.silent)
    record = records([task], model, paths)["a"]
    assert (record.status, record.extraction) == ("ok", "fence")
    assert (
        paths.task(model.name, "a").page.read_text() == "<p>(6, 3, 448, 448) 8</p>\n"
    )  # two tiles of an overview image and the whole, three frames


def test_an_overview_image_is_cut_into_tiles_that_can_be_read():
    from PIL import Image

    wide = tiled(Image.new("RGB", (2000, 1000)))
    assert len(wide) == 2 * 4 + 1 and wide[0].size == (448, 448) and wide[-1].size == (2000, 1000)
    assert [len(tiled(Image.new("RGB", size))) for size in ((2000, 2000), (300, 300))] == [10, 1]


def test_weights_that_do_not_load_are_a_server_error(tiny_model, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "no-such-model", "architectures": ["X"]}')
    config, (model,) = local(folder)
    with pytest.raises(ServerError, match="cannot be loaded by transformers"):
        generate(
            [recordings.task(tmp_path, "a", 1)],
            model,
            config,
            RunPaths.of(tmp_path, "run"),
            progress.silent,
        )
