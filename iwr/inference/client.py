"""The one client of OpenAI-compatible chat servers, for models and for the judge."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.errors import RequestError, ServerError
from iwr.inference.server.endpoint import Endpoint
from iwr.records import Usage

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

ATTEMPTS = 3
PAUSE = 1.0  # seconds before the second attempt; doubled for each further one
RETRIED = (408, 425, 429)  # of the 4xx, those that say "later"

Message = dict[str, Any]
Body = dict[str, Any]
"""A request or an answer of the chat API, as JSON."""


class Answer(NamedTuple):
    """One completed chat. `logprobs` are the server's entries, one for each answered token."""

    text: str
    reasoning: str | None
    finish_reason: str | None
    usage: Usage
    prompt_token_ids: list[int] | None  # with return_token_ids, vLLM only
    logprobs: list[dict[str, Any]] | None
    seconds: float
    attempts: int


class ChatClient:
    """Chats with one or more servers of the same model; each request goes to the least busy one.

    Use it as an async context manager. `seconds` is the deadline of one call, attempts included.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, seconds: float, attempts: int = ATTEMPTS):
        self.endpoints = list(endpoints)
        self.seconds = seconds
        self.attempts = attempts
        self._busy = dict.fromkeys(range(len(self.endpoints)), 0)
        self._http: httpx.AsyncClient | None = None

    async def __aenter__(self) -> ChatClient:
        import httpx

        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=30), limits=limits, trust_env=False
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._http is not None
        await self._http.aclose()

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        seconds: float | None = None,
        **options: Any,
    ) -> Answer:
        """Return one answer.

        `options` go into the request as they are: response_format, logprobs, stop,
        chat_template_kwargs … Raise RequestError when the server refuses the request; ServerError
        when it cannot be reached, fails `attempts` times, answers with something else than a chat,
        or does not answer before the deadline.
        """
        body: Body = {
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            **options,
        }
        deadline = self.seconds
        if seconds is not None:
            deadline = seconds
        try:
            async with asyncio.timeout(deadline):
                return await self._with_retries(body)
        except TimeoutError:
            raise ServerError(
                f"no answer from {self.endpoints[0].url} within {deadline:.0f} s",
                hint="raise server.request_seconds, or lower max_tokens",
            ) from None

    async def _with_retries(self, body: Body) -> Answer:
        """Ask, and ask again after a pause while the server fails. Raise as `_once` does."""
        for attempt in range(1, self.attempts + 1):
            try:
                return await self._once(body, attempt)
            except RequestError:
                raise
            except ServerError as error:
                if attempt == self.attempts:
                    raise
                pause = PAUSE * 2 ** (attempt - 1)
                log.warning(
                    "%s; attempt %d of %d follows in %.0f s",
                    error,
                    attempt + 1,
                    self.attempts,
                    pause,
                )
                await asyncio.sleep(pause)
        raise AssertionError("attempts must be at least 1")

    async def _once(self, body: Body, attempt: int) -> Answer:
        """Send the request to the least busy server and read its answer."""
        number = min(self._busy, key=self._busy.__getitem__)
        endpoint = self.endpoints[number]
        start = time.monotonic()
        self._busy[number] += 1
        try:
            response = await self._post(endpoint, body)
        finally:
            self._busy[number] -= 1
        if response.status_code != 200:
            raise _refusal(endpoint.url, response.status_code, response.text)
        try:
            return _answer(response.json(), time.monotonic() - start, attempt)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise ServerError(
                f"{endpoint.url} did not answer with a chat: {response.text[:200]!r}",
                hint="check server.url",
            ) from error

    async def _post(self, endpoint: Endpoint, body: Body) -> httpx.Response:
        """Send one request. Raise ServerError when the connection fails."""
        import httpx

        assert self._http is not None, "use the client as an async context manager"
        try:
            return await self._http.post(
                f"{endpoint.url}/chat/completions",
                json={"model": endpoint.model, **body},
                headers=endpoint.headers,
            )
        except httpx.TransportError as error:
            reason = str(error) or "connection lost"
            raise ServerError(f"{endpoint.url}: {type(error).__name__}: {reason}") from error


def _refusal(url: str, status: int, text: str) -> ServerError:
    """Return the error that an answer other than 200 means."""
    message = f"{url} answered {status}: {_message(text)}"
    if 400 <= status < 500 and status not in RETRIED:
        return RequestError(message)
    return ServerError(message)


def _message(text: str) -> str:
    """Return the server's own words in an error body, shortened in the middle."""
    try:
        body = json.loads(text)
        error = body.get("error", body)
        words = error["message"] if isinstance(error, dict) else error
    except (ValueError, KeyError, AttributeError):
        words = text
    message = " ".join(str(words).split())
    if len(message) <= 500:
        return message
    return f"{message[:200]} … {message[-300:]}"  # causes come at the end


def _answer(body: Body, seconds: float, attempt: int) -> Answer:
    """Return the answer in a response of the chat API."""
    choice = body["choices"][0]
    message = choice["message"]
    usage = body.get("usage") or {}
    logprobs = choice.get("logprobs") or {}
    return Answer(
        text=message.get("content") or "",
        reasoning=message.get("reasoning") or message.get("reasoning_content"),
        finish_reason=choice.get("finish_reason"),
        usage=Usage(
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
        ),
        prompt_token_ids=body.get("prompt_token_ids"),
        logprobs=logprobs.get("content"),
        seconds=seconds,
        attempts=attempt,
    )
