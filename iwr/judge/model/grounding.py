"""Which element a description means, asked of a judge model.

The model chooses from a list of the candidates; when it finds none there, from the screenshot with
numbered marks (set-of-mark).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model

from iwr.browser.page_state import Node, Snapshot
from iwr.judge.model.asking import (
    PAGE_IS_EVIDENCE,
    Asker,
    Part,
    StructuredReply,
    UsableAnswer,
    image,
    text,
)
from iwr.records import Grounding

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

NONE = "none"
LONGEST_LIST = 24_000  # characters: about 8,000 tokens
LINE_OVERHEAD = 6  # characters: the number of a line and its end
MOST_MARKS = 99
LISTED_STATES = ("checked", "expanded", "selected", "disabled", "pressed")
REASON = 200  # characters a judge may spend on its reason
LONGEST_NAME = 120  # characters
MOST_OPTIONS = 12
MOST_HOLDERS = 5
LONGEST_SURROUNDINGS = 300  # characters
MARK_COLOUR = "#d0021b"

LIST_PROMPT = """\
A person was asked to do this on a web page:
<action>{description}</action>

The page has these elements that can be acted on, each with its number, kind, label and \
surroundings:
<elements>
{elements}
</elements>

Which element is meant? Consider label, kind, order on the page (the list is in reading order), \
and surroundings. If the described \
element is not in the list, answer "none"; do not choose a similar one. {voice}
Answer with JSON: a short reason, then the number of the element, or "none"."""

MARKS_PROMPT = """\
A person was asked to do this on the web page in the screenshot:
<action>{description}</action>

