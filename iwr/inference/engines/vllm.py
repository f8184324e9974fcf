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
from iwr.inference.audit import audit
from iwr.inference.client import Answer, ChatClient, Message
from iwr.inference.fitting import fit
from iwr.inference.prompt import text_for
from iwr.inference.sampling import NEUTRAL, Sampling, max_tokens, sampling
from iwr.inference.server.endpoint import Endpoint
from iwr.inference.thinking import DEFAULT, Marks, marks_of, open_mark
from iwr.inference.tokens import Plan, TokenCounter
from iwr.records import Frames, Task, Usage
from iwr.tasks import recordings

Part = dict[str, Any]
"""One part of a message of the chat API."""


class GeneratedReply(NamedTuple):
    """The answer to one task. `note`: what was given up to fit into the context."""

    text: str
    finish_reason: str | None
    usage: Usage
    frames: Frames | None
    seconds: float  # from question to answer
    sampling: Sampling
    note: str | None = None


class ServedModel:
    """Asks a model behind a chat server.

    On a server that iwr launched, files go by path and requests may set the frames; an external
    one gets the files themselves.
    """

    def __init__(self, model: ModelConfig, config: Config):
        self.model = model
        self.config = config
        self.launched = config.server.kind == "launch"
        self._marks = marks_of(model.thinking)
        self._token_counter = TokenCounter(model)

    async def ask(self, task: Task, client: ChatClient) -> GeneratedReply:
        """Put one task to the model.

        Raise DataError for a broken recording, RequestError when the request does not fit or is
        refused, AuditError when the engine showed the model other frames, ServerError when it
        fails.
        """
        endpoint = client.endpoints[0]
        model = self.model
        recording = await asyncio.to_thread(recordings.verify, task.video, task.id)
        sheets = task.stitched
        number = video.count_for(recording, self.config.protocol, model, len(sheets))
        text = text_for(task)
        plan = partial(self._token_counter.plan, recording, sheets=sheets, text=text)
        request = await asyncio.to_thread(
            fit,
            plan,
            number,
            max_tokens(model, self.config),
            endpoint.context,
            model.over_context,
            task.id,
        )
        places = video.indices(recording.frames, request.plan.frames)
        messages = await asyncio.to_thread(self.messages, task, places)
        values = sampling(model, self.config)
        if endpoint.vllm:
            values = NEUTRAL | values
        answer = await client.chat(
            messages,
            max_tokens=request.max_tokens,
            **values,
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
            text=self._as_written(answer),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            frames=frames,
            seconds=answer.seconds,
            sampling=values,
            note=request.note,
        )

    def messages(self, task: Task, places: list[int]) -> list[Message]:
        """Return the question: overview images, then the recording, then the text.

        `places`: indices of frames, for models that take images. Raise DataError for an
        unreadable recording.
        """
        parts = []
        for path in task.stitched:
            sheet = self._file("image_url", path)
            parts.append(sheet)
        if self.model.video == "frames":
            for image in video.frames(task.video, places, task.id):
                small = video.shrunk_image(image, self.model.frame_pixels)
                url = video.data_url(small)
                frame = _media("image_url", url)
                parts.append(frame)
        else:
            recording = self._file("video_url", task.video)
            parts.append(recording)
        text = text_for(task)
        parts.append({"type": "text", "text": text})
        return [{"role": "user", "content": parts}]

    def _file(self, kind: str, path: Path) -> Part:
        """Return a file as a part of a message: its address for our own server, else its bytes."""
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
            if self._marks:
                # some tokenizers count the marks of thoughts as special and would drop them
                options["skip_special_tokens"] = False
        if self.launched and self.model.video == "native":
            settings = video.request_settings(self.model, plan.frames)
            if settings:
                options["media_io_kwargs"] = settings
        return options

    def _as_written(self, answer: Answer) -> str:
        """Return the reply with its thoughts in marks, whoever took them out.

        A server's reasoning parser does, and a chat template that opens the thought in the prompt.
        """
        opening, closing = self._marks or DEFAULT
        if answer.reasoning and answer.text:
            return f"{opening}{answer.reasoning}{closing}{answer.text}"
        if answer.reasoning and answer.finish_reason == "length":
            return f"{opening}{answer.reasoning}"
        # parsers take a reply without any mark for a thought; one that is finished is an answer
        text = answer.text or answer.reasoning or ""
        prompt = self._token_counter.end_of(answer.prompt_token_ids)
        if prompt is None:
            return _with_lost_mark(text, self._marks, answer.finish_reason)
        return (open_mark(prompt, self._marks) or "") + text


def _with_lost_mark(text: str, marks: Marks | None, finish_reason: str | None) -> str:
    """Return a reply whose prompt is not known: cut off before any mark, it is all thought."""
    if marks is None or finish_reason != "length" or any(mark in text for mark in marks):
        return text
    return marks[0] + text


def _media(kind: str, url: str) -> Part:
    """Return an image or a video as a part of a message."""
    return {"type": kind, kind: {"url": url}}
