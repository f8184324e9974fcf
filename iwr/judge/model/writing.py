"""What is typed into which field."""

from __future__ import annotations

from pydantic import Field, create_model

from iwr.browser.page_state import Snapshot
from iwr.contract.schema import Verb
from iwr.judge.model.asking import Asker
from iwr.judge.model.grounding import (
    Choice,
    ElementReply,
    Question,
    choose,
    choose_by_marks,
    grounding_of,
    nothing_to_act_on,
)
from iwr.judge.model.parameters import Key, verbatim
from iwr.judge.model.targets import actionable, writable
from iwr.records import Action, Gesture, Grounding

MOST_KEYS = 5

FIELD = """\
Into which field is something typed? Where the action names no field, it is the one that has the \
focus. Also give:
- append: true if the text is added to what the field holds, false if it replaces it (the usual way)
- keys: the keys that are pressed after typing, such as ["Enter"]; [] if the action names none
"""
TEXT = """\
- text: what is typed, copied from the action letter by letter, without quotation marks around it
"""


class Writing(ElementReply):
    append: bool
    keys: list[Key] = Field(max_length=MOST_KEYS)


class WritingOf(Writing):
    text: str


async def ground(asker: Asker, step: int, action: Action, page: Snapshot) -> Grounding:
    """Return the field and what is typed. Raises JudgeError, ServerError."""
    asked = question(step, action)
    choice = await _choice(asker, asked, page)
    if choice is None:
        return nothing_to_act_on()
    reply = choice.reply
    text = action.parameters.text
    if isinstance(reply, WritingOf):
        text = reply.text
    keys = tuple(reply.keys)
    gesture = Gesture(verb=Verb.TYPE, text=text, clear=not reply.append, keys=keys)
    return grounding_of(page, choice, gesture)


async def _choice(asker: Asker, asked: Question[Writing], page: Snapshot) -> Choice[Writing] | None:
    """Ask for a field in the list; where that will not do, for what may lead to one, by marks.

    That may be a label or a frame. None when the page has nothing to choose from.
    """
    choice = None
    fields = writable(page)
    if fields:
        choice = await choose(asker, asked, page, fields)
        if choice.node is not None:
            return choice
    candidates = actionable(page)
    by_marks = await choose_by_marks(asker, asked, page, candidates)
    return by_marks or choice


def question(step: int, action: Action) -> Question[Writing]:
    """Return the question; the text is asked for where no parameter gives it."""
    name = f"step {step}: grounding"
    if action.parameters.text is not None:
        return Question(name, action, FIELD, Writing)
    text = (verbatim(action, 1), ...)
    reply = create_model("Writing", __base__=WritingOf, text=text)
    return Question(name, action, FIELD + TEXT, reply)
