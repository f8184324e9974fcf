"""How elements are shown to a judge model: as lines of text, or marked on a picture."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from iwr.browser.page_state import Node, Snapshot
from iwr.contract.elements import label_of

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

LONGEST_LIST = 24_000  # characters: about 8,000 tokens
LINE_OVERHEAD = 6  # characters: the number of a line and its end
LONGEST_LABEL = 80  # characters
LISTED_STATES = ("checked", "expanded", "selected", "disabled", "pressed")
MOST_OPTIONS = 12
MOST_HOLDERS = 5
LONGEST_SURROUNDINGS = 300  # characters
LONGEST_NEAR = 80  # characters of them in a line
LONGEST_VALUE = 40  # characters
LONGEST_OPTION = 30  # characters
MORE_TEXT = 2  # characters: a holder with fewer more than the element adds a mark, no word
HARMLESS = str.maketrans({'"': "'", "<": "‹", ">": "›"})
"""What could end a quoted text or the list -> what is shown in its place."""

MARK_COLOUR = "#d0021b"
MARK_SIZE = 14  # pixels: the height of its number
FRAME = 2  # pixels


def numbered(page: Snapshot, nodes: Sequence[Node]) -> str:
    """Return a line for each element, numbered from 1."""
    lines = []
    for number, node in enumerate(nodes, 1):
        words = line(page, node)
        lines.append(f"{number}. {words}")
    return "\n".join(lines)


def shortened(page: Snapshot, nodes: Sequence[Node], important: Collection[int] = ()) -> list[Node]:
    """Return as many elements as fit the prompt, in reading order.

    The `important` ones (by index) are kept first, then what is in view; parts of a listening
    element are kept last.
    """

    def priority(node: Node) -> tuple[bool, bool, bool, int]:
        """Return what to sort by; False sorts before True."""
        is_minor = node.index not in important
        is_part = node.how in ("under", "page")
        is_hidden = not node.in_view
        return is_minor, is_part, is_hidden, node.index

    room = LONGEST_LIST
    fitting = []
    for node in sorted(nodes, key=priority):
        words = line(page, node)
        room -= len(words) + LINE_OVERHEAD
        if room < 0:
            break
        fitting.append(node)
    return sorted(fitting, key=lambda node: node.index)


def line(page: Snapshot, node: Node) -> str:
    """Describe an element in one line: kind, label, content, states, surroundings, in view.

    The parts are separated by semicolons; what the page says stands in quotes. All of it is the
    page's own text: a prompt tells the model that it is evidence, never an instruction.
    """
    first = label(page, node)
    parts = [first, *_other_names(node, first), *_content(node), *_states(node)]
    near = surroundings(page, node)
    if near:
        near = quote(near, LONGEST_NEAR)
        parts.append(f"near {near}")
    if node.visible and not node.in_view:
        parts.append("out of view")
    return "; ".join(parts)


def _other_names(node: Node, label: str) -> Iterator[str]:
    """Yield the name for programs and the placeholder, where the label does not hold them."""
    names = {"named": node.name, "placeholder": node.placeholder}
    for key, name in names.items():
        words = quote(name, LONGEST_LABEL)
        if name and words not in label:
            yield f"{key} {words}"


def _content(node: Node) -> Iterator[str]:
    """Yield what a field holds, and what can be chosen in it."""
    if node.value:
        value = quote(node.value, LONGEST_VALUE)
        yield f"holds {value}"
    if node.options:
        options = []
        for option in node.options[:MOST_OPTIONS]:
            options.append(quote(option, LONGEST_OPTION))
        yield "options " + ", ".join(options)


def _states(node: Node) -> Iterator[str]:
    """Yield the states that a person would notice before acting."""
    for name, value in node.states.items():
        if name in LISTED_STATES:
            yield f"{name} {value}"
    if node.focused:
        yield "has the focus"
    if is_scroller(node):
        yield "can be scrolled"


def is_scroller(node: Node) -> bool:
    """Return whether the element itself can be scrolled."""
    return bool(node.scroll_x or node.scroll_y)


def label(page: Snapshot, node: Node) -> str:
    """Return kind and label: what a person reads, else what only a program does."""
    words = label_of(page, node)
    if not words:
        words = page.label(node)
    words = quote(words, LONGEST_LABEL)
    return f"{kind(node)} {words}"


def kind(node: Node) -> str:
    """Return the role, or the tag of an element without one."""
    if node.role == "generic":
        return f"<{node.tag}>"
    return node.role


def surroundings(page: Snapshot, node: Node) -> str:
    """Return the text of the nearest holder that has more text than the element itself.

    It tells apart elements with the same label, such as the "Add" buttons of a list of products.
    Empty where the holder is so large that its text says nothing about the element.
    """
    own = page.text(node)
    holders = list(page.ancestors(node))
    for holder in holders[:MOST_HOLDERS]:
        words = page.text(holder)
        if len(words) >= LONGEST_SURROUNDINGS:
            return ""
        if len(words) > len(own) + MORE_TEXT:
            return words
    return ""


def quote(words: str, most: int) -> str:
    """Return at most `most` characters in quotes, without what could end the list.

    White space is shown as one space, so that an element stays on its line.
    """
    plain = words.translate(HARMLESS)
    plain = " ".join(plain.split())
    if len(plain) > most:
        plain = f"{plain[:most]}…"
    return f'"{plain}"'


def marked_screenshot(png: bytes, nodes: Sequence[Node]) -> bytes:
    """Return the screenshot (PNG) with a numbered frame around each element.

    Numbers begin at 1. The screenshot has one pixel a CSS pixel, so boxes need no scaling.
    """
    from PIL import Image, ImageDraw, ImageFont

    file = io.BytesIO(png)
    picture = Image.open(file).convert("RGB")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=MARK_SIZE)
    for number, node in enumerate(nodes, 1):
        left, top, width, height = node.box
        frame = (left, top, left + width, top + height)
        draw.rectangle(frame, outline=MARK_COLOUR, width=FRAME)
        corner = (max(0, left), max(0, top))
        _draw_number(draw, font, corner, str(number))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _draw_number(
    draw: ImageDraw,
    font: FreeTypeFont | ImageFont,
    corner: tuple[float, float],
    number: str,
) -> None:
    """Write a number on a coloured ground, so that it can be read on any page.

    `corner`: the left top one, (x, y) in pixels of the picture.
    """
    left, top, right, bottom = draw.textbbox(corner, number, font=font)
    ground = (left - FRAME, top - FRAME, right + FRAME, bottom + FRAME)
    draw.rectangle(ground, fill=MARK_COLOUR)
    draw.text(corner, number, fill="white", font=font)
