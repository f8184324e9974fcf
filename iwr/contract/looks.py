"""How a text or an element is painted, as a person would say it: struck through, bold, red."""

from __future__ import annotations

import colorsys
import re
from typing import NamedTuple

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.schema import Aspect

BOLD = 600
DIM = 0.75  # opacity
SAME_COLOUR = 110.0  # distance of two colours that a person would call by the same name, 0..442
# of `look` in walker.js
PARTS = ["color", "background", "image", "border", "weight", "decoration", "fill"]
PARTS += ["shadow", "opacity", "transform", "filter"]
CLEAR = "none"
DRAWN = {"svg", "path", "polygon", "circle", "ellipse", "rect", "line", "g", "use"}


class Colour(NamedTuple):
    red: float
    green: float
    blue: float
    alpha: float

    @classmethod
    def parse(cls, text: str) -> Colour | None:
        """Read `rgb(...)`, `rgba(...)` or `color(srgb ...)`. None: another notation."""
        numbers = [float(number) for number in re.findall(r"[\d.]+", text)]
        if len(numbers) < 3 or not text.startswith(("rgb", "color(srgb")):
            return None
        scale = 255.0 if text.startswith("color") else 1.0
        alpha = numbers[3] if len(numbers) > 3 else 1.0
        return cls(
            numbers[0] * scale,
            numbers[1] * scale,
            numbers[2] * scale,
            alpha,
        )


def same_colour(first: str, second: str) -> bool:
    """Return whether two colours look alike: near to each other, or of one hue."""
    if first == second:
        return True
    a, b = Colour.parse(first), Colour.parse(second)
    if a is None or b is None:
        return False
    distance = (
        sum(
            (x - y) ** 2
            for x, y in zip(
                a[:3],
                b[:3],
                strict=True,
            )
        )
        ** 0.5
    )
    if distance > SAME_COLOUR:
        return False
    return distance < 30 or _hue(a) == _hue(b)


def _hue(colour: Colour) -> int:
    """Return one of eight hues, or -1 for grey, -2 for black and -3 for white."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour[:3]))
    if light < 0.12:
        return -2
    if light > 0.93:
        return -3
    if saturation < 0.15:
        return -1
    return round(hue * 8) % 8


def parts(node: Node) -> dict[str, str]:
    """Return the computed style of a node by name."""
    return dict(
        zip(
            PARTS,
            node.look.split("|"),
            strict=False,
        )
    )


def aspects(snapshot: Snapshot, node: Node) -> dict[Aspect, str]:
    """Return how `node` and the text in it are painted, decorations of its ancestors included."""
    own = parts(node)
    decorations = own.get("decoration", "")
    background = own.get("background", "")
    for ancestor in snapshot.ancestors(node):
        style = parts(ancestor)
        decorations += " " + style.get("decoration", "")
        if _is_clear(background):
            background = style.get("background", "")
    return {
        Aspect.STRUCK: _flag("line-through" in decorations),
        Aspect.UNDERLINED: _flag("underline" in decorations),
        Aspect.BOLD: _flag(_weight(own.get("weight", "")) >= BOLD),
        Aspect.DIMMED: _flag(_number(own.get("opacity", "")) < DIM),
        Aspect.COLOUR: own.get("fill" if node.tag in DRAWN else "color", ""),
        Aspect.BACKGROUND: CLEAR if _is_clear(background) else background,
        Aspect.BORDER: own.get("border", ""),
    }


def same_aspect(
    aspect: Aspect,
    first: str,
    second: str,
) -> bool:
    """Return whether two values of an aspect look alike."""
    if aspect in (Aspect.COLOUR, Aspect.BACKGROUND, Aspect.BORDER):
        return same_colour(first, second)
    return first == second


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _is_clear(background: str) -> bool:
    colour = Colour.parse(background)
    return colour is None or colour.alpha < 0.05


def _weight(text: str) -> int:
    if text.isdigit():
        return int(text)
    return 700 if text.startswith("bold") else 400


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
