"""States that assertions name ("checked", "expanded", "crossed out"), and how an element shows each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from iwr.judge.candidates import Node


@dataclass(frozen=True)
class State:
    name: str
    of: Callable[[Node], bool | None]  # True, False, or None where the element does not tell
    content: bool | None = None  # the state also shows in content that comes (True) or goes (False)


def _flag(node: Node, *names: str) -> bool | None:
    values = [node.states[name] for name in names if name in node.states]
    return any(value not in ("false", "") for value in values) if values else None


def _token(node: Node, pattern: str) -> bool | None:
    """Whether a class or data attribute carries the state; no such token says nothing."""
    classes = " ".join(re.findall(r"^(?:class|data-state|data-status)=(.*)$", node.marks, re.M))
    return True if re.search(rf"(?:^|[\s_-])(?:is-)?(?:{pattern})(?:$|[\s_-])", classes, re.I) else None


def _look(node: Node, *parts: str) -> bool | None:
    return True if any(part in node.look for part in parts) else None


def _not(read: Callable[[Node], bool | None]) -> Callable[[Node], bool | None]:
    def inverse(node: Node) -> bool | None:
        value = read(node)
        return None if value is None else not value

    return inverse


def _checked(node: Node) -> bool | None:
    return _flag(node, "checked", "pressed", "selected") if node.states else _token(node, "checked|selected|on")


def _chosen(node: Node) -> bool | None:
    told = _flag(node, "selected", "current", "checked", "pressed")
    return told if told is not None else _token(node, "active|selected|current|highlight(?:ed)?|chosen|on|lit|filled|liked|done|completed")


def _open(node: Node) -> bool | None:
    return _flag(node, "expanded", "open")


def _disabled(node: Node) -> bool | None:
    told = _flag(node, "disabled")
    return told if told is not None else (False if node.tag in ("button", "input", "select", "textarea") else _token(node, "disabled"))


STATES: list[tuple[str, State]] = [
    (
        r"un-?checked|un-?ticked|de-?selected|un-?selected|no longer (?:selected|checked|active|highlighted)|inactive|turned off|switched off|\boff\b",
        State("unselected", _not(lambda node: _checked(node) if _checked(node) is not None else _chosen(node))),
    ),
    (r"not (?:selected|checked|active|highlighted)", State("unselected", _not(_chosen))),
    (r"\bchecked|\bticked|turned on|switched on|\bon\b$", State("checked", _checked)),
    (r"\bselected|\bactive|highlighted|pressed|\blit\b|\bfilled|completed|\bdone\b|\bliked", State("selected", _chosen)),
    (r"collaps|\bclosed", State("collapsed", _not(_open), content=False)),
    (r"expand|\bopen", State("expanded", _open, content=True)),
    (r"enabled|clickable", State("enabled", _not(_disabled))),
    (r"disabled|gr[ae]yed out|dimmed", State("disabled", _disabled)),
    (r"focus", State("focused", lambda node: node.focused or None)),
    (r"\binvalid", State("invalid", lambda node: _flag(node, "invalid"))),
    (r"crossed|struck|strike|line-through", State("crossed out", lambda node: _look(node, "|line-through"))),
    (r"underlined", State("underlined", lambda node: _look(node, "|underline"))),
    (r"\bbold", State("bold", lambda node: _look(node, "|600|", "|700|", "|800|", "|900|"))),
    (r"playing", State("playing", lambda node: _flag(node, "playing"))),
    (r"paused", State("paused", _not(lambda node: _flag(node, "playing")))),
]


def state_of(words: str) -> State | None:
    """The state that the end of a clause names, if it names one."""
    return next((state for pattern, state in STATES if re.search(pattern, words.strip(" ."), re.I)), None)
