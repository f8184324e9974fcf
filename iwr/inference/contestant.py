"""One question to one served model: what is sent, and what is known about the answer."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import Config, ModelConfig
from iwr.inference import video
from iwr.inference.client import ChatClient, Message
from iwr.inference.prompt import text_for
from iwr.records import Frames, Task, Usage


class Reply(NamedTuple):
    """What came back for one task. `seconds` from question to answer."""

    text: str
    finish_reason: str | None
    usage: Usage
    frames: Frames | None
    seconds: float


def max_tokens(model: ModelConfig, config: Config) -> int:
    return model.max_tokens if model.max_tokens is not None else config.protocol.max_tokens


def temperature(model: ModelConfig, config: Config) -> float:
    return model.temperature if model.temperature is not None else config.protocol.temperature


def messages(task: Task, model: ModelConfig, wanted: list[int], *, by_path: bool) -> list[Message]:
    """Overview images, then the recording, then the text. `wanted`: indices of frames, for models that take images.

    by_path: the server reads files itself; otherwise they are sent along. Raises DataError for an unreadable recording.
    """
    parts: list[dict[str, Any]] = [_media("image_url", path, by_path) for path in task.stitched]
    if model.video == "frames":
        shown = video.frames(task.video, wanted, task.id)
        parts += [{"type": "image_url", "image_url": {"url": video.data_url(image)}} for image in shown]
    else:
        parts.append(_media("video_url", task.video, by_path))
    parts.append({"type": "text", "text": text_for(task)})
    return [{"role": "user", "content": parts}]


def _media(kind: str, path: Path, by_path: bool) -> dict[str, Any]:
    if by_path:
        return {"type": kind, kind: {"url": path.resolve().as_uri()}}
    mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"type": kind, kind: {"url": f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"}}


async def ask(task: Task, model: ModelConfig, config: Config, client: ChatClient) -> Reply:
    """Put one task to a served model.

    Raises DataError for a broken recording, RequestError when the server refuses, ServerError when it fails.
    """
    recording = await asyncio.to_thread(video.probe, task.video, task.id)
    planned = video.count(recording, config.protocol)
    launched = config.server.kind == "launch"
    wanted = video.indices(recording.frames, planned)
    prompt = await asyncio.to_thread(messages, task, model, wanted, by_path=launched)
    answer = await client.chat(
        prompt,
        max_tokens=max_tokens(model, config),
        temperature=temperature(model, config),
        **_options(model, planned, launched),
    )
    frames = Frames(mode=model.video, planned=planned, delivered=None)
    return Reply(answer.text, answer.finish_reason, answer.usage, frames, answer.seconds)


def _options(model: ModelConfig, planned: int, launched: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if model.stop:
        options["stop"] = model.stop
    if model.chat_template:
        options["chat_template_kwargs"] = model.chat_template
    if launched and model.video == "native" and (settings := video.request_settings(model, planned)):
        options["media_io_kwargs"] = settings
    return options
