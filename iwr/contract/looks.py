"""How a text or an element is painted, as a person would say it: struck through, bold, red."""

from __future__ import annotations

import colorsys
import math
import re
from typing import NamedTuple

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.schema import Aspect

BOLD = 600
DIM = 0.75  # opacity
CLEAR_ALPHA = 0.05
SAME_COLOUR = 110.0  # distance of two colours that a person would call by the same name, 0..442
SAME_SHADE = 30.0  # distance of two colours that are alike, whatever their hues
# of `look` in walker.js
PARTS = ["color", "background", "image", "border", "weight", "decoration", "fill"]
PARTS += ["shadow", "opacity", "transform", "filter"]
CLEAR = "none"
NUMBER = re.compile(r"[\d.]+")
DRAWN = {"svg", "path", "polygon", "circle", "ellipse", "rect", "line", "g", "use"}
COLOURED = (Aspect.COLOUR, Aspect.BACKGROUND, Aspect.BORDER)
GREY = -1
BLACK = -2
WHITE = -3
"""Hues of what has none; the others are 0 to 7."""


# ---- colours ---------------------------------------------------------------------------


class Colour(NamedTuple):
    """Parts are 0 to 255, `alpha` is 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float

    @classmethod
    def parse(cls, text: str) -> Colour | None:
        """Read `rgb(...)`, `rgba(...)` or `color(srgb ...)`. None: another notation."""
        if not text.startswith(("rgb", "color(srgb")):
            return None
        numbers = list(map(float, NUMBER.findall(text)))
        if len(numbers) < 3:
            return None
        red, green, blue, *rest = numbers
        alpha = rest[0] if rest else 1.0
        scale = 1.0
        if text.startswith("color"):
            scale = 255.0
        return cls(
            red=red * scale,
            green=green * scale,
            blue=blue * scale,
            alpha=alpha,
        )

    def on_white(self, alpha: float) -> Colour:
        """Return the colour that is seen where this one, so transparent, is painted on white."""
        paper = 255.0 * (1 - alpha)
        return Colour(
            red=paper + alpha * self.red,
            green=paper + alpha * self.green,
            blue=paper + alpha * self.blue,
            alpha=1.0,
        )

    @property
    def hue(self) -> int:
        """Return one of eight hues, or what a colour without a hue is."""
        hue, light, saturation = colorsys.rgb_to_hls(
            self.red / 255,
            self.green / 255,
            self.blue / 255,
        )
        if light < 0.12:
            return BLACK
        if light > 0.93:
            return WHITE
        if saturation < 0.15:
            return GREY
        return round(hue * 8) % 8


def same_colour(first: str, second: str) -> bool:
    """Return whether two colours look alike: near to each other, or of one hue."""
    if first == second:
        return True
    a = Colour.parse(first)
    b = Colour.parse(second)
    if a is None or b is None:
        return False
    distance = math.dist(a[:3], b[:3])
    if distance > SAME_COLOUR:
        return False
    if distance < SAME_SHADE:
        return True
    return a.hue == b.hue


# ---- elements --------------------------------------------------------------------------


def parts(node: Node) -> dict[str, str]:
    """Return the computed style of a node by name."""
    values = node.look.split("|")
    return dict(zip(PARTS, values, strict=False))


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
    if _is_clear(background):
        background = CLEAR
    colour = "fill" if node.tag in DRAWN else "color"
    return {
        Aspect.STRUCK: _flag("line-through" in decorations),
        Aspect.UNDERLINED: _flag("underline" in decorations),
        Aspect.BOLD: _flag(_weight(own) >= BOLD),
        Aspect.DIMMED: _flag(_opacity(own) < DIM),
        Aspect.COLOUR: own.get(colour, ""),
        Aspect.BACKGROUND: background,
        Aspect.BORDER: own.get("border", ""),
    }


def ink_of(snapshot: Snapshot, node: Node) -> str:
    """Return the colour in which the text of `node` is seen on white, transparency included."""
    text = aspects(snapshot, node)[Aspect.COLOUR]
    colour = Colour.parse(text)
    if colour is None:
        return text
    alpha = colour.alpha * _opacity(parts(node))
    for ancestor in snapshot.ancestors(node):
        alpha *= _opacity(parts(ancestor))
    red, green, blue, _ = colour.on_white(alpha)
    return f"rgb({red:.0f}, {green:.0f}, {blue:.0f})"


def same_aspect(aspect: Aspect, first: str, second: str) -> bool:
    """Return whether two values of an aspect look alike."""
    if aspect in COLOURED:
        return same_colour(first, second)
    return first == second


def differ(page: Snapshot, first: Node, second: Node, aspect: Aspect) -> bool:
    """Return whether two elements are painted otherwise; what is transparent is paler."""
    one = _painted(page, first, aspect)
    other = _painted(page, second, aspect)
    return not same_aspect(aspect, one, other)


def _painted(page: Snapshot, node: Node, aspect: Aspect) -> str:
    """Return how an element is painted; of its colour, what is seen on white."""
    if aspect is Aspect.COLOUR:
        return ink_of(page, node)
    return aspects(page, node)[aspect]


def _flag(value: bool) -> str:
    """Return a truth as an aspect has it."""
    return "true" if value else "false"


def _is_clear(background: str) -> bool:
    """Return whether what is behind an element shows through its background."""
    colour = Colour.parse(background)
    if colour is None:
        return True
    return colour.alpha < CLEAR_ALPHA


def _weight(style: dict[str, str]) -> int:
    """Return how bold a text is, 1 to 1000."""
    text = style.get("weight", "")
    if text.isdigit():
        return int(text)
    if text.startswith("bold"):
        return 700
    return 400


def _opacity(style: dict[str, str]) -> float:
    """Return how opaque an element is, 0 to 1; 1 where its style does not say it."""
    text = style.get("opacity", "")
    try:
        return float(text)
    except ValueError:
        return 1.0
