"""The chat client against a local server that misbehaves on the wire."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from iwr.errors import RequestError, ServerError
from iwr.inference import client as module
from iwr.inference.client import ChatClient
from iwr.inference.server.process import Endpoint

ANSWER = {
    "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}


class Wire:
    """A server that gives prepared answers (status, body), then `ANSWER`; it keeps all requests."""

    def __init__(
        self, *replies: tuple[int, object] | Callable[[], None], models: Sequence[str] = ("tiny",)
    ):
        self.asked: list[dict] = []
        self.keys: list[str | None] = []
        replies_left = list(replies)
        wire = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                wire.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                wire.keys.append(self.headers["Authorization"])
                reply = replies_left.pop(0) if replies_left else (200, ANSWER)
                if callable(reply):
                    reply()
                    return  # the connection is closed without an answer
                self.answer(*reply)

            def do_GET(self) -> None:
                self.answer(200, {"data": [{"id": model} for model in models]})

            def answer(self, status: int, body: object) -> None:
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = Endpoint(
            f"http://127.0.0.1:{self._server.server_port}/v1", "tiny", "secret"
        )


def chat(*wires: Wire, seconds: float = 20, **options):
    async def once():
        async with ChatClient([wire.endpoint for wire in wires], seconds=seconds) as client:
            return await client.chat(
                [{"role": "user", "content": "hi"}], max_tokens=8, temperature=0, **options
            )

    return asyncio.run(once())


def test_an_answer_and_what_was_asked():
    wire = Wire()
    answer = chat(wire, stop=["x"], logprobs=True)
    assert (answer.text, answer.finish_reason, answer.usage.prompt_tokens, answer.attempts) == (
        "hello",
        "stop",
        3,
        1,
    )
    question = {
        "model": "tiny",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 8,
        "temperature": 0,
    }
    assert wire.asked == [question | {"stop": ["x"], "logprobs": True}]
    assert wire.keys == ["Bearer secret"]


def test_server_errors_are_retried_in_sight(caplog):
    wire = Wire((500, {"error": {"message": "engine sneezed"}}), lambda: None)
    answer = chat(wire)
    assert (answer.text, answer.attempts, len(wire.asked)) == ("hello", 3, 3)
    assert "engine sneezed" in caplog.text and "attempt 2 of 3" in caplog.text


def test_retries_end():
    wire = Wire(*[(503, b"busy")] * 9)
    with pytest.raises(ServerError, match="answered 503: busy"):
        chat(wire)
    assert len(wire.asked) == module.ATTEMPTS


def test_a_refusal_is_not_repeated():
    wire = Wire((400, {"error": {"message": "Input length (9000) exceeds 4096"}}))
    with pytest.raises(RequestError, match="Input length"):
        chat(wire)
    assert len(wire.asked) == 1


def test_too_many_requests_are_asked_again():
    assert chat(Wire((429, b"later"))).attempts == 2


@pytest.mark.parametrize("body", [b"<html>nginx</html>", {"choices": []}, {"message": "no"}, []])
def test_something_else_than_a_chat_is_a_server_error(body):
    with pytest.raises(ServerError, match="did not answer with a chat"):
        chat(Wire(*[(200, body)] * 3))


def test_the_deadline_holds_for_a_server_that_never_answers():
    held = threading.Event()
    with pytest.raises(ServerError, match="within 1 s"):
        chat(Wire(lambda: held.wait(30) and None), seconds=1)
    held.set()


def test_nobody_listens():
    wire = Wire()
    wire._server.shutdown()
    wire._server.server_close()
    with pytest.raises(ServerError, match="ConnectError"):
        chat(wire)


def test_requests_spread_over_replicas():
    wires = Wire(), Wire()

    async def many():
        async with ChatClient([wire.endpoint for wire in wires], seconds=20) as client:
            question = [{"role": "user", "content": "hi"}]
            await asyncio.gather(
                *(client.chat(question, max_tokens=1, temperature=0) for _ in range(10))
            )

    asyncio.run(many())
    assert sorted(len(wire.asked) for wire in wires) == [5, 5]
