"""What is done with the mouse, and to which element.

One question asks for both. Only a drag and a hold need a second one: where it ends, how long it
lasts. What the element hides behind, such as a menu that opens on hovering, is a step of its own,
after which the question is asked again.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field, create_model

from iwr.browser.page_state import Node, Snapshot
from iwr.contract.schema import Verb
from iwr.errors import JudgeError
from iwr.judge.model import elements
from iwr.judge.model.asking import Asker, StructuredReply, image, text
from iwr.judge.model.grounding import (
    REASON,
    Choice,
    ElementReply,
    Question,
    choose,
    choose_by_marks,
    grounding_of,
    nothing_to_act_on,
    sentence,
)
from iwr.judge.model.parameters import number_of, option_of, verbatim
from iwr.judge.model.targets import actionable, landmarks, places
from iwr.records import Action, Gesture, Grounding

TASK = """\
Which element is meant, and what is done to it? Give:
- gesture: "click", "double_click", "right_click", "hover" (the mouse is moved there and nothing \
else), "hold" (press and hold), "drag" (element: what is dragged), "select" (element: a list box, \
text: the option to choose; if the list is open and has the option, use "click" on the option), \
"upload" (text: the name of the file), "hover_first" (the action begins by hovering over \
something, and that is not done yet; element: what is hovered over), or "other" if it is none of \
these
- element: the element
- text: the option, the file, or what is entered into a dialog of the browser, copied from the \
action letter by letter; else ""
- dialog: "dismiss" if the action says to cancel a dialog of the browser, else "accept"
"""
HOVERED = "So far the person has hovered over {label}."
OPENED = "So far the person has clicked {label} to open its list."

DROP = """\
The dragged element is {label}: {width:.0f} x {height:.0f} pixels, its middle at \
({x:.0f}, {y:.0f}) of the screenshot, which is {page_width} x {page_height} pixels. Where is it \
dropped? Give:
- element: the place or the element where it is dropped; "none" if the action names no such element
- side: "on", or on which side of that element: "above", "below", "left", "right"
- dx, dy: if element is "none", by how many pixels it is dragged to the right and down (negative: \
to the left and up); else 0
"""
HOLD = """\
A person was asked to do this on a web page:
<action>{sentence}</action>

