"""`server=external`: a server on the user's own hardware, with weights that are not here."""

from __future__ import annotations

import base64

import pytest
import recordings
from test_client import ANSWER, Wire

from iwr import progress
from iwr.config import load_config
from iwr.errors import ConfigError, StaleRunError
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


def parsed(reasoning: str, reason: str) -> tuple[int, object]:
    """Return an answer of a server whose reasoning parser saw no closing mark."""
    message = {"content": None, "reasoning": reasoning}
    return 200, ANSWER | {"choices": [{"message": message, "finish_reason": reason}]}


def test_an_answer_that_a_parser_took_for_a_thought_has_its_page(tmp_path):
    tasks = [recordings.task(tmp_path, "a", 2), recordings.task(tmp_path, "b", 2)]
    wire = Wire(parsed(PAGE, "stop"), parsed(PAGE, "length"), models=["x"])
    finished, cut = run(tasks, wire, tmp_path)
    assert (finished.status, finished.extraction) == ("ok", "bare")
    assert cut.status == "missing" and "still thinking" in cut.reason


def test_a_model_that_thinks_has_no_page_before_the_end_of_its_thoughts(tmp_path):
    tasks = [recordings.task(tmp_path, "a", 2), recordings.task(tmp_path, "b", 2)]
    cut = ANSWER | {"choices": [{"message": {"content": PAGE}, "finish_reason": "length"}]}
    wire = Wire((200, cut), reply(PAGE), models=["x"])
    marks = 'model.thinking=["<think>","</think>"]'
    draft, page = run(tasks, wire, tmp_path, marks)
    assert draft.status == "missing" and "still thinking" in draft.reason
    assert page.status == "ok"


def test_the_sampling_is_sent_and_recorded(tmp_path):
    advice = [
        "model.sampling.temperature=0.6",
        "model.sampling.top_p=0.95",
        "model.sampling.seed=7",
    ]
    tasks = [recordings.task(tmp_path, "a", 2)]
    wire = Wire(reply(PAGE), models=["x"])
    (record,) = run(tasks, wire, tmp_path, *advice, "protocol.sampling=recommended")
    assert record.sampling == {"temperature": 0.6, "top_p": 0.95, "seed": 7}
    assert record.sampling.items() <= wire.asked[0].items()
    assert record.fingerprint["sampling.top_p"] == "0.95"
    with pytest.raises(StaleRunError, match=r"sampling\.top_p: 0\.95 -> "):
        run(tasks, wire, tmp_path, *advice)


def test_an_unknown_way_of_sampling_lists_the_choices(tmp_path):
    with pytest.raises(ConfigError, match="greedy or recommended"):
        run([recordings.task(tmp_path, "a", 2)], Wire(), tmp_path, "protocol.sampling=warm")


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
