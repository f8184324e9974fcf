"""One served model that answers tasks: what is sent, and what is known about the answer."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import Config, ModelConfig
from iwr.inference import video
from iwr.inference.audit import Plan, TokenCounter, audited
from iwr.inference.client import Answer, ChatClient, Message
from iwr.inference.fitting import fit
from iwr.inference.prompt import text_for
from iwr.records import Frames, Task, Usage


class Reply(NamedTuple):
    """What came back for one task. `seconds` from question to answer; `note`: what had to be given up to fit."""

    text: str
    finish_reason: str | None
    usage: Usage
    frames: Frames | None
    seconds: float
    note: str | None = None


def max_tokens(model: ModelConfig, config: Config) -> int:
    return model.max_tokens if model.max_tokens is not None else config.protocol.max_tokens


def temperature(model: ModelConfig, config: Config) -> float:
    return model.temperature if model.temperature is not None else config.protocol.temperature


class ServedModel:
    """`launched`: our own server on this machine, so files go by path and requests may set the frames."""

    def __init__(self, model: ModelConfig, config: Config):
        self.model, self.config = model, config
        self.launched = config.server.kind == "launch"
        self._ruler = TokenCounter(model)

    async def ask(self, task: Task, client: ChatClient) -> Reply:
        """Put one task to the model.

        Raises DataError for a broken recording, RequestError when the request does not fit or is refused, AuditError when
        the engine showed the model other frames, ServerError when it fails.
        """
        endpoint = client.endpoints[0]
        recording = await asyncio.to_thread(video.probe, task.video, task.id)
        asked = video.asked(recording, self.config.protocol, self.model, len(task.stitched))
        measure = partial(self._ruler.plan, recording, sheets=task.stitched, text=text_for(task))
        limit, mode = max_tokens(self.model, self.config), self.model.over_context
        fitting = await asyncio.to_thread(
            fit, measure, asked, limit, endpoint.context, mode, task.id
        )
        shown = video.indices(recording.frames, fitting.plan.frames)
        prompt = await asyncio.to_thread(self.messages, task, shown)
        options = self._options(fitting.plan, vllm=endpoint.vllm)
        answer = await client.chat(
            prompt,
            max_tokens=fitting.max_tokens,
            temperature=temperature(self.model, self.config),
            **options,
        )
        frames = audited(
            fitting.plan, asked, self.model.video, self._ruler, answer.prompt_token_ids, task.id
        )
        return Reply(
            _whole(answer), answer.finish_reason, answer.usage, frames, answer.seconds, fitting.note
        )

    def messages(self, task: Task, shown: list[int]) -> list[Message]:
        """Overview images, then the recording, then the text. `shown`: indices of frames, for models that take images.

        Raises DataError for an unreadable recording.
        """
        parts = [self._media("image_url", path) for path in task.stitched]
        if self.model.video == "frames":
            images = video.frames(task.video, shown, task.id)
            parts += [
                {"type": "image_url", "image_url": {"url": video.data_url(image)}}
                for image in images
            ]
        else:
            parts.append(self._media("video_url", task.video))
        parts.append({"type": "text", "text": text_for(task)})
        return [{"role": "user", "content": parts}]

    def _media(self, kind: str, path: Path) -> dict[str, Any]:
        if self.launched:
            return {"type": kind, kind: {"url": path.resolve().as_uri()}}
        mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return {
            "type": kind,
            kind: {"url": f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"},
        }

    def _options(self, plan: Plan, *, vllm: bool) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self.model.stop:
            options["stop"] = self.model.stop
        if self.model.chat_template:
            options["chat_template_kwargs"] = self.model.chat_template
        if vllm:
            options["return_token_ids"] = True  # for the audit
        if (
            self.launched
            and self.model.video == "native"
            and (settings := video.request_settings(self.model, plan.frames))
        ):
            options["media_io_kwargs"] = settings
        return options


def _whole(answer: Answer) -> str:
    """The reply as the model wrote it: a reasoning parser takes the thinking out, here it goes back in."""
    if not answer.reasoning:
        return answer.text
    return (
        f"<think>{answer.reasoning}</think>{answer.text}"
        if answer.text
        else f"<think>{answer.reasoning}"
    )
