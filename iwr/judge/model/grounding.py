"""Which element an action means, asked of a judge model together with how the action is done.

The model chooses from a list of the elements; where it finds none there, from the screenshot with
numbered marks (set-of-mark).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import Field, create_model

from iwr.browser.page_state import Node, Snapshot
from iwr.judge.model import elements
from iwr.judge.model.asking import (
    PAGE_IS_EVIDENCE,
    Asker,
    Part,
    StructuredReply,
    UsableAnswer,
    image,
    text,
)
from iwr.records import Action, Gesture, Grounding

NONE = "none"
MOST_MARKS = 99
REASON = 200  # characters a judge may spend on its reason
LONGEST_NAME = 120  # characters

LIST_PROMPT = """\
A person was asked to do this on a web page:
<action>{sentence}</action>
{context}
The page has these elements, each with its number, kind, label and surroundings:
<elements>
{elements}
</elements>

{task} Consider label, kind, order on the page (the list is in reading order), and surroundings. \
If the described element is not in the list, answer "none"; do not choose a similar one. {voice}
Answer with JSON: a short reason, then the other fields."""

MARKS_PROMPT = """\
A person was asked to do this on the web page in the screenshot:
<action>{sentence}</action>
{context}
Elements that can be acted on are framed and numbered, {first} to {last}.

{task} If no number is the described element, answer "none"; do not choose a similar one. {voice}
Answer with JSON: a short reason, then the other fields."""


class ElementReply(StructuredReply):
    reason: str = Field(max_length=REASON)
    element: str


R = TypeVar("R", bound=ElementReply)


class Question(NamedTuple, Generic[R]):
    """A question for whose answer an element is chosen."""

    name: str  # in logs and errors
    action: Action
    task: str  # what is asked, and what the fields of the answer mean
    reply: type[R]
    context: str = ""  # what was done before


class Choice(NamedTuple, Generic[R]):
    """What the model answered. `node` is None when it found no such element."""

    node: Node | None
    answer: UsableAnswer[R]
    candidates: int
    set_of_mark: bool = False

    @property
    def reply(self) -> R:
        return self.answer.reply


async def choose(
    asker: Asker,
    question: Question[R],
    page: Snapshot,
    nodes: Sequence[Node],
    important: Collection[int] = (),
    pictures: Sequence[Part] = (),
) -> Choice[R]:
    """Ask for one of `nodes` in a list; there must be some. Raises JudgeError, ServerError."""
    listed = elements.shortened(page, nodes, important)
    words = LIST_PROMPT.format(
        sentence=sentence(question.action),
        context=question.context,
        elements=elements.numbered(page, listed),
        task=question.task,
        voice=PAGE_IS_EVIDENCE,
    )
    kind = numbers_of(question.reply, len(listed))
    answer = await asker.ask(question.name, [*pictures, text(words)], kind)
    node = _chosen(answer, listed)
    return Choice(node, answer, len(nodes))


async def choose_by_marks(
    asker: Asker, question: Question[R], page: Snapshot, nodes: Sequence[Node]
) -> Choice[R] | None:
    """Ask for one of `nodes` on the screenshot; None when none of them is in view."""
    visible = [node for node in nodes if node.in_view]
    marked = visible[:MOST_MARKS]
    if not marked or not page.screenshot:
        return None
    prompt = marks_prompt(question, page, marked)
    kind = numbers_of(question.reply, len(marked))
    answer = await asker.ask(f"{question.name} by marks", prompt, kind)
    node = _chosen(answer, marked)
    return Choice(node, answer, len(nodes), set_of_mark=True)


def marks_prompt(question: Question[R], page: Snapshot, nodes: Sequence[Node]) -> list[Part]:
    """Return the marked screenshot and the question."""
    words = MARKS_PROMPT.format(
        sentence=sentence(question.action),
        context=question.context,
        first=1,
        last=len(nodes),
        task=question.task,
        voice=PAGE_IS_EVIDENCE,
    )
    picture = elements.marked_screenshot(page.screenshot, nodes)
    return [image(picture), text(words)]


def sentence(action: Action) -> str:
    """Return what the person was asked to do; without a description, what the parameters say."""
    parameters = action.parameters
    if parameters.description:
        return parameters.description
    what = parameters.text or parameters.key or parameters.direction or ""
    return f"{action.type} {what}"


def numbers_of(reply: type[R], count: int) -> type[R]:
    """Return the schema in which the element is one of the numbers 1..count or "none"."""
    numbers = map(str, range(1, count + 1))
    element: Any = Literal[(*numbers, NONE)]
    return create_model(reply.__name__, __base__=reply, element=(element, ...))


def _chosen(answer: UsableAnswer[R], nodes: Sequence[Node]) -> Node | None:
    """Return the element with the number of the answer (from 1); None for "none"."""
    element = answer.reply.element
    if element == NONE:
        return None
    index = int(element) - 1
    return nodes[index]


def grounding_of(page: Snapshot, choice: Choice[R], gesture: Gesture) -> Grounding:
    """Return the record of a choice, with what is done to the element."""
    node = choice.node
    reason = choice.reply.reason
    grounding = Grounding(
        found=node is not None,
        candidates=choice.candidates,
        set_of_mark=choice.set_of_mark,
        prompt_sha256=choice.answer.prompt_sha256,
        answer=choice.answer.text,
        reason=reason if node else f"the judge found no such element: {reason}",
    )
    if node is None:
        return grounding
    element = {
        "role": node.role,
        "name": page.label(node)[:LONGEST_NAME] or None,
        "locator": node.path,
        "point": node.center,
        "gesture": gesture,
    }
    return grounding.model_copy(update=element)


def nothing_to_act_on() -> Grounding:
    """Return the record of a page that has no element to choose from."""
    return Grounding(found=False, reason="the page has nothing of that kind to act on")
