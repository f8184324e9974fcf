"""What the sentence of an action asks for: the text to type, the keys to press, where to scroll. No page is needed here."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from iwr.errors import JudgeError
from iwr.judge.rules.language import QUOTED, quotes
from iwr.records import Action

PAGE_SHARE = (
    0.5  # of the viewport: one scroll where nothing says how far, as in the reference evaluator
)


class Typing(NamedTuple):
    text: str
    target: str  # noun phrase for the field; "" when the sentence names none
    clear: bool  # replace what the field holds
    then: str | None  # a key pressed afterwards: "… and press Enter"


class Scrolling(NamedTuple):
    dx: int  # direction: -1, 0 or 1
    dy: int
    share: float  # of the viewport
    end: bool  # all the way
    target: str  # noun phrase for the place to reach; "" for none
    inside: str  # noun phrase for what is scrolled; "" for the page


# ---- typing ---------------------------------------------------------------------------------------------

TEXT_VERBS = "type|enter|input|write|fill(?: in| out)?|put|set|change|insert|append|add|replace|search(?: for)?|key in|paste|provide|specify"
TEXT_NOUNS = "text|word|words|phrase|value|number|name|query|term"
LEAD = re.compile(rf"^(?:please |then |now )*(?:{TEXT_VERBS})\b\s*", re.I)
INTO = re.compile(
    r"^[\s,]*(?:in|into|inside|in to|on|onto|to|as|for|at|within)\s+(.+)$", re.I | re.S
)
THEN_PRESS = re.compile(
    r"[\s,]*\b(?:and|then)\s+(?:then\s+)?(?:press|hit)(?:ing)?\s+(?:the\s+)?(.+?)(?:\s+key)?$", re.I
)
APPEND = re.compile(
    r"\bappend|\bat the end\b|\bto the (?:existing|end)|\bafter the (?:existing|text)|\bcontinue typing",
    re.I,
)
BEFORE_TEXT = re.compile(
    rf"(?:{TEXT_VERBS}|typ\w+|enter\w+|with|to|as|the (?:{TEXT_NOUNS}))\s*:?\s*$", re.I
)
BARE = re.compile(
    rf"(?:type|enter|input|write|insert|append|search for|key in)\s+(?:the (?:{TEXT_NOUNS})\s+)?(.+?)"
    r"(?:\s+(?:in|into|in to|on|to|inside)\s+(?:the|a|an|its)\b.*)?$",
    re.I,
)


def typing(action: Action) -> Typing:
    """What to type and where. Quoted text counts exactly as written. Raises JudgeError when there is no text."""
    sentence, then = action.parameters.description.strip().rstrip("."), None
    press = THEN_PRESS.search(sentence)
    if press and not any(
        quote.start() <= press.start() < quote.end() for quote in QUOTED.finditer(sentence)
    ):
        sentence, then = sentence[: press.start()], press[1].strip("'\"")
    text, quote = action.parameters.text, typed_quote(sentence, action.parameters.text)
    bare = BARE.search(sentence)
    if text is None and (quote or bare):
        text = quotes(quote[0])[0] if quote else bare[1] if bare else None
    if text is None:
        raise JudgeError(
            f"nothing says what to type: {sentence!r}",
            hint="give parameters.text, or quote the text in the description",
        )
    at = sentence.find(text)
    start, end = quote.span() if quote else (at, at + len(text)) if at >= 0 else (0, 0)
    clear = not APPEND.search(QUOTED.sub("", sentence))
    return Typing(text, field_phrase(sentence[:start], sentence[end:]), clear, then)


def typed_quote(sentence: str, text: str | None) -> re.Match[str] | None:
    """The quote that is typed: the given text, else what follows "type", "with" or the like, else the first."""
    found = list(QUOTED.finditer(sentence))
    if text is not None:
        return next((quote for quote in found if quote[0][1:-1] == text), None)
    return next(
        (quote for quote in found if BEFORE_TEXT.search(sentence[: quote.start()])),
        found[0] if found else None,
    )


def field_phrase(before: str, after: str) -> str:
    """What names the field in "Type ⟨text⟩ into F", "Fill F with ⟨text⟩", "Click F and type ⟨text⟩"."""
    into = INTO.match(after)
    if into:
        return into[1].strip()
    if re.match(r"\s*(?:please |then )*search\b", before, re.I):
        return "search box"
    tail = rf"[\s,]*\b(?:with|to|as|and|then|by)?\s*(?:typing|type|enter|entering|input|write|the (?:{TEXT_NOUNS})|with|to|as)?[\s:,]*$"
    named = LEAD.sub("", re.sub(tail, "", before.strip(), flags=re.I))
    named = re.sub(
        r"^(?:in|into|click(?: on| into)?|select|focus(?: on)?)\s+", "", named, flags=re.I
    ).strip(" ,")
    return "" if re.fullmatch(rf"(?:the\s?)?(?:{TEXT_NOUNS})?", named, re.I) else named


# ---- pressing -------------------------------------------------------------------------------------------

KEY_NAMES = {
    "space bar": "Space",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "up": "ArrowUp",
    "down": "ArrowDown",
}
KEY_LEAD = re.compile(
    r"^.*?\b(?:press|hit|push|tap|use|type)(?:ing)?\b\s*(?:and hold\s+)?(?:on\s+)?(?:the\s+)?", re.I
)
KEY_NOISE = re.compile(
    r"\b(?:keys?|buttons?|shortcut|on (?:the|your) keyboard|(?:\d+|two|three|four|five) times|once|twice|arrow|again)\b",
    re.I,
)
TIMES = re.compile(r"\b(\d+|two|three|four|five) times\b|\b(twice)\b", re.I)
COUNTS = {"twice": 2, "two": 2, "three": 3, "four": 4, "five": 5}


def keys(action: Action) -> list[str]:
    """The keys or chords to press, one after another. Raises JudgeError when there are none."""
    sentence = action.parameters.description.strip().rstrip(".")
    name = action.parameters.key or ""
    if not name:
        plain = re.sub(
            r"\s+(?:to|in order to|so that)\s+(?!the (?:left|right)).*$", "", sentence, flags=re.I
        )
        quoted = quotes(plain)
        name = (
            quoted[0]
            if quoted
            else " ".join(KEY_NOISE.sub(" ", KEY_LEAD.sub("", plain)).split()).strip(" ,")
        )
        name = KEY_NAMES.get(name.lower(), name)
    if not name.strip():
        raise JudgeError(f"nothing says what to press: {sentence!r}", hint="give parameters.key")
    often = TIMES.search(QUOTED.sub("", sentence))
    word = (often[1] or often[2]).lower() if often else "1"
    return [name] * min(20, COUNTS.get(word) or int(word))


# ---- scrolling ------------------------------------------------------------------------------------------

END = re.compile(
    r"\bto (?:the )?(?:very |page )?(?P<end>top|bottom|end|beginning|start)\b(?! of the (?!page|screen|site|list|window|table))"
    r"|\ball the way (?P<way>up|down)\b"
)
TARGET = re.compile(
    r"\b(?:(?:back )?to|until|towards?|reach|see|reveal|show|view|find)\s+(.+)$", re.I
)
INSIDE = re.compile(r"\b(?:in|inside|within|through|over)\s+(.+?)(?:\s+to\s+.*)?$", re.I)
WHOLE = re.compile(r"(?:the )?(?:page|window|screen|website|site|view)", re.I)
DIRECTIONS = {"down": (0, 1), "up": (0, -1), "left": (-1, 0), "right": (1, 0)}


def scrolling(action: Action) -> Scrolling:
    """Where to scroll, how far, and to what."""
    parameters = action.parameters
    sentence = parameters.description.strip().rstrip(".")
    plain = QUOTED.sub("''", sentence).lower()
    end, target, inside = END.search(plain), TARGET.search(sentence), INSIDE.search(sentence)
    named = re.search(r"\b(down|up|left|right)(?:wards?)?\b", plain)
    toward = (parameters.direction or "").strip().lower() or (named[1] if named else "")
    if end and toward not in DIRECTIONS:
        toward = (
            "up" if (end["end"] or end["way"]) in ("top", "beginning", "start", "up") else "down"
        )
    place = "" if end or not target else target[1]
    where = (
        inside[1]
        if inside
        and (not place or inside.start() < sentence.find(place))
        and not WHOLE.fullmatch(inside[1])
        else ""
    )
    dx, dy = DIRECTIONS.get(toward, (0, 0) if place else (0, 1))
    return Scrolling(
        dx,
        dy,
        share_of(parameters.scroll_page, plain),
        bool(end) and parameters.scroll_page is None,
        place,
        where,
    )


def share_of(scroll_page: str | None, sentence: str) -> float:
    """How far one scroll goes, in viewports."""
    text = (scroll_page or "").strip().lower()
    number = re.search(r"\d+(?:\.\d+)?", text) or re.search(
        r"\d+(?:\.\d+)?(?= (?:pages?|screens?|viewports?)\b)", sentence
    )
    if number:
        return float(number[0]) / 100 if "%" in text else min(float(number[0]), 50.0)
    whole = re.search(
        r"\b(?:one|a|full|whole) (?:page|screen)\b", f"{text} {sentence}"
    ) or text in ("true", "page", "full")
    return 1.0 if whole else PAGE_SHARE


# ---- clicking -------------------------------------------------------------------------------------------


def clicks(action: Action) -> tuple[int, Literal["left", "right"]]:
    """How often and with which mouse button."""
    sentence = QUOTED.sub("", action.parameters.description).lower()
    return 2 if re.search(r"double[- ]?click", sentence) else 1, "right" if re.search(
        r"right[- ]?click", sentence
    ) else "left"
