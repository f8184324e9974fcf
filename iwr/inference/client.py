"""The one client of OpenAI-compatible chat servers, for contestants and for the judge."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.errors import RequestError, ServerError
from iwr.inference.server.process import Endpoint
from iwr.records import Usage

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

ATTEMPTS = 3
PAUSE = 1.0  # seconds before the second attempt; doubled for each further one
RETRIED = (408, 425, 429)  # of the 4xx, those that say "later"

Message = dict[str, Any]


class Answer(NamedTuple):
    """One completed chat. `logprobs` are the server's entries for each answered token."""

    text: str
    reasoning: str | None
    finish_reason: str | None
    usage: Usage
    prompt_token_ids: list[int] | None  # vLLM only, when asked for with return_token_ids
    logprobs: list[dict[str, Any]] | None
    seconds: float
    attempts: int


class ChatClient:
    """Chats with one or more servers of the same model; each request goes to the least busy one.

    Use it as an async context manager. `seconds` is the deadline of one call, all attempts included.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, seconds: float, attempts: int = ATTEMPTS):
        self.endpoints, self.seconds, self.attempts = list(endpoints), seconds, attempts
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
        """One answer. `options` go into the request as they are: response_format, logprobs, stop, chat_template_kwargs …

        Raises RequestError when the server refuses the request; ServerError when it cannot be reached, fails
        `attempts` times, answers with something else than a chat, or does not answer before the deadline.
        """
        body = {
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            **options,
        }
        deadline = self.seconds if seconds is None else seconds
        try:
            async with asyncio.timeout(deadline):
                return await self._with_retries(body)
        except TimeoutError:
            raise ServerError(
                f"no answer from {self.endpoints[0].url} within {deadline:.0f} s",
                hint="raise server.request_seconds, or lower max_tokens",
            ) from None

    async def _with_retries(self, body: dict[str, Any]) -> Answer:
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

    async def _once(self, body: dict[str, Any], attempt: int) -> Answer:
        import httpx

        assert self._http is not None, "use the client as an async context manager"
        number = min(self._busy, key=self._busy.__getitem__)
        endpoint = self.endpoints[number]
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        started = time.monotonic()
        self._busy[number] += 1
        try:
            response = await self._http.post(
                f"{endpoint.url}/chat/completions",
                json={"model": endpoint.model, **body},
                headers=headers,
            )
        except httpx.TransportError as error:
            raise ServerError(
                f"{endpoint.url}: {type(error).__name__}: {error or 'connection lost'}"
            ) from error
        finally:
            self._busy[number] -= 1
        if response.status_code != 200:
            raise _refusal(endpoint.url, response.status_code, response.text)
        try:
            return _answer(response.json(), time.monotonic() - started, attempt)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise ServerError(
                f"{endpoint.url} did not answer with a chat: {response.text[:200]!r}",
                hint="check server.url",
            ) from error


def _refusal(url: str, status: int, text: str) -> ServerError:
    message = f"{url} answered {status}: {_message(text)}"
    if 400 <= status < 500 and status not in RETRIED:
        return RequestError(message)
    return ServerError(message)


def _message(text: str) -> str:
    """The server's own words in an error body."""
    import json

    try:
        body = json.loads(text)
        error = body.get("error", body)
        words = error["message"] if isinstance(error, dict) else error
    except (ValueError, KeyError, AttributeError):
        words = text
    text = " ".join(str(words).split())
    return text if len(text) <= 500 else f"{text[:200]} … {text[-300:]}"  # causes stand at the end


def _answer(body: dict[str, Any], seconds: float, attempt: int) -> Answer:
    choice, usage = body["choices"][0], body.get("usage") or {}
    message = choice["message"]
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
