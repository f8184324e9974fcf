"""One served model that answers tasks: the request, and the record of the answer."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import Config, ModelConfig
from iwr.inference import video
from iwr.inference.audit import Plan, TokenCounter, audit
from iwr.inference.client import Answer, ChatClient, Message
from iwr.inference.fitting import fit
from iwr.inference.prompt import text_for
from iwr.inference.server.endpoint import Endpoint
from iwr.records import Frames, Task, Usage

Part = dict[str, Any]
"""One part of a message of the chat API."""


class GeneratedReply(NamedTuple):
    """The answer to one task. `note`: what was given up to fit into the context."""

    text: str
    finish_reason: str | None
    usage: Usage
    frames: Frames | None
    seconds: float  # from question to answer
    note: str | None = None


def max_tokens(model: ModelConfig, config: Config) -> int:
    """Return the limit of one answer in tokens: the model's own, else the protocol's."""
    if model.max_tokens is not None:
        return model.max_tokens
    return config.protocol.max_tokens


def temperature(model: ModelConfig, config: Config) -> float:
    """Return the sampling temperature: the model's own, else the protocol's."""
    if model.temperature is not None:
        return model.temperature
    return config.protocol.temperature


class ServedModel:
    """Asks a model behind a chat server.

    On a server that iwr launched, files go by path and requests may set the frames; an external
    one gets the files themselves.
    """

    def __init__(self, model: ModelConfig, config: Config):
        self.model = model
        self.config = config
        self.launched = config.server.kind == "launch"
        self._token_counter = TokenCounter(model)

    async def ask(self, task: Task, client: ChatClient) -> GeneratedReply:
        """Put one task to the model.

        Raise DataError for a broken recording, RequestError when the request does not fit or is
        refused, AuditError when the engine showed the model other frames, ServerError when it
        fails.
        """
        endpoint = client.endpoints[0]
        model = self.model
        recording = await asyncio.to_thread(video.probe, task.video, task.id)
        number = video.count_for(recording, self.config.protocol, model, len(task.stitched))
        request = await asyncio.to_thread(
            fit,
            partial(self._token_counter.plan, recording, sheets=task.stitched, text=text_for(task)),
            number,
            max_tokens(model, self.config),
            endpoint.context,
            model.over_context,
            task.id,
        )
        places = video.indices(recording.frames, request.plan.frames)
        messages = await asyncio.to_thread(self.messages, task, places)
        answer = await client.chat(
            messages,
            max_tokens=request.max_tokens,
            temperature=temperature(model, self.config),
            **self._options(request.plan, endpoint),
        )
        frames = audit(
            request.plan,
            number,
            model.video,
            self._token_counter,
            answer.prompt_token_ids,
            task.id,
        )
        return GeneratedReply(
            text=_with_thinking(answer),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            frames=frames,
            seconds=answer.seconds,
            note=request.note,
        )

    def messages(self, task: Task, places: list[int]) -> list[Message]:
        """Return the question: overview images, then the recording, then the text.

        `places`: indices of frames, for models that take images. Raise DataError for an
        unreadable recording.
        """
        parts = [self._file("image_url", path) for path in task.stitched]
        if self.model.video == "frames":
            for image in video.frames(task.video, places, task.id):
                parts.append(_media("image_url", video.data_url(image)))
        else:
            parts.append(self._file("video_url", task.video))
        parts.append({"type": "text", "text": text_for(task)})
        return [{"role": "user", "content": parts}]

    def _file(self, kind: str, path: Path) -> Part:
        if self.launched:
            return _media(kind, path.resolve().as_uri())
        mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        content = base64.b64encode(path.read_bytes()).decode()
        return _media(kind, f"data:{mime};base64,{content}")

    def _options(self, plan: Plan, endpoint: Endpoint) -> dict[str, Any]:
        """Return what the request holds besides the question and the sampling."""
        options: dict[str, Any] = {}
        if self.model.stop:
            options["stop"] = self.model.stop
        if self.model.chat_template:
            options["chat_template_kwargs"] = self.model.chat_template
        if endpoint.vllm:
            options["return_token_ids"] = True  # for the audit
        if self.launched and self.model.video == "native":
            settings = video.request_settings(self.model, plan.frames)
            if settings:
                options["media_io_kwargs"] = settings
        return options


def _media(kind: str, url: str) -> Part:
    return {"type": kind, kind: {"url": url}}


def _with_thinking(answer: Answer) -> str:
    """Return the reply as the model wrote it.

    A reasoning parser takes the thinking out; here it goes back in.
    """
    if not answer.reasoning:
        return answer.text
    if not answer.text:
        return f"<think>{answer.reasoning}"
    return f"<think>{answer.reasoning}</think>{answer.text}"
