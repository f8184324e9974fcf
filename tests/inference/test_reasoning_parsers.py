"""Replies that vLLM's own reasoning parsers split up, put together again."""

from __future__ import annotations

import pytest
import recordings
import tiny_models
from test_client import ANSWER, Wire
from test_external import PAGE, run

PARSERS = ("qwen3", "glm45", "kimi_k2", "mimo")
FENCE = f"```html\n{PAGE}\n```"
DRAFT = FENCE.replace("Hello", "Draft")
FINISHED = {
    "no marks": FENCE,
    "a thought": f"<think>plan {DRAFT}</think>\n{FENCE}",
    "a thought that the prompt opened": f"plan {DRAFT}</think>\n{FENCE}",
    "an empty thought": f"<think>\n\n</think>\n{FENCE}",
}


def split(name: str, reply: str) -> dict[str, str | None]:
    """Return the message that a vLLM server with this parser answers with."""
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
    from vllm.reasoning import ReasoningParserManager

    parser = ReasoningParserManager.get_reasoning_parser(name)
    words = tiny_models.tokenizer(tiny_models.QWEN)
    request = ChatCompletionRequest(messages=[{"role": "user", "content": "x"}], model="m")
    reasoning, content = parser(words).extract_reasoning(reply, request)
    return {"reasoning": reasoning, "content": content}


def answer(name: str, reply: str, reason: str) -> tuple[int, object]:
    choice = {"message": split(name, reply), "finish_reason": reason}
    return 200, ANSWER | {"choices": [choice]}


@pytest.mark.vllm
@pytest.mark.parametrize("name", PARSERS)
def test_every_finished_reply_has_its_page_and_no_cut_one_has_its_draft(name, tmp_path):
    replies = [answer(name, reply, "stop") for reply in FINISHED.values()]
    replies.append(answer(name, f"<think>plan {DRAFT}", "length"))
    tasks = [recordings.task(tmp_path, f"t{number}", 1) for number in range(len(replies))]
    *finished, cut = run(tasks, Wire(*replies, models=["x"]), tmp_path)
    assert [record.status for record in finished] == ["ok"] * len(FINISHED)
    for task in tasks[:-1]:
        assert (tmp_path / "run" / "hf" / task.id / "index.html").read_text() == PAGE + "\n"
    assert cut.status == "missing" and "still thinking" in cut.reason
