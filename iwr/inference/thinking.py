"""Drop what a model thought before it answered, whatever marks its family uses.

A mark inside of a page is text of that page: only marks before the first page open a thought. A
model's config may name further marks (`model.thinking`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from iwr.errors import ConfigError, GenerationError
from iwr.inference.documents import END_TAG, START_TAG

Marks = tuple[str, str]
"""The opening and the closing mark of a thought."""

DEFAULT: Marks = ("<think>", "</think>")
FAMILIES: tuple[Marks, ...] = (
    DEFAULT,
    ("<thinking>", "</thinking>"),
    ("<analysis>", "</analysis>"),
    ("<reasoning>", "</reasoning>"),
    ("◁think▷", "◁/think▷"),
)
OPENED_BY_TEMPLATES: tuple[Marks, ...] = (DEFAULT, ("◁think▷", "◁/think▷"))
"""Marks that chat templates put at the end of a prompt, so that a reply lacks the opening one."""


def marks_of(thinking: Sequence[str]) -> Marks | None:
    """Return the marks of `model.thinking`, None when it has none.

    Raise ConfigError unless they are two.
    """
    if not thinking:
        return None
    if len(thinking) != 2 or not all(thinking):
        raise ConfigError(
            f"model.thinking={list(thinking)}: give the opening and the closing mark",
            hint='for example model.thinking=["<think>","</think>"]',
        )
    return thinking[0], thinking[1]


def open_mark(prompt: str, own: Marks | None = None) -> str | None:
    """Return the mark at the end of a prompt that opens the thought of its reply, None without."""
    end = prompt.rstrip()
    for opening, _ in _all(OPENED_BY_TEMPLATES, own):
        if end.endswith(opening):
            return opening
    return None


def without_thinking(reply: str, own: Marks | None = None) -> str:
    """Return the part of a reply behind its thoughts; `own`: further marks.

    Raise GenerationError when a thought is not closed.
    """
    text = reply[_end_of_marked_thoughts(reply, own) :]
    return text[_end_of_unmarked_thought(text, own) :]


def _all(families: tuple[Marks, ...], own: Marks | None) -> tuple[Marks, ...]:
    """Return the marks of all families, and a model's own."""
    if own is None:
        return families
    return (*families, own)


def _any_of(texts: Iterable[str]) -> str:
    """Return a pattern of any of these texts."""
    return "|".join(re.escape(text) for text in texts)


@cache
def _first_mark(own: Marks | None) -> re.Pattern[str]:
    """Return the pattern of whatever comes first, a page or an opening mark of thoughts."""
    openings = _any_of(opening for opening, _ in _all(FAMILIES, own))
    page = r"`{3,}|~{3,}|<!doctype\s+html|<html[\s>]"
    return re.compile(rf"(?P<page>{page})|(?P<opening>{openings})", re.IGNORECASE)


@cache
def _structure(own: Marks | None) -> re.Pattern[str]:
    """Match closing marks, and where a document begins and ends: a closing fence ends it, too."""
    closings = _any_of(closing for _, closing in _all(OPENED_BY_TEMPLATES, own))
    fence = r"^[ \t]*(?:`{3,}|~{3,})[ \t]*$"
    return re.compile(
        rf"(?P<closing>{closings})|(?P<start>{START_TAG})|{END_TAG}|{fence}",
        re.IGNORECASE | re.MULTILINE,
    )


def _end_of_marked_thoughts(reply: str, own: Marks | None) -> int:
    """Return where the last thought ends that precedes the first page."""
    closings = {opening.lower(): closing for opening, closing in _all(FAMILIES, own)}
    end = 0
    while True:
        mark = _first_mark(own).search(reply, end)
        if mark is None or mark["page"]:
            return end
        closing = re.compile(re.escape(closings[mark[0].lower()]), re.IGNORECASE)
        closed = closing.search(reply, mark.end())
        if closed is None:
            raise GenerationError(f"the reply ends while still thinking ({mark[0]} is not closed)")
        end = closed.end()


def _end_of_unmarked_thought(text: str, own: Marks | None) -> int:
    """Return where a thought ends that the chat template opened, so that it has no opening mark.

    A closing mark inside of a document belongs to that document, unless another one begins before
    the document ends: then it was a draft.
    """
    end = 0
    pending = 0  # end of a closing mark inside of a document
    is_open = False
    for match in _structure(own).finditer(text):
        if match["closing"]:
            if is_open:
                pending = match.end()
            else:
                end = match.end()
            continue
        is_open = match["start"] is not None
        if is_open and pending:
            end = pending
        pending = 0
    return end
