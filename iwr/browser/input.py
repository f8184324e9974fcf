"""What a person does to a page, with a real mouse and keyboard. Nothing here waits for the effect: call `tab.settle()` afterwards.

A target is a Playwright locator, an element handle, or a point in the viewport. All raise ActionError when a person could not do
it, PageError when the page hangs or crashes, BrowserError when the browser fails.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from iwr.browser.scripts import script
from iwr.errors import ActionError

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Locator

    from iwr.browser.chromium import Tab

    Element = Locator | ElementHandle
    Target = Element | tuple[float, float]

Point = tuple[float, float]


class Scrolled(NamedTuple):
    """CSS pixels that really moved; (0, 0) at the end of the page."""

    x: float
    y: float


# ---- mouse ------------------------------------------------------------------------------------------


async def reach(tab: Tab, element: Element) -> Point:
    """Where a person could click the element; it is scrolled into view when no part of it can be hit."""
    answer = await tab.call(element.evaluate(script("reach.js")), "finding the element")
    if "point" not in answer:
        raise ActionError(answer["reason"])
    x, y = answer["point"]
    return x, y


async def click(tab: Tab, target: Target, *, count: int = 1, button: str = "left") -> Point:
    """Clicks with the mouse and returns the point. ActionError: the element is covered (by what), disabled or not visible."""
    x, y = target if isinstance(target, tuple) else await reach(tab, target)
    await tab.call(tab.page.mouse.move(x, y), "moving the mouse")
    await tab.call(tab.page.mouse.click(x, y, click_count=count, button=button), "a click")  # type: ignore[arg-type]
    return x, y


async def hover(tab: Tab, target: Target) -> Point:
    x, y = target if isinstance(target, tuple) else await reach(tab, target)
    await tab.call(tab.page.mouse.move(x, y), "moving the mouse")
    return x, y


async def scroll(tab: Tab, dx: float, dy: float, element: Element | None = None) -> Scrolled:
    """Turns the wheel by CSS pixels (right and down are positive) over the page, or over what scrolls `element`."""
    over = element or tab.page.locator(":root")
    handle = await tab.call(
        over.evaluate_handle(script("wheel.js"), [dx, dy]), "finding what scrolls"
    )
    before = await tab.call(
        handle.evaluate("h => [h.scroller.scrollLeft, h.scroller.scrollTop]"), "a script"
    )
    point = await tab.call(handle.evaluate("h => h.point"), "a script")
    if point:
        await tab.call(tab.page.mouse.move(*point), "moving the mouse")
        await tab.call(tab.page.mouse.wheel(dx, dy), "scrolling")
    else:  # nowhere to put the mouse without moving something else
        move = "(h, [left, top]) => h.scroller.scrollBy({left, top, behavior: 'instant'})"
        await tab.call(handle.evaluate(move, [dx, dy]), "scrolling")
    after = await tab.call(handle.evaluate(_AFTER_WHEEL, before), "a script")
    return Scrolled(after[0] - before[0], after[1] - before[1])


_AFTER_WHEEL = """async (h, before) => {
  const clock = window[Symbol.for("iwr.clock")], at = () => [h.scroller.scrollLeft, h.scroller.scrollTop];
  for (let i = 0; i < 6 && String(at()) === String(before); i++) await clock.frame();
  await clock.frame();
  return at();
}"""


async def scroll_to(tab: Tab, element: Element, margin: float = 20.0) -> Scrolled:
    """Turns the wheel until the element's top is at the top of what scrolls it, or as near as it gets."""
    top = await tab.call(element.evaluate(_DISTANCE, margin), "finding the element")
    return await scroll(tab, 0, top, element) if abs(top) >= 1 else Scrolled(0, 0)


_DISTANCE = """(element, margin) => {
  let scroller = element.parentElement;
  const inner = (e) => ["auto", "scroll", "overlay"].includes(getComputedStyle(e).overflowY) && e.scrollHeight > e.clientHeight;
  while (scroller && scroller !== document.body && !inner(scroller)) scroller = scroller.parentElement;
  const top = scroller && scroller !== document.body && scroller !== document.documentElement ? scroller.getBoundingClientRect().top : 0;
  return element.getBoundingClientRect().top - top - margin;
}"""


# ---- keyboard ---------------------------------------------------------------------------------------

