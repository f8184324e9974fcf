"""States that assertions name ("checked", "expanded", "crossed out"), and how an element shows each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from iwr.browser.page_state import Node


@dataclass(frozen=True)
class State:
    name: str
    of: Callable[[Node], bool | None]  # True, False, or None where the element does not tell
    content: bool | None = None  # the state also shows in content that comes (True) or goes (False)
    negated: bool = False  # the name means that `of` is false


def _flag(node: Node, *names: str) -> bool | None:
    values = [node.states[name] for name in names if name in node.states]
    return any(value not in ("false", "") for value in values) if values else None


def _token(node: Node, pattern: str) -> bool | None:
    """Whether a class or data attribute carries the state; no such token says nothing."""
    classes = " ".join(re.findall(r"^(?:class|data-state|data-status)=(.*)$", node.marks, re.M))
    return (
        True
        if re.search(rf"(?:^|[\s_-])(?:is-)?(?:{pattern})(?:$|[\s_-])", classes, re.I)
        else None
    )


def _look(node: Node, *parts: str) -> bool | None:
    return True if any(part in node.look for part in parts) else None


def _checked(node: Node) -> bool | None:
    return (
        _flag(node, "checked", "pressed", "selected")
        if node.states
        else _token(node, "checked|selected|on")
    )


def _chosen(node: Node) -> bool | None:
    told = _flag(node, "selected", "current", "checked", "pressed")
    return (
        told
        if told is not None
        else _token(
            node,
            "active|selected|current|highlight(?:ed)?|chosen|on|lit|filled|liked|done|completed",
        )
    )


def _open(node: Node) -> bool | None:
    return _flag(node, "expanded", "open")


def _disabled(node: Node) -> bool | None:
    told = _flag(node, "disabled")
    return (
        told
        if told is not None
        else (
            False
            if node.tag in ("button", "input", "select", "textarea")
            else _token(node, "disabled")
        )
    )


def _on(node: Node) -> bool | None:
    checked = _checked(node)
    return checked if checked is not None else _chosen(node)


STATES: list[tuple[str, State]] = [
    (
        r"un-?checked|un-?ticked|de-?selected|un-?selected|inactive|turned off|switched off|\boff\b$|"
        r"(?:no longer|not) (?:selected|checked|active|highlighted|pressed|filled)",
        State("selected", _on, negated=True),
    ),
    (r"\bchecked|\bticked|turned on|switched on|\bon\b$", State("checked", _checked)),
    (
        r"\bselected|\bactive|highlighted|pressed|\blit\b|\bfilled|completed|\bdone\b|\bliked",
        State("selected", _chosen),
    ),
    (r"collaps|\bclosed", State("open", _open, content=False, negated=True)),
    (r"expand|\bopen", State("open", _open, content=True)),
    (r"enabled|clickable", State("disabled", _disabled, negated=True)),
    (r"disabled|gr[ae]yed out|dimmed", State("disabled", _disabled)),
    (r"focus", State("focused", lambda node: node.focused or None)),
    (r"\binvalid", State("invalid", lambda node: _flag(node, "invalid"))),
    (
        r"crossed|struck|strike|line-through",
        State("crossed out", lambda node: _look(node, "|line-through")),
    ),
    (r"underlined", State("underlined", lambda node: _look(node, "|underline"))),
    (r"\bbold", State("bold", lambda node: _look(node, "|600|", "|700|", "|800|", "|900|"))),
    (r"playing", State("playing", lambda node: _flag(node, "playing"))),
    (r"paused", State("playing", lambda node: _flag(node, "playing"), negated=True)),
]


def state_of(words: str) -> State | None:
    """The state that the end of a clause names, if it names one."""
    return next(
        (state for pattern, state in STATES if re.search(pattern, words.strip(" ."), re.I)), None
    )
