"""`server=external`: a server on the user's own hardware, with weights that are not here."""

from __future__ import annotations

import base64

import pytest
import recordings
from test_client import ANSWER, Wire

from iwr import progress
from iwr.config import load_config
from iwr.errors import ConfigError
from iwr.inference.generate import generate, pending_tasks
from iwr.records import Generation
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths

PAGE = "<!doctype html><html><p>Hello</p></html>"


def reply(text: str) -> tuple[int, object]:
    return 200, ANSWER | {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}


def run(tasks, wire, tmp_path, *overrides):
    server = ["server=external", f"server.url={wire.endpoint.url}", "server.in_flight=1"]
    config, (model,) = load_config(
        ["model=hf", "model.path=/weights/elsewhere", *server, *overrides]
    )
    paths = RunPaths.of(tmp_path, "run")
    generate(tasks, model, config, paths, progress.silent)
    assert pending_tasks(tasks, model, config, paths) == []
    return [read_record(paths.task("hf", task.id).generation, Generation) for task in tasks]


def test_answers_become_pages_and_the_audit_says_that_it_does_not_know(tmp_path):
    tasks = [recordings.task(tmp_path, "a", 2), recordings.task(tmp_path, "b", 2)]
    wire = Wire(reply(f"```html\n{PAGE}\n```"), reply("no"), models=["/weights/elsewhere"])
    first, second = run(tasks, wire, tmp_path)
    assert (first.status, first.extraction, first.frames.planned, first.frames.delivered) == (
        "ok",
        "fence",
        2,
        None,
    )
    assert (second.status, second.page_sha256) == ("missing", None) and "no HTML" in second.reason
    assert (tmp_path / "run" / "hf" / "a" / "index.html").read_text() == PAGE + "\n"
    assert (tmp_path / "run" / "hf" / "b" / "reply.txt").read_text() == "no"
    parts = wire.asked[0]["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["image_url", "video_url", "text"]
    sent = base64.b64decode(parts[1]["video_url"]["url"].removeprefix("data:video/mp4;base64,"))
    assert sent == tasks[0].video.read_bytes()
    assert wire.asked[0].keys() == {
        "model",
        "messages",
        "max_tokens",
        "temperature",
    }  # nothing that only vLLM knows
    assert wire.asked[0]["model"] == "/weights/elsewhere"


def test_thinking_and_truncation_are_recorded(tmp_path):
    cut = ANSWER | {
        "choices": [
            {"message": {"content": "<html><p>He", "reasoning": "hm"}, "finish_reason": "length"}
        ]
    }
    (record,) = run([recordings.task(tmp_path, "a", 2)], Wire((200, cut), models=["x"]), tmp_path)
    assert (record.status, record.truncated, record.finish_reason) == ("ok", True, "length")
    assert (
        tmp_path / "run" / "hf" / "a" / "reply.txt"
    ).read_text() == "<think>hm</think><html><p>He"


def test_one_refused_task_does_not_stop_the_others(tmp_path):
    tasks = [recordings.task(tmp_path, "a", 2), recordings.task(tmp_path, "b", 2)]
    refusal = 400, {"error": {"message": "Could not open video stream"}}
    with pytest.raises(AssertionError):  # one is still pending
        run(tasks, Wire(refusal, reply(PAGE), models=["x"]), tmp_path)
    records = [
        read_record(tmp_path / "run" / "hf" / name / "generation.json", Generation) for name in "ab"
    ]
    assert [record.status for record in records] == [
        "failed",
        "ok",
    ] and "Could not open video stream" in records[0].reason
    run(tasks, second := Wire(reply(PAGE), models=["x"]), tmp_path)
    assert len(second.asked) == 1  # the answered one is not asked again


def test_a_server_of_other_models_lists_them(tmp_path):
    with pytest.raises(ConfigError, match=r"serves one, two, not /weights/elsewhere"):
        run([recordings.task(tmp_path, "a", 2)], Wire(models=["one", "two"]), tmp_path)