# date, colour and range fields have no text to type into; a person would use their pickers
_BY_VALUE = {"date", "time", "month", "week", "datetime-local", "color", "range"}
_KIND = "element => element.tagName === 'INPUT' ? element.type : element.tagName === 'SELECT' ? 'select' : ''"
_FOCUSED = """() => {
  let e = document.activeElement;
  for (;;) {
    if (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
    else if (e && e.tagName === "IFRAME" && e.contentDocument) e = e.contentDocument.activeElement;
    else break;
  }
  const buttons = ["button", "submit", "reset", "checkbox", "radio", "file", "image", "range", "color"];
  const field = e && (e.tagName === "TEXTAREA" || (e.tagName === "INPUT" && !buttons.includes(e.type)));
  return {takes: !!e && ((field && !e.readOnly) || e.isContentEditable), one_line: !!e && e.tagName === "INPUT"};
}"""


async def type_text(tab: Tab, target: Target, text: str, *, clear: bool = True) -> Point | None:
    """Clicks into a field and types, in place of what it holds (`clear`) or after it. Returns the clicked point."""
    kind = (
        ""
        if isinstance(target, tuple)
        else await tab.call(target.evaluate(_KIND), "finding the field")
    )
    if kind == "select":
        await select(tab, target, text)  # type: ignore[arg-type]
        return None
    if kind in _BY_VALUE:
        await _fill(tab, target, text, kind)  # type: ignore[arg-type]
        return None
    point = await click(tab, target)
    focused = await tab.evaluate(_FOCUSED)
    if not focused["takes"]:
        raise ActionError("the element takes no text")
    if clear:
        await press(tab, "Control+A")
        await press(tab, "Delete")
    else:
        await press(tab, "End" if focused["one_line"] else "Control+End")
    await tab.call(tab.page.keyboard.type(text), "typing", tab.limits.call + len(text) * 0.02)
    return point


async def _fill(tab: Tab, field: Element, text: str, kind: str) -> None:
    """Sets the field as its picker would. The field keeps a value that it does not understand to itself."""
    await reach(tab, field)
    await tab.call(field.fill(text.strip()), "filling the field")
    if await tab.call(field.evaluate("element => element.value"), "a script") != text.strip():
        raise ActionError(f"{text!r} is not a value for a field of type {kind}")


async def press(tab: Tab, keys: str) -> None:
    """Presses a key or a chord, as people write them: Esc, Return, Ctrl+A, Shift + Tab, ArrowDown, Page Down."""
    await tab.call(tab.page.keyboard.press(key_name(keys)), f"pressing {keys}")


_KEYS = {
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
} | {
    key.lower(): key
    for key in [
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
        "Control",
        "Shift",
        "Alt",
        "Meta",
        *(f"F{n}" for n in range(1, 13)),
    ]
}
_MODIFIERS = ["Control", "Alt", "Shift", "Meta"]


def key_name(keys: str) -> str:
    """Playwright's name of a key or chord. Raises ActionError for one that does not exist."""
    parts = (
        [part.strip() for part in re.split(r"(?<=[^+\s])\s*[+]\s*|(?<=\w\w)-(?=\w)", keys.strip())]
        if keys.strip()
        else [keys[:1]]
    )
    names = [_one_key(part, keys) for part in parts]
    *modifiers, last = names
    if any(name not in _MODIFIERS for name in modifiers):
        raise ActionError(f"no such key: {keys!r}")
    if modifiers and len(last) == 1 and last.isalpha():
        last = last.upper() if "Shift" in modifiers else last.lower()
    return "+".join([*modifiers, last])


def _one_key(part: str, keys: str) -> str:
    plain = re.sub(r"[\s_-]|(?i:key)$|^(?i:the)\s", "", part).lower() if len(part) > 1 else part
    if plain.lower() in _KEYS:
        return _KEYS[plain.lower()]
    if part == " ":
        return "Space"
    if len(part) == 1 and part.isprintable():
        return part
    raise ActionError(f"no such key: {keys!r}")


# ---- select -----------------------------------------------------------------------------------------

_OPTIONS = """element => {
  const select = element.tagName === "SELECT" ? element : element.closest("select");
  return select && [...select.options].map((o) => ({label: o.label.trim(), value: o.value, index: o.index, disabled: o.disabled}));
}"""


async def select(tab: Tab, element: Element, option: str) -> str:
    """Chooses an option of a <select> by its label, else its value, and returns the label. ActionError lists the options."""
    options = await tab.call(element.evaluate(_OPTIONS), "finding the options")
    if options is None:
        raise ActionError("the element has no options to choose from")
    wanted = option.strip().casefold()
    exact = [o for o in options if option in (o["label"], o["value"])]
    alike = [o for o in options if wanted in (o["label"].casefold(), o["value"].casefold())]
    usable = [o for o in exact or alike if not o["disabled"]]
    if not usable:
        raise ActionError(
            f"no option {option!r}; there are: {', '.join(repr(o['label']) for o in options[:20])}"
        )
    await reach(tab, element)
    await tab.call(element.select_option(index=usable[0]["index"]), "choosing an option")
    return usable[0]["label"]
