"""What a sentence says about an element: its label, kind, number in a row, place and surroundings. No page is needed here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from iwr.judge.language import PLACES, QUOTED, ROLE_WORDS, STOP, WRITABLE_WORDS, is_ordinal, number_of, ordinal, stem, words

VERBS = (
    "double click|double-click|left click|left-click|right click|click and hold|click|tap|press|hit|push|select|choose|pick|check|uncheck|tick|untick|toggle|open|close|"
    "expand|collapse|hover over|hover|move the mouse to|go to|navigate to|focus|activate|switch to|switch|turn on|turn off|mark|submit|add|remove|delete|"
    "drag|start|play|pause|like|rate|sort|filter|show|hide|dismiss|enable|disable|clear|set|change|increase|decrease|type|enter|fill|use|view|return to|go back to"
)
MEANINGLESS = re.compile(
    r"double.click|left.click|right.click|click and hold|click|tap|press|hit|push|select|choose|pick|hover over|hover|move the mouse to|go to|navigate to|focus|use|view|"
    r"type|enter|fill|set|return to|open|activate|switch to"
)
LEAD = re.compile(rf"^(?:please |then |now |next,? |again,? |the user )*({VERBS})(?:s|es)?\b(?: (?:on|at|in|out)\b)?", re.I)
PURPOSE = re.compile(
    r"\b(?:in order to|so that|so as to|which|and then|then|, and|, to)\b.*$|\bto (?!the\b|a\b|an\b|its\b|⟦|cart\b|basket\b|bag\b|favou?rites\b|top\b|wishlist\b)[a-z]+\b.*$",
    re.I,
)
OWN = r"labell?ed(?: as| with)?|named|called|titled|entitled|marked(?: as| with)?|(?:that|which) (?:says|reads|shows)|saying|reading|showing|captioned|with"
AROUND = (
    r"next to|to the (?:left|right) of|belonging to|corresponding to|associated with|in front of|close to|of|in|on|for|from|inside|within|under|underneath|beneath|below|above|over|"
    r"beside|near|at|by|after|before|against|along|behind"
)
SPLIT = re.compile(rf"\s+({OWN}|{AROUND})\b", re.I)
TOKEN = re.compile(r"⟦(\d+)⟧")


@dataclass(frozen=True)
class Around:
    """Where it is: "of the Blue Mug", "in the 'Details' section", "in the header"."""

    quoted: tuple[str, ...]
    words: tuple[str, ...]
    names: tuple[str, ...]  # those written with a capital: what they name must be somewhere on the page, as must a quote
    places: frozenset[str]


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
    proper: bool = False

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
    if verb and not MEANINGLESS.fullmatch(verb.lower()):
        own.append(verb.lower())
    return _phrase(" ".join(own), tuple(around), purpose, texts)


def _phrase(own: str, around: tuple[Around, ...], purpose: str, texts: list[str]) -> Phrase:
    plain = TOKEN.sub(" ", own)
    content = [word for word in words(plain) if word not in STOP and not is_ordinal(word)]
    kinds = tuple(word for word in content if _kind(word))
    return Phrase(
        quoted=_texts(own, texts),
        words=tuple(w for w in content if not _kind(w) and w not in PLACES),
        roles=kinds,
        ordinal=ordinal(plain),
        places=frozenset(w for w in content if w in PLACES),
        around=tuple(a for a in around if a.quoted or a.words or a.places),
        purpose=(*_texts(purpose, texts), *(w for w in words(TOKEN.sub(" ", purpose)) if w not in STOP)),
        proper=_proper(plain),
    )


def _around(part: str, texts: list[str]) -> Around:
    plain = TOKEN.sub(" ", part)
    content = [word for word in words(plain) if word not in STOP and not is_ordinal(word)]
    quoted, names = (
        _texts(part, texts),
        tuple(word.casefold() for word in re.findall(r"[^\W\d_]\w*", plain) if word[0].isupper() and word.casefold() not in STOP),
    )
    called = tuple(w for w in content if w not in PLACES and not (_kind(w) and len(content) + len(quoted) > 1))
    return Around(quoted, called, names, frozenset(w for w in content if w in PLACES))


def _texts(part: str, texts: list[str]) -> tuple[str, ...]:
    return tuple(texts[int(match[1])] for match in TOKEN.finditer(part))


def _kind(word: str) -> bool:
    return word in ROLE_WORDS or (word.endswith("s") and word[:-1] in ROLE_WORDS)


def singular(word: str) -> str:
    return word if word in ROLE_WORDS else word.removesuffix("s")


def _proper(text: str) -> bool:
    """Whether it holds a name: a capitalised word that does not begin a sentence."""
    return any(word[0].isupper() and stem(word) not in STOP for word in re.findall(r"[^\W\d_]+", text))


def count_in(text: str) -> int | None:
    """A count like "3 results" or "five cards"."""
    value = number_of(TOKEN.sub(" ", text))
    return int(value) if value is not None and value == int(value) else None
