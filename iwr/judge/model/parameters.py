"""What the parameters of an action, and the quotes in its sentence, decide without a model.

The vocabularies are closed: names of keys, four directions, numbers. A sentence is understood only
where it consists of nothing else ("Press the Tab key.", "Scroll down."); any other is put to the
model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from iwr.browser.keys import MODIFIERS, NAMED_KEYS, key_name
from iwr.contract.reading import quotes
from iwr.errors import ActionError
from iwr.records import Action

MOST_WORDS = 15  # of a text that is not quoted
DIRECTIONS = {"down": (0, 1), "up": (0, -1), "left": (-1, 0), "right": (1, 0)}
PART = 0.5  # of the viewport: one scroll where nothing says how far, as in the reference evaluator
MOST_PAGES = 50.0
AMOUNT = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<percent>%?)")
WORD = re.compile(r"\S+")
PUNCTUATION = ".,;:!?"
MARKS = "\"'“”‘’`"
"""Quotation marks."""


def key_of(action: Action) -> str | None:
    """Return the key or chord that the parameter names, if it exists."""
    return playwright_key(action.parameters.key or "")


def plain_key(action: Action) -> str | None:
    """Return the key of a sentence that says no more than to press it, once.

    None also where the parameter names another key: then the model decides.
    """
    given = key_of(action)
    sentence = action.parameters.description.strip().rstrip(".!")
    if not sentence:
        return given
    verb, _, name = sentence.partition(" ")
    if verb.casefold() != "press":
        return None
    name = name.removeprefix("the ").removesuffix(" key")
    key = playwright_key(name.strip(MARKS))
    if given and given != key:
        return None
    return key


def playwright_key(name: str) -> str | None:
    """Return the name of a key or chord as Playwright has it, or None when there is no such key."""
    try:
        return key_name(name)
    except ActionError:
        return None


def direction_of(action: Action) -> str | None:
    """Return where to scroll, by the parameter."""
    direction = action.parameters.direction or ""
    direction = direction.strip().lower()
    if direction not in DIRECTIONS:
        return None
    return direction


def pages_of(action: Action) -> float | None:
    """Return how far to scroll, in viewports, by the parameter: "2", "50%"."""
    amount = action.parameters.scroll_page or ""
    match = AMOUNT.fullmatch(amount.strip())
    if match is None:
        return None
    number = float(match["number"])
    if match["percent"]:
        number /= 100
    return min(number, MOST_PAGES)


def plain_scroll(action: Action) -> str | None:
    """Return the direction where the sentence says no more than that, or there is none.

    An action that says nothing at all means down, as in the reference evaluator.
    """
    given = direction_of(action)
    sentence = _plain(action)
    if not sentence:
        return given or "down"
    for direction in DIRECTIONS:
        if given and given != direction:
            continue
        if sentence in _scroll_sentences(direction):
            return direction
    return None


def _scroll_sentences(direction: str) -> tuple[str, ...]:
    """Return all sentences that say to scroll in a direction, and nothing else."""
    return (
        f"scroll {direction}",
        f"scroll {direction} the page",
        f"scroll the page {direction}",
    )


def option_of(action: Action, options: Iterable[str], answer: str = "") -> str | None:
    """Return which option of a list box is named, by the text, the model's answer or a quote.

    Capital letters do not matter; the option is returned as the page writes it.
    """
    labels = {}
    for label in options:
        labels[label.casefold()] = label
    for text in (action.parameters.text, answer, *sentence_quotes(action)):
        if not text:
            continue
        option = labels.get(text.casefold())
        if option is not None:
            return option
    return None


def sentence_quotes(action: Action) -> list[str]:
    """Return the quoted texts of the sentence, in order."""
    return quotes(action.parameters.description)


def _plain(action: Action) -> str:
    """Return the sentence in small letters, without what makes no difference to its meaning."""
    words = action.parameters.description.casefold().split()
    return " ".join(words).rstrip(".!")


# ---- what a model may answer ---------------------------------------------------------------


def verbatim(action: Action, least: int) -> Any:
    """Return the type of a text that stands in the sentence, or in the action's parameters.

    A model must not make up what is typed, so its server is told all texts that are possible:
    quotes and runs of words. Quotation marks around an answer do not count.
    """
    description = action.parameters.description
    exact = _exact_texts(action)

    def check(text: str) -> str:
        """Return the text without quotation marks that are not its own."""
        bare = text.strip().strip(MARKS)
        for words in (text, bare):
            if words in exact:
                return words
        if bare in description and len(bare) >= least:
            return bare
        raise ValueError("the text does not stand in the description of the action")

    texts = [*exact, *_spans(description)]
    if least == 0:
        texts.insert(0, "")
    choices = dict.fromkeys(texts)
    field = Field(json_schema_extra={"enum": [*choices]})
    return Annotated[str, field, AfterValidator(check)]


def _exact_texts(action: Action) -> list[str]:
    """Return the texts that need no search in the sentence: the parameter and the quotes."""
    texts = sentence_quotes(action)
    text = action.parameters.text
    if text:
        texts.insert(0, text)
    return texts


def _spans(sentence: str) -> Iterator[str]:
    """Yield each run of words, without the punctuation around it.

    The longest has MOST_WORDS: all runs of a long sentence would be too many for a schema.
    """
    words = list(WORD.finditer(sentence))
    for index, first in enumerate(words):
        start = first.start()
        for last in words[index : index + MOST_WORDS]:
            span = sentence[start : last.end()]
            bare = span.strip(MARKS + PUNCTUATION)
            if bare:
                yield bare


def number_of(values: Sequence[float]) -> Any:
    """Return the field of a number from the first to the last of `values`.

    A server is told these values alone: the digits of a free fraction need not come to an end.
    """
    choices: dict[str, Any] = {"enum": [*values]}
    return Field(ge=values[0], le=values[-1], json_schema_extra=choices)


def _existing_key(name: str) -> str:
    """Return the key as Playwright has it. Raises ValueError when there is none."""
    key = playwright_key(name)
    if key is None:
        raise ValueError(f"there is no key {name!r}")
    return key


_held = "|".join(MODIFIERS)
_single = "|".join([*NAMED_KEYS, "Space", "[0-9A-Za-z]", "[!#-/:-@]"])
_chord = Field(json_schema_extra={"pattern": rf"^(({_held})\+){{0,3}}({_single})$"})
Key = Annotated[str, _chord, AfterValidator(_existing_key)]
"""A key or chord that exists. Its server is told one way to write it, but others are accepted."""
