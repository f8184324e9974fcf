"""Which keys are pressed, and how often."""

from __future__ import annotations

from pydantic import Field

from iwr.browser.page_state import Snapshot
from iwr.contract.schema import Verb
from iwr.judge.model.asking import Asker, StructuredReply, text
from iwr.judge.model.grounding import REASON, sentence
from iwr.judge.model.parameters import Key, key_of, plain_key
from iwr.judge.model.targets import grounding_of_keys
from iwr.records import Action, Gesture, Grounding

MOST_PRESSES = 20

KEYS_PROMPT = """\
A person was asked to do this with the keyboard:
<action>{sentence}</action>

Which keys are pressed, one after the other? Keys that are held together are one entry, the held \
ones first: "Control+C", "Shift+Tab". Other names: Enter, Escape, Space, Backspace, Delete, \
ArrowLeft, ArrowRight, ArrowUp, ArrowDown, PageUp, PageDown, Home, End, F1, Alt, Meta, a, 7. \
A key that is pressed several times has as many entries.
Answer with JSON: a short reason, then the keys."""

TIMES_PROMPT = """\
A person was asked to do this with the keyboard:
<action>{sentence}</action>

The key is {key}. How many times is it pressed? Once, unless the sentence says otherwise.
Answer with JSON: a short reason, then the number of times."""


class Keys(StructuredReply):
    reason: str = Field(max_length=REASON)
    keys: list[Key] = Field(min_length=1, max_length=MOST_PRESSES)


class Times(StructuredReply):
    reason: str = Field(max_length=REASON)
    times: int = Field(ge=1, le=MOST_PRESSES)


async def ground(asker: Asker, step: int, action: Action, page: Snapshot) -> Grounding:
    """Return what takes the keys, and the keys. Raises JudgeError, ServerError.

    Nothing needs to be chosen: keys go to what has the focus.
    """
    gesture = await gesture_of(asker, step, action)
    grounding = grounding_of_keys(page, gesture.keys)
    return grounding.model_copy(update={"gesture": gesture})


async def gesture_of(asker: Asker, step: int, action: Action) -> Gesture:
    """Return the keys that a sentence means. No page is needed.

    The model is asked only for what neither the parameter nor a plain sentence says.
    """
    key = plain_key(action)
    if key:
        return Gesture(verb=Verb.PRESS, keys=(key,))
    key = key_of(action)
    if key:
        times = await _times(asker, step, action, key)
        return Gesture(verb=Verb.PRESS, keys=(key,), count=times)
    keys = await _keys(asker, step, action)
    return Gesture(verb=Verb.PRESS, keys=keys)


async def _times(asker: Asker, step: int, action: Action, key: str) -> int:
    """Ask how often a key is pressed that the parameter names."""
    words = TIMES_PROMPT.format(sentence=sentence(action), key=key)
    answer = await asker.ask(f"step {step}: times", [text(words)], Times)
    return answer.reply.times


async def _keys(asker: Asker, step: int, action: Action) -> tuple[str, ...]:
    """Ask which keys are pressed, one after the other."""
    words = KEYS_PROMPT.format(sentence=sentence(action))
    answer = await asker.ask(f"step {step}: keys", [text(words)], Keys)
    return tuple(answer.reply.keys)
