"""Names of keys: from what people write to what Playwright presses."""

from __future__ import annotations

import re

from iwr.errors import ActionError

MODIFIERS = ("Control", "Alt", "Shift", "Meta")
NAMED_KEYS = (
    *MODIFIERS,
    "Enter",
    "Escape",
    "Tab",
    "Backspace",
    "Delete",
    "Insert",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "ArrowUp",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
    *(f"F{number}" for number in range(1, 13)),
)
SYNONYMS = {
    "esc": "Escape",
    "return": "Enter",
    "del": "Delete",
    "ins": "Insert",
    "space": "Space",
    "spacebar": "Space",
    "bksp": "Backspace",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "↑": "ArrowUp",
    "↓": "ArrowDown",
    "←": "ArrowLeft",
    "→": "ArrowRight",
    "pgup": "PageUp",
    "pgdn": "PageDown",
    "pgdown": "PageDown",
    "ctrl": "Control",
    "ctl": "Control",
    "strg": "Control",
    "cmd": "Meta",
    "command": "Meta",
    "win": "Meta",
    "windows": "Meta",
    "super": "Meta",
    "option": "Alt",
    "opt": "Alt",
    "altgraph": "AltGraph",
    "capslock": "CapsLock",
    "plus": "+",
    "minus": "-",
    "contextmenu": "ContextMenu",
}
KEYS = SYNONYMS | {name.lower(): name for name in NAMED_KEYS}

SEPARATOR = re.compile(r"(?<=[^+\s])\s*[+]\s*|(?<=\w\w)-(?=\w)")
"""A plus after a key, or a hyphen after a name of two letters or more: Ctrl+A, ctrl-c, Ctrl++."""
DECORATION = re.compile(r"[\s_-]|(?i:key)$|^(?i:the)\s")
"""What may be added to a key's name: Page Down, "escape key", "the Tab"."""


def key_name(keys: str) -> str:
    """Return Playwright's name of a key or chord: Control+a for Ctrl+A.

    Raises ActionError for one that does not exist.
    """
    parts = [keys[:1]]
    if keys.strip():
        parts = [part.strip() for part in SEPARATOR.split(keys.strip())]
    *modifiers, last = [_single_key(part, keys) for part in parts]
    if not set(modifiers) <= set(MODIFIERS):
        raise ActionError(f"no such key: {keys!r}")
    if modifiers and len(last) == 1 and last.isalpha():
        last = last.upper() if "Shift" in modifiers else last.lower()
    return "+".join([*modifiers, last])


def _single_key(part: str, keys: str) -> str:
    """Return Playwright's name of one key. Raise ActionError when there is none."""
    name = part.lower()
    if len(part) > 1:
        name = DECORATION.sub("", part).lower()
    if name in KEYS:
        return KEYS[name]
    if part == " ":
        return "Space"
    if len(part) == 1 and part.isprintable():
        return part
    raise ActionError(f"no such key: {keys!r}")
