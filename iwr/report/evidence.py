"""What can be opened beside a result: questions to the judge, console messages, prompt, frames."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from iwr.inference import video
from iwr.inference.prompt import prompt_digest, text_for
from iwr.records import Generation, PageEvent, Rollout, Task
from iwr.report.moments import Moments

STEP = re.compile(r"step (\d+)")
LONGEST_QUESTION = 1_500  # characters shown of one question; the file has all of them


class Question(NamedTuple):
    """One question to a judge model, and its answer."""

    name: str
    text: str
    answer: str
    problem: str | None  # why the answer could not be used
    seconds: float


def questions_by_step(calls: Path) -> dict[int, list[Question]]:
    """Return the questions of one rollout by step; those of no step under -1.

    A line that is torn or of another version is left out: the file itself can be opened.
    """
    try:
        lines = calls.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    questions: dict[int, list[Question]] = {}
    for line in lines:
        try:
            question = _question(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue
        match = STEP.search(question.name)
        step = int(match[1]) if match else -1
        questions.setdefault(step, []).append(question)
    return questions


def _question(entry: dict[str, Any]) -> Question:
    """Return one line of calls.jsonl."""
    return Question(
        name=entry["what"],
        text="\n".join(entry["prompt"]),
        answer=entry["answer"],
        problem=entry["problem"],
        seconds=entry["seconds"],
    )


def events_by_step(rollout: Rollout | None) -> dict[int, list[PageEvent]]:
    """Return console messages and refused requests by step."""
    events: dict[int, list[PageEvent]] = {}
    if rollout is not None:
        for event in rollout.events:
            events.setdefault(event.step, []).append(event)
    return events


def prompt_of(task: Task, record: Generation | None) -> str | None:
    """Return the text that the model was asked; None where it was another version's."""
    if record is None or record.fingerprint.get("prompt") != prompt_digest():
        return None
    return text_for(task)


def frame_times(record: Generation | None, moments: Moments) -> list[float]:
    """Return the seconds of the frames that the model saw; none where that is not certain."""
    if record is None or record.frames is None or not record.frames.delivered:
        return []
    if not moments.frames or record.fingerprint.get("model.video_io"):
        return []
    number = min(record.frames.delivered, record.frames.planned, moments.frames)
    times = []
    for index in video.indices(moments.frames, number):
        times.append(round(index * moments.seconds / moments.frames, 2))
    return times