The mouse button is held. For how many seconds? 1 if the action does not say it.
Answer with JSON: a short reason, then the seconds."""

ElementGesture = Literal[
    "click",
    "double_click",
    "right_click",
    "hover",
    "hold",
    "drag",
    "select",
    "upload",
    "hover_first",
    "other",
]
WIDE = ("hover", "drag", "hover_first")
"""Gestures for elements that need not react to a click."""
SIDES = {"on": None, "above": (0.5, 0.1), "below": (0.5, 0.9), "left": (0.1, 0.5)}
SIDES |= {"right": (0.9, 0.5)}
CLICK = Gesture(verb=Verb.CLICK)
HOVER = Gesture(verb=Verb.HOVER)
FARTHEST = 10_000  # CSS pixels of a drag

SECONDS = (0.1, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 60)
"""How long a model may say that a button is held."""


class Clicking(ElementReply):
    """How a click is done: which button, how often, with which keys held."""

    gesture: ElementGesture
    text: str
    dialog: Literal["accept", "dismiss"]


class Drop(ElementReply):
    """Where something is dragged: onto an element, or by a distance."""

    side: Literal["on", "above", "below", "left", "right"]
    dx: int = Field(ge=-FARTHEST, le=FARTHEST)
    dy: int = Field(ge=-FARTHEST, le=FARTHEST)


class Duration(StructuredReply):
    reason: str = Field(max_length=REASON)
    seconds: float = number_of(SECONDS)


class ClickPlan(NamedTuple):
    """What is done. `reveals`: only afterwards the element of the action can be asked for."""

    grounding: Grounding
    reveals: str = ""  # what was done, in the words of the next question


async def ground(
    asker: Asker, step: int, action: Action, page: Snapshot, context: str = ""
) -> ClickPlan:
    """Return the element and the gesture. Raises JudgeError, ServerError.

    `context` tells the model what was done to reveal the element, as an earlier plan says.
    """
    asked = question(step, action, context)
    choice = await _choice(asker, asked, page)
    if choice is None:
        return ClickPlan(nothing_to_act_on())
    reply = choice.reply
    node = choice.node
    if node is None:
        grounding = grounding_of(page, choice, CLICK)
        return ClickPlan(grounding)
    label = elements.label(page, node)
    if reply.gesture == "hover_first":
        grounding = grounding_of(page, choice, HOVER)
        return ClickPlan(grounding, HOVERED.format(label=label))
    if reply.gesture == "select" and node.tag != "select":
        # the options of such a list are elements of the page, which appear on a click
        grounding = grounding_of(page, choice, CLICK)
        return ClickPlan(grounding, OPENED.format(label=label))
    gesture = await _gesture(asker, step, action, page, node, reply)
    if gesture is None:
        grounding = _nowhere_to_drop(label, choice.candidates)
        return ClickPlan(grounding)
    gesture = _with_reply(gesture, reply)
    grounding = grounding_of(page, choice, gesture)
    return ClickPlan(grounding)


def question(step: int, action: Action, context: str) -> Question[Clicking]:
    """Return the question; `context` says what was done before."""
    text = (verbatim(action, 0), ...)
    reply = create_model("Clicking", __base__=Clicking, text=text)
    return Question(f"step {step}: grounding", action, TASK, reply, context)


async def _choice(
    asker: Asker, asked: Question[Clicking], page: Snapshot
) -> Choice[Clicking] | None:
    """Ask for one of what can be acted on, and where that will not do, of all that can be seen.

    The second list is longer and may be cut, so it is not the first; only for a gesture of WIDE
    does its answer count. None when the page shows nothing.
    """
    everything = places(page)
    candidates = actionable(page)
    choice = None
    if candidates:
        choice = await choose(asker, asked, page, candidates)
        if choice.node is not None:
            return choice
        if choice.reply.gesture not in WIDE:
            return await choose_by_marks(asker, asked, page, candidates) or choice
    if not everything:
        return choice
    wider = await choose(asker, asked, page, everything)
    if wider.reply.gesture in WIDE:
        return wider
    return choice or wider._replace(node=None)


async def _gesture(
    asker: Asker, step: int, action: Action, page: Snapshot, node: Node, reply: Clicking
) -> Gesture | None:
    """Return what is done to `node`; None when a drag has nowhere to end.

    A click on a list box that has the option chooses it: no person clicks in vain.
    """
    option = option_of(action, node.options, reply.text)
    match reply.gesture:
        case "other":
            raise JudgeError("the judge found no gesture that can be performed")
        case "hold":
            seconds = await _duration(asker, step, action)
            return Gesture(verb=Verb.HOLD, seconds=seconds)
        case "drag":
            return await _drag(asker, step, action, page, node)
        case "upload":
            return Gesture(verb=Verb.UPLOAD, text=_named(reply))
        case "select":
            return Gesture(verb=Verb.SELECT, text=option or _named(reply))
        case "click" if option:
            return Gesture(verb=Verb.SELECT, text=option)
        case verb:
            return Gesture(verb=Verb(verb))


def _with_reply(gesture: Gesture, reply: Clicking) -> Gesture:
    """Return the gesture with the answer to a dialog, unless it is the usual one."""
    accepts = reply.dialog == "accept"
    text = None
    if not gesture.text:
        text = reply.text or None
    if accepts and text is None:
        return gesture
    return gesture.model_copy(update={"replies": ((accepts, text),)})


def _nowhere_to_drop(label: str, candidates: int) -> Grounding:
    """Return the record of a drag that this page does not allow.

    It is the page that fails, not the judge.
    """
    reason = f"the page has no place to drop {label}"
    return Grounding(found=False, reason=reason, candidates=candidates)


async def _duration(asker: Asker, step: int, action: Action) -> float:
    """Ask for how many seconds the button is held."""
    words = HOLD.format(sentence=sentence(action))
    answer = await asker.ask(f"step {step}: duration", [text(words)], Duration)
    return answer.reply.seconds


def _named(reply: Clicking) -> str:
    """Return the option or the file. Raises JudgeError when the model named none."""
    if not reply.text:
        raise JudgeError(f"the judge did not say what to {reply.gesture}")
    return reply.text


async def _drag(
    asker: Asker, step: int, action: Action, page: Snapshot, node: Node
) -> Gesture | None:
    """Ask where the drag of `node` ends: at an element, or some way off; None when nowhere."""
    task = _drop_task(page, node)
    asked = Question(f"step {step}: drop", action, task, Drop)
    nodes = places(page)
    if node in nodes:
        nodes.remove(node)
    pictures = [image(page.screenshot)]
    choice = await choose(asker, asked, page, nodes, landmarks(nodes), pictures)
    reply = choice.reply
    if choice.node is not None:
        side = SIDES[reply.side]
        return Gesture(verb=Verb.DRAG, drop=choice.node.path, drop_at=side)
    if reply.dx or reply.dy:
        return Gesture(verb=Verb.DRAG, path=((reply.dx, reply.dy),))
    return None


def _drop_task(page: Snapshot, node: Node) -> str:
    """Return what is asked about the end of a drag; lengths are CSS pixels."""
    x, y = node.center
    _, _, width, height = node.box
    return DROP.format(
        label=elements.label(page, node),
        width=width,
        height=height,
        x=x,
        y=y,
        page_width=page.width,
        page_height=page.height,
    )
