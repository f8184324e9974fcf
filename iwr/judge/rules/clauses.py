"""How the sentence of an assertion is taken apart: clauses, and in each what it is about, the verb, and the rest."""

from __future__ import annotations

import re
from typing import NamedTuple

from iwr.judge.rules.language import NUMBER_WORDS, QUOTED, words


def _any(*verbs: str) -> str:
    return "|".join(verbs)


GONE = _any(
    "disappears?",
    "disappeared",
    "vanish(?:es|ed)?",
    "hides",
    "clos(?:es|ed)",
    "collapses",
    "goes away",
    "no longer",
    "clears",
    "(?:is|are|gets?|was) (?:now )?(?:hidden|removed|deleted|dismissed|cleared|closed|gone|collapsed|emptied|empty|replaced)",
    "becomes? empty",
    "(?:is|are) not (?:visible|shown|displayed|present)",
    "fades? (?:out|away)",
)
OPENS = _any(
    "opens?(?: up)?", "expands?", "(?:is|are) (?:now )?(?:open|opened|expanded)", "drops? down"
)
COMES = _any(
    "(?:re-?)?appears?",
    "appeared",
    "becomes? visible",
    "(?:is|are) (?:now )?(?:visible|in view|present|back)",
    "comes? into view",
    "scrolls into view",
    "pops? up",
    "shows? up",
    "slides? (?:in|out|down)",
    "loads",
    OPENS,
    "(?:is|are|gets?|was|were) (?:now )?(?:shown|displayed|added|listed|presented|rendered|loaded|revealed|inserted|created|posted)",
)
TURNS = _any(
    r"(?:is |are )?(?:changes?|changed|switch(?:es|ed)?|updates?|updated|turns?|becomes?|goes|resets?)\b(?: (?:to|into|back to))?",
    "increas(?:es?|ed)",
    "decreas(?:es?|ed)",
    "increments?",
    "decrements?",
    "incremented",
    "decremented",
    "drops",
    "rises",
    "grows",
)
SHOWS = _any(
    "(?:now )?(?:shows?|displays?|reads?|says?|contains?|has|have|holds|lists|includes?|indicates?|equals?)"
)
STAYS = _any("remains?", "stays?", "(?:is|are) still", "keeps", "continues", "still")
IS = _any(
    "(?:is|are|was|were)(?: now)?(?: set to| filled with| equal to)?",
    "there (?:is|are)",
    "moves",
    "move",
    "moved",
    "merges?",
    "slides?",
    "scrolls?",
    "jumps?",
    "sorts",
    "reorders?",
    "plays",
    "starts",
    "stops",
    "pauses",
    "rotates",
    "gets",
    "navigates",
)
VERB = re.compile(rf"\b(?:{GONE}|{COMES}|{STAYS}|{TURNS}|{SHOWS}|{IS})(?=\W|$)", re.I)
JOINT = re.compile(r"(?:[,;.]\s+|\s+)(?:and|while|but|then|so)\s+|;\s*|\.\s+(?=[A-Z'\"])")
COUNT = rf"\d+|{'|'.join(NUMBER_WORDS)}"


class Clause(NamedTuple):
    text: str
    subject: str
    verb: str
    rest: str

    @property
    def quotes(self) -> list[str]:
        return quoted(self.text)


def quoted(text: str) -> list[str]:
    return [
        next(group for group in match.groups() if group is not None)
        for match in QUOTED.finditer(text)
    ]


def masked(text: str) -> str:
    """The text with everything quoted blanked, at the same length, so that no quoted word is taken for a verb."""
    return QUOTED.sub(lambda match: "'" + "_" * (len(match[0]) - 2) + "'", text)


def clauses(sentence: str) -> list[str]:
    """Cut where a joint has a verb on both sides."""
    parts, start, plain = [], 0, masked(sentence)
    for match in JOINT.finditer(plain):
        if VERB.search(plain[start : match.start()]) and VERB.search(plain[match.end() :]):
            parts.append(sentence[start : match.start()])
            start = match.end()
    parts.append(sentence[start:])
    return [part.strip(" .,;") for part in parts if part.strip(" .,;")]


def cut(text: str, before: str = "") -> Clause:
    """A clause at its verb. A clause without a subject of its own ("and turns red") takes the one `before`."""
    match = VERB.search(masked(text))
    if not match:
        return Clause(text, text, "", "")
    subject = text[: match.start()]
    if before and (not subject.strip() or re.fullmatch(r"\s*(?:it|they|this)\s*", subject, re.I)):
        subject = before
    return Clause(text, subject, match[0].lower().strip(), text[match.end() :])


def value(text: str) -> str | None:
    """What a complement names: its quote, else its number, else its words as they stand."""
    if quoted(text):
        return quoted(text)[0]
    plain = re.sub(
        r"^\s*(?:(?:now|the|a|an|text|value|number|of|only|exactly)\b\s*)+|[.,;\s]+$",
        "",
        text.strip(),
        flags=re.I,
    )
    plain = re.sub(
        r"\s+(?:in|on|at|after|when|for|inside|below|above|under|next to)\s.*$", "", plain
    )
    number = re.match(r"[$€£¥]?\s?-?\d[\d,.]*\s?(?:%|/\s?\d+|:\d+)?[KkMm]?(?=\W|$)", plain)
    if number:
        return number[0].strip(" .,")
    spelled = words(plain)
    if spelled and spelled[0] in NUMBER_WORDS:
        return str(NUMBER_WORDS.index(spelled[0]))
    return plain or None