Elements that can be acted on are framed and numbered, {first} to {last}. \
Which number is the described element? If none of them is, \
answer "none"; do not choose a similar one. {voice}
Answer with JSON: a short reason, then the number, or "none"."""


class Choice(StructuredReply):
    reason: str = Field(max_length=REASON)
    element: str


async def ground(
    asker: Asker,
    step: int,
    description: str,
    page: Snapshot,
    nodes: Sequence[Node],
) -> Grounding:
    """Return the element among `nodes` that `description` means. Raises JudgeError, ServerError."""
    if not nodes:
        reason = "the page has nothing of that kind to act on"
        return Grounding(found=False, candidates=0, reason=reason)
    listed = shortened(page, nodes)
    prompt = list_prompt(description, page, listed)
    answer = await asker.ask(f"step {step}: grounding", prompt, choice(len(listed)))
    node = chosen(answer, listed)
    if node is not None:
        return grounding_of(page, node, answer, set_of_mark=False)
    visible = [node for node in nodes if node.in_view][:MOST_MARKS]
    if visible and page.screenshot:
        prompt = marks_prompt(description, page, visible)
        answer = await asker.ask(f"step {step}: grounding by marks", prompt, choice(len(visible)))
        node = chosen(answer, visible)
        if node is not None:
            return grounding_of(page, node, answer, set_of_mark=True)
    return Grounding(
        found=False,
        candidates=len(nodes),
        reason=f"the judge found no such element: {answer.reply.reason}",
        set_of_mark=bool(visible),
        prompt_sha256=answer.prompt_sha256,
        answer=answer.text,
    )


def choice(count: int) -> type[Choice]:
    """Return the schema for a choice of one of the numbers 1..count or "none"."""
    numbers = [str(number) for number in range(1, count + 1)]
    allowed: Any = Literal[(*numbers, NONE)]
    return create_model("Choice", __base__=Choice, element=(allowed, ...))


def chosen(answer: UsableAnswer[Choice], nodes: Sequence[Node]) -> Node | None:
    """Return the chosen element; None when the answer is "none"."""
    element = answer.reply.element
    return None if element == NONE else nodes[int(element) - 1]


def grounding_of(
    page: Snapshot,
    node: Node,
    answer: UsableAnswer[Choice],
    *,
    set_of_mark: bool,
) -> Grounding:
    """Return the record of a choice."""
    return Grounding(
        found=True,
        role=node.role,
        name=page.label(node)[:LONGEST_NAME] or None,
        locator=node.path,
        point=node.center,
        candidates=len(page.candidates),
        set_of_mark=set_of_mark,
        reason=answer.reply.reason,
        prompt_sha256=answer.prompt_sha256,
        answer=answer.text,
    )


# ---- the list ----------------------------------------------------------------------------------


def list_prompt(
    description: str,
    page: Snapshot,
    nodes: Sequence[Node],
) -> list[Part]:
    """Return the question with the elements as a numbered list."""
    lines = []
    for number, node in enumerate(nodes, 1):
        lines.append(f"{number}. {line(page, node)}")
    words = LIST_PROMPT.format(
        description=description, elements="\n".join(lines), voice=PAGE_IS_EVIDENCE
    )
    return [text(words)]


def shortened(page: Snapshot, nodes: Sequence[Node]) -> list[Node]:
    """Return as many elements as fit the prompt, in reading order.

    What is in view is kept first; parts of a listening element are kept last.
    """

    def priority(node: Node) -> tuple[bool, bool, int]:
        return node.how in ("under", "page"), not node.in_view, node.index

    room = LONGEST_LIST
    kept = []
    for node in sorted(nodes, key=priority):
        room -= len(line(page, node)) + LINE_OVERHEAD
        if room < 0:
            break
        kept.append(node)
    return sorted(kept, key=lambda node: node.index)


def line(page: Snapshot, node: Node) -> str:
    """Describe an element in one line: kind, label, content, states, surroundings, in view."""
    parts = [f"{kind(node)} {quote(page.label(node), 80)}"]
    if node.value:
        parts.append(f"holds {quote(node.value, 40)}")
    if node.options:
        options = [quote(option, 30) for option in node.options[:MOST_OPTIONS]]
        parts.append("options " + ", ".join(options))
    for name, value in node.states.items():
        if name in LISTED_STATES:
            parts.append(f"{name} {value}")
    if near := surroundings(page, node):
        parts.append(f"near {quote(near, 80)}")
    if not node.in_view:
        parts.append("out of view")
    return "; ".join(parts)


def kind(node: Node) -> str:
    """Return the role, or the tag of an element without one."""
    return node.role if node.role != "generic" else f"<{node.tag}>"


def surroundings(page: Snapshot, node: Node) -> str:
    """Return the text of the nearest holder that has more text than the element itself."""
    own = page.text(node)
    for holder in list(page.ancestors(node))[:MOST_HOLDERS]:
        words = page.text(holder)
        if len(words) > len(own) + 2:
            return words if len(words) < LONGEST_SURROUNDINGS else ""
    return ""


def quote(words: str, most: int) -> str:
    """Return at most `most` characters in quotes, without what could end the list."""
    plain = words.replace('"', "'").replace("<", "‹").replace(">", "›")
    plain = " ".join(plain.split())
    ellipsis = "…" if len(plain) > most else ""
    return f'"{plain[:most]}{ellipsis}"'


# ---- set-of-mark -------------------------------------------------------------------------------


def marks_prompt(
    description: str,
    page: Snapshot,
    nodes: Sequence[Node],
) -> list[Part]:
    """Return the marked screenshot and the question."""
    words = MARKS_PROMPT.format(
        description=description, first=1, last=len(nodes), voice=PAGE_IS_EVIDENCE
    )
    return [image(marked_screenshot(page.screenshot, nodes)), text(words)]


def marked_screenshot(png: bytes, nodes: Sequence[Node]) -> bytes:
    """Return the screenshot (PNG) with a numbered frame around each element."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=14)
    for number, node in enumerate(nodes, 1):
        _draw_mark(draw, font, node, str(number))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _draw_mark(
    draw: ImageDraw,
    font: FreeTypeFont | ImageFont,
    node: Node,
    label: str,
) -> None:
    x, y, width, height = node.box
    draw.rectangle((x, y, x + width, y + height), outline=MARK_COLOUR, width=2)
    corner = (max(0, x), max(0, y))
    left, top, right, bottom = draw.textbbox(corner, label, font=font)
    draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), fill=MARK_COLOUR)
    draw.text(corner, label, fill="white", font=font)
