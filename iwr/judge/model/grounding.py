"""Which element a description means, asked of a judge model: first from a list of the candidates, then on a marked screenshot."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, create_model

from iwr.browser.page_state import Node, Snapshot
from iwr.judge.model.asking import PAGE_IS_NO_VOICE, Asked, Asker, Part, Reply, image, text
from iwr.records import Grounding

NONE = "none"
LONGEST_LIST = 24_000  # characters: about 8,000 tokens
MOST_MARKS = 99
TOLD = ("checked", "expanded", "selected", "disabled", "pressed")  # states that help to choose
REASON = 200  # characters a judge may spend on its reason

LIST_PROMPT = """\
A person was asked to do this on a web page:
<action>{description}</action>

The page has these elements that can be acted on, each with its number, kind, label and surroundings:
<elements>
{elements}
</elements>

Which element is meant? Consider label, kind, order on the page (the list is in reading order), and surroundings. If the described \
element is not in the list, answer "none"; do not choose a similar one. {voice}
Answer with JSON: a short reason, then the number of the element, or "none"."""

MARKS_PROMPT = """\
A person was asked to do this on the web page in the screenshot:
<action>{description}</action>

Elements that can be acted on are framed and numbered, {first} to {last}. Which number is the described element? If none of them is, \
answer "none"; do not choose a similar one. {voice}
Answer with JSON: a short reason, then the number, or "none"."""


async def ground(
    asker: Asker, step: int, description: str, page: Snapshot, nodes: Sequence[Node]
) -> Grounding:
    """The element among `nodes` that `description` means. Raises JudgeError, ServerError."""
    if not nodes:
        return Grounding(
            found=False, candidates=0, reason="the page has nothing of that kind to act on"
        )
    listed = shortened(page, nodes)
    asked = await asker.ask(
        f"step {step}: grounding", list_prompt(description, page, listed), choice(len(listed))
    )
    if (node := chosen(asked, listed)) is not None:
        return record(page, node, asked, set_of_mark=False)
    seen = [node for node in nodes if node.in_view][:MOST_MARKS]
    if seen and page.screenshot:
        asked = await asker.ask(
            f"step {step}: grounding by marks",
            marks_prompt(description, page, seen),
            choice(len(seen)),
        )
        if (node := chosen(asked, seen)) is not None:
            return record(page, node, asked, set_of_mark=True)
    reason = f"the judge found no such element: {asked.reply.reason}"
    return Grounding(
        found=False,
        candidates=len(nodes),
        reason=reason,
        set_of_mark=bool(seen),
        prompt_sha256=asked.prompt_sha256,
        answer=asked.text,
    )


class Choice(Reply):
    reason: str = Field(max_length=REASON)
    element: str


def choice(count: int) -> type[Choice]:
    """A choice of one of the numbers 1..count or "none"."""
    numbers: Any = Literal[(*(str(number) for number in range(1, count + 1)), NONE)]
    return create_model("Choice", __base__=Choice, element=(numbers, ...))


def chosen(asked: Asked[Choice], nodes: Sequence[Node]) -> Node | None:
    return None if asked.reply.element == NONE else nodes[int(asked.reply.element) - 1]


def record(page: Snapshot, node: Node, asked: Asked[Choice], *, set_of_mark: bool) -> Grounding:
    return Grounding(
        found=True,
        role=node.role,
        name=page.label(node)[:120] or None,
        locator=node.path,
        point=node.center,
        candidates=len(page.candidates),
        set_of_mark=set_of_mark,
        reason=asked.reply.reason,
        prompt_sha256=asked.prompt_sha256,
        answer=asked.text,
    )


# ---- prompts --------------------------------------------------------------------------------------------


def list_prompt(description: str, page: Snapshot, nodes: Sequence[Node]) -> list[Part]:
    lines = "\n".join(f"{number}. {line(page, node)}" for number, node in enumerate(nodes, 1))
    return [
        text(LIST_PROMPT.format(description=description, elements=lines, voice=PAGE_IS_NO_VOICE))
    ]


def marks_prompt(description: str, page: Snapshot, nodes: Sequence[Node]) -> list[Part]:
    words = MARKS_PROMPT.format(
        description=description, first=1, last=len(nodes), voice=PAGE_IS_NO_VOICE
    )
    return [image(marked(page.screenshot, nodes)), text(words)]


def shortened(page: Snapshot, nodes: Sequence[Node]) -> list[Node]:
    """As many as fit the prompt, in reading order; parts of a listening element come last, what is in view first."""
    room, kept = LONGEST_LIST, []
    for node in sorted(
        nodes, key=lambda node: (node.how in ("under", "page"), not node.in_view, node.index)
    ):
        room -= len(line(page, node)) + 6
        if room < 0:
            break
        kept.append(node)
    return sorted(kept, key=lambda node: node.index)


def line(page: Snapshot, node: Node) -> str:
    """One element in a line: kind, label, what it holds, its states, its surroundings, whether it is in view."""
    parts = [f"{kind(node)} {quote(page.label(node), 80)}"]
    if node.value:
        parts.append(f"holds {quote(node.value, 40)}")
    if node.options:
        parts.append("options " + ", ".join(quote(option, 30) for option in node.options[:12]))
    parts += [f"{name} {value}" for name, value in node.states.items() if name in TOLD]
    if near := surroundings(page, node):
        parts.append(f"near {quote(near, 80)}")
    if not node.in_view:
        parts.append("out of view")
    return "; ".join(parts)


def kind(node: Node) -> str:
    return node.role if node.role != "generic" else f"<{node.tag}>"


def surroundings(page: Snapshot, node: Node) -> str:
    """Text of the nearest holder that says more than the element itself."""
    own = page.text(node)
    for holder in list(page.ancestors(node))[:5]:
        said = page.text(holder)
        if len(said) > len(own) + 2:
            return said if len(said) < 300 else ""
    return ""


def quote(words: str, most: int) -> str:
    words = " ".join(words.replace('"', "'").replace("<", "‹").replace(">", "›").split())
    return f'"{words[:most]}{"…" if len(words) > most else ""}"'


def marked(png: bytes, nodes: Sequence[Node]) -> bytes:
    """The screenshot with a numbered frame around each element."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=14)
    for number, node in enumerate(nodes, 1):
        x, y, width, height = node.box
        draw.rectangle((x, y, x + width, y + height), outline="#d0021b", width=2)
        left, top, right, bottom = draw.textbbox((max(0, x), max(0, y)), str(number), font=font)
        draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), fill="#d0021b")
        draw.text((max(0, x), max(0, y)), str(number), fill="white", font=font)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
