"""The largest recording of a run, in tokens: a server has to encode it in one piece."""

from __future__ import annotations

from collections.abc import Sequence

from iwr.config import ModelConfig, ProtocolConfig
from iwr.errors import DataError
from iwr.inference import video
from iwr.inference.tokens import TokenCounter
from iwr.records import Task
from iwr.tasks import recordings


def largest_video(tasks: Sequence[Task], model: ModelConfig, protocol: ProtocolConfig) -> int:
    """Return the tokens of the largest recording that `model` gets as a video.

    Return 0 where there is none or the model's processor does not count. Broken recordings do not
    count.
    """
    if model.video != "native":
        return 0
    counter = TokenCounter(model, audits=False)
    largest = 0
    for task in tasks:
        tokens = _tokens_of(task, counter, protocol)
        if counter.problem is not None:
            return 0
        largest = max(largest, tokens)
    return largest


def _tokens_of(task: Task, counter: TokenCounter, protocol: ProtocolConfig) -> int:
    """Return the tokens of a task's video; 0 where they are unknown."""
    try:
        recording = recordings.probe(task.video, task.id)
    except DataError:  # the task will fail for it
        return 0
    number = video.count(recording, protocol)
    plan = counter.plan(recording, number, [], "")
    return plan.video_tokens or 0
