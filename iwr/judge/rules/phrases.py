"""What a sentence says about an element: its label, kind, number in a row, place and surroundings. No page is needed here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from iwr.judge.rules.language import (
    PLACES,
    QUOTED,
    ROLE_WORDS,
    STOP,
    WRITABLE_WORDS,
    is_ordinal,
    ordinal,
    words,
)

MERE = (  # verbs that say nothing about the element
    "double[- ]click|left[- ]click|right[- ]click|click and hold|click|tap|press|hit|push|select|choose|pick|hover over|hover|"
    "move the mouse to|go to|go back to|navigate to|return to|focus|activate|use|view|type|enter|fill|set|open|switch to"
)
TELLING = (
    "check|uncheck|tick|untick|toggle|close|expand|collapse|switch|turn on|turn off|mark|submit|add|remove|delete|drag|start|play|pause|"
    "like|rate|sort|filter|show|hide|dismiss|enable|disable|clear|change|increase|decrease"
)
LEAD = re.compile(
    rf"^(?:please |then |now |next,? |again,? |the user )*({MERE}|{TELLING})(?:s|es)?\b(?: (?:on|at|in|out)\b)?",
    re.I,
)
PLACE_NOUNS = "the|a|an|its|cart|basket|bag|favou?rites|top|wishlist"  # "Add to cart" is a label, "to sort the list" a purpose
PURPOSE = re.compile(
    rf"\b(?:in order to|so that|so as to|which|and then|then|, and|, to)\b.*$|\bto (?!(?:{PLACE_NOUNS})\b|⟦)[a-z]+\b.*$",
    re.I,
)
OWN = (
    r"labell?ed(?: as| with)?|named|called|titled|entitled|marked(?: as| with)?|(?:that|which) (?:says|reads|shows)|saying|reading|"
    r"showing|captioned|with"
)
AROUND = (
    r"next to|to the (?:left|right) of|belonging to|corresponding to|associated with|in front of|close to|of|in|on|for|from|inside|"
    r"within|under|underneath|beneath|below|above|over|beside|near|at|by|after|before|against|along|behind"
)
SPLIT = re.compile(rf"\s+({OWN}|{AROUND})\b", re.I)
TOKEN = re.compile(r"⟦(\d+)⟧")


@dataclass(frozen=True)
class Around:
    """Where it is: "of the Blue Mug", "in the 'Details' section", "in the header"."""

    quoted: tuple[str, ...]
    words: tuple[str, ...]
    names: tuple[
        str, ...
    ]  # those written with a capital: what they name must be somewhere on the page, as must a quote
    places: frozenset[str]
    ordinal: int | None = None


@dataclass(frozen=True)
class Phrase:
    """One described element."""

    quoted: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # what it is called, without words for its kind
    roles: tuple[str, ...] = ()  # words for its kind: button, field, star
    ordinal: int | None = None  # 1-based, -1 for the last
    places: frozenset[str] = frozenset()
    around: tuple[Around, ...] = ()
    purpose: tuple[str, ...] = ()  # words and quotes of "to …": a hint at most
    names: tuple[str, ...] = ()  # those of `words` written with a capital
    verb: str = ""  # close, delete, add …; "" for a mere click

    @property
    def proper(self) -> bool:
        return bool(self.names)

    @property
    def writable(self) -> bool:
        return any(word in WRITABLE_WORDS for word in self.roles)

    @property
    def empty(self) -> bool:
        return not (self.quoted or self.words or self.roles)


def phrase(sentence: str) -> Phrase:
    """Read a description like "Click the 'Add to cart' button of the Blue Mug." or a noun phrase like "the cart badge"."""
    texts: list[str] = []

    def token(match: re.Match[str]) -> str:
        texts.append(next(group for group in match.groups() if group is not None))
        return f"⟦{len(texts) - 1}⟧"

    rest = QUOTED.sub(token, sentence.strip()).rstrip(". ")
    lead = LEAD.match(rest)
    verb = lead[1] if lead else ""
    rest = rest[lead.end() :] if lead else rest
    cut = PURPOSE.search(rest)
    purpose = rest[cut.start() :] if cut and rest[: cut.start()].strip() else ""
    rest = rest[: len(rest) - len(purpose)]
    parts = SPLIT.split(" " + rest)
    own, around = [parts[0]], []
    for relation, part in zip(parts[1::2], parts[2::2], strict=True):
        if re.fullmatch(OWN, relation, re.I) or not own[0].strip():
            own.append(part)
        else:
            around.append(_around(part, texts))
    if re.fullmatch(MERE, verb, re.I):
        verb = ""
    return _phrase(" ".join(own), verb.lower(), tuple(around), purpose, texts)


def _phrase(
    own: str, verb: str, around: tuple[Around, ...], purpose: str, texts: list[str]
) -> Phrase:
    plain = TOKEN.sub(" ", own)
    place = ordinal(plain)
    content = [
        word
        for word in _content(plain + " " + verb)
        if place is None or not (word.isdigit() or word == "number")
    ]
    if place is None:  # "the checkbox of the second task"
        place = next((a.ordinal for a in around if a.ordinal is not None), None)
    return Phrase(
        quoted=_texts(own, texts),
        words=tuple(w for w in content if not _kind(w) and w not in PLACES),
        verb=verb,
        roles=tuple(w for w in content if _kind(w)),
        ordinal=place,
        places=frozenset(w for w in content if w in PLACES),
        around=tuple(a for a in around if a.quoted or a.words or a.places),
        names=_names(plain),
        purpose=(*_texts(purpose, texts), *_content(TOKEN.sub(" ", purpose))),
    )


def _content(plain: str) -> list[str]:
    """The words that mean something."""
    plain = re.sub(r"\b(first|last|second|third) name\b", r"\1_name", plain, flags=re.I)
    return [
        w
        for word in re.findall(r"\w+_name|[^\s]+", plain)
        for w in (word.lower().split("_") if "_name" in word else words(word))
        if w not in STOP and ("_name" in word or not is_ordinal(w))
    ]


def _around(part: str, texts: list[str]) -> Around:
    plain = TOKEN.sub(" ", part)
    content, quoted = _content(plain), _texts(part, texts)
    called = tuple(
        w for w in content if w not in PLACES and not (_kind(w) and len(content) + len(quoted) > 1)
    )
    return Around(
        quoted, called, _names(plain), frozenset(w for w in content if w in PLACES), ordinal(plain)
    )


def _names(text: str) -> tuple[str, ...]:
    """Words written with a capital."""
    return tuple(
        word.casefold()
        for word in re.findall(r"[^\W\d_]\w*", text)
        if word[0].isupper() and word.casefold() not in STOP
    )


def _texts(part: str, texts: list[str]) -> tuple[str, ...]:
    return tuple(texts[int(match[1])] for match in TOKEN.finditer(part))


def _kind(word: str) -> bool:
    return word in ROLE_WORDS or (word.endswith("s") and word[:-1] in ROLE_WORDS)


def singular(word: str) -> str:
    return word if word in ROLE_WORDS else word.removesuffix("s")
