"""A model server that is only a wire: real HTTP, answers from a script, faults on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Chat = Callable[[dict], "dict | str | None"]
"""From a request to a content (dict: as JSON), or None to cut the connection.

It may sleep, or raise Refused.
"""


class Refused(Exception):
    def __init__(self, status: int):
        self.status = status


class Finished(str):
    """A content whose finish_reason is `length`."""


def prompt_of(body: dict) -> str:
    return "\n".join(part.get("text", "") for part in body["messages"][-1]["content"])


def images_of(body: dict) -> list[str]:
    return [
        part["image_url"]["url"]
        for part in body["messages"][-1]["content"]
        if part["type"] == "image_url"
    ]


@contextmanager
def model_wire(chat: Chat) -> Iterator[tuple[str, list[dict]]]:
    """Base URL of the server, and the requests that came, in order."""
    seen: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def send(self, status: int, body: dict | str) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self.send(200, {"data": [{"id": "test/scripted", "max_model_len": 32768}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(body)
            try:
                content = chat(body)
            except Refused as refusal:
                self.send(refusal.status, {"error": {"message": "refused by the script"}})
                return
            if content is None:
                self.close_connection = True
                self.connection.close()
                return
            words = content if isinstance(content, str) else json.dumps(content)
            reason = "length" if isinstance(content, Finished) else "stop"
            message = {"role": "assistant", "content": words}
            told = {"content": logprobs(words)} if body.get("logprobs") else None
            choice = {"message": message, "finish_reason": reason, "logprobs": told}
            self.send(
                200, {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
            )

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", seen
    finally:
        server.shutdown()
        server.server_close()


def logprobs(words: str) -> list[dict]:
    """Four characters a token, each with the probability 0.9."""
    entries = []
    for start in range(0, len(words), 4):
        token = words[start : start + 4]
        entries.append(
            {
                "token": token,
                "logprob": -0.105,
                "top_logprobs": [{"token": token, "logprob": -0.105}],
            }
        )
    return entries


def slowly(seconds: float, content: dict) -> dict:
    time.sleep(seconds)
    return content
