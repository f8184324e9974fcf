"""What a person does to a page, with a real mouse and keyboard.

Nothing here waits for the effect: call `tab.settle()` afterwards. A target is a Playwright
locator, an element handle, or a point in the viewport. All functions raise ActionError when a
person could not do it, PageError when the page hangs or crashes, BrowserError when the browser
fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict

from iwr.browser import frames
from iwr.browser.keys import key_name
from iwr.browser.page import Tab
from iwr.browser.scripts import script
from iwr.errors import ActionError

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, JSHandle, Locator

    Element = Locator | ElementHandle
    Target = Element | tuple[float, float]

__all__ = [
    "Scrolled",
    "click",
    "hover",
    "key_name",
    "press",
    "reach",
    "scroll",
    "select",
    "type_text",
]

Point = tuple[float, float]
Button = Literal["left", "middle", "right"]

SCROLLER_POSITION = "target => [target.scroller.scrollLeft, target.scroller.scrollTop]"
SCROLL_BY = """(target, [left, top]) => {
  target.scroller.scrollBy({left, top, behavior: 'instant'});
}"""
KIND_OF_FIELD = """element => {
  if (element.tagName === 'INPUT') return element.type;
  return element.tagName === 'SELECT' ? 'select' : '';
}"""
PICKER_FIELDS = {"date", "time", "month", "week", "datetime-local", "color", "range"}
"""Input types without a text to type into; a person would use their pickers."""
TYPING_SECONDS = 0.02  # for each character, on top of the usual deadline
LISTED_OPTIONS = 20  # in an error message


class Scrolled(NamedTuple):
    """CSS pixels that really moved; (0, 0) at the end of the page."""

    x: float
    y: float


class FocusedField(TypedDict):
    """What focused.js returns about the element that has the focus."""

    isForeign: bool  # it is inside a frame that this document does not see into
    takesText: bool
    oneLine: bool


class Option(TypedDict):
    """One option of a <select>."""

    label: str
    value: str
    index: int
    disabled: bool


# ---- mouse --------------------------------------------------------------------------------------


async def reach(tab: Tab, element: Element) -> Point:
    """Return where a person could click the element.

    The element is scrolled into view when no part of it can be hit. Raises ActionError when it is
    covered (by what), disabled or not visible.
    """
    answer = await tab.call(element.evaluate(script("reach.js")), "finding the element")
    if "point" not in answer:
        raise ActionError(answer["reason"])
    x, y = answer["point"]
    return await frames.point_in_page(tab, element, (x, y), answer["frames"])


async def click(tab: Tab, target: Target, *, count: int = 1, button: Button = "left") -> Point:
    """Click with the mouse and return the point."""
    x, y = await hover(tab, target)
    work = tab.page.mouse.click(x, y, click_count=count, button=button)
    await tab.call(work, "a click")
    return x, y


async def hover(tab: Tab, target: Target) -> Point:
    """Move the mouse to the target and return the point."""
    point = target
    if not isinstance(point, tuple):
        point = await reach(tab, point)
    work = tab.page.mouse.move(*point)
    await tab.call(work, "moving the mouse")
    return point


async def scroll(tab: Tab, dx: float, dy: float, element: Element | None = None) -> Scrolled:
    """Turn the wheel by CSS pixels (right and down are positive) and return what moved.

    The mouse is over the page, or over what scrolls `element`.
    """
    over = element or tab.page.locator(":root")
    search = over.evaluate_handle(script("wheel.js"), [dx, dy])
    target = await tab.call(search, "finding what scrolls")
    left, top = await tab.call(target.evaluate(SCROLLER_POSITION), "a script")
    await _turn_wheel(tab, target, dx, dy)
    wait = target.evaluate(script("wheeled.js"), [left, top])
    x, y = await tab.call(wait, "a script")
    return Scrolled(x - left, y - top)


async def _turn_wheel(tab: Tab, target: JSHandle, dx: float, dy: float) -> None:
    """Move the mouse over what scrolls, and turn the wheel by CSS pixels."""
    point = await tab.call(target.evaluate("target => target.point"), "a script")
    if point is None:  # nowhere to put the mouse without moving something else
        await tab.call(target.evaluate(SCROLL_BY, [dx, dy]), "scrolling")
        return
    await tab.call(tab.page.mouse.move(*point), "moving the mouse")
    await tab.call(tab.page.mouse.wheel(dx, dy), "scrolling")


# ---- keyboard -----------------------------------------------------------------------------------


async def type_text(tab: Tab, target: Target, text: str, *, clear: bool = True) -> Point | None:
    """Click into a field and type, in place of what it holds (`clear`) or after it.

    Return the clicked point; None for a field that was not clicked but set.
    """
    if not isinstance(target, tuple):
        kind = await tab.call(target.evaluate(KIND_OF_FIELD), "finding the field")
        if kind == "select":
            await select(tab, target, text)
            return None
        if kind in PICKER_FIELDS:
            await _fill(tab, target, text, kind)
            return None
    point = await click(tab, target)
    field = await _focused_field(tab, target)
    if not field["takesText"]:
        raise ActionError("the element takes no text")
    if clear:
        await press(tab, "Control+A")
        await press(tab, "Delete")
    elif field["oneLine"]:
        await press(tab, "End")
    else:
        await press(tab, "Control+End")
    seconds = tab.limits.call + len(text) * TYPING_SECONDS
    work = tab.page.keyboard.type(text)
    await tab.call(work, "typing", seconds)
    return point


async def _focused_field(tab: Tab, target: Target) -> FocusedField:
    """Return what has the focus; a frame of another origin is asked through its element."""
    search = script("focused.js")
    field: FocusedField = await tab.evaluate(search)
    if field["isForeign"] and not isinstance(target, tuple):
        field = await tab.call(target.evaluate(search), "finding the field")
    return field


async def _fill(tab: Tab, field: Element, text: str, kind: str) -> None:
    """Set a field as its picker would. A field drops a value that it does not understand."""
    await reach(tab, field)
    await tab.call(field.fill(text.strip()), "filling the field")
    value = await tab.call(field.evaluate("element => element.value"), "a script")
    if value != text.strip():
        raise ActionError(f"{text!r} is not a value for a field of type {kind}")


async def press(tab: Tab, keys: str) -> None:
    """Press a key or a chord, as people write them: Esc, Return, Ctrl+A, Shift + Tab, Page Down."""
    await tab.call(tab.page.keyboard.press(key_name(keys)), f"pressing {keys}")


# ---- select -------------------------------------------------------------------------------------


async def select(tab: Tab, element: Element, text: str) -> str:
    """Choose an option of a <select> by its label, else its value, and return the label.

    Raises ActionError, which lists the options, when none matches.
    """
    options = await tab.call(element.evaluate(script("options.js")), "finding the options")
    if options is None:
        raise ActionError("the element has no options to choose from")
    option = _find_option(options, text)
    if option is None:
        labels = [repr(option["label"]) for option in options[:LISTED_OPTIONS]]
        raise ActionError(f"no option {text!r}; there are: {', '.join(labels)}")
    await reach(tab, element)
    await tab.call(element.select_option(index=option["index"]), "choosing an option")
    return option["label"]


def _find_option(options: list[Option], text: str) -> Option | None:
    """Return the first usable option with this label or value, in the same case if there is one."""
    folded = text.strip().casefold()
    exact: list[Option] = []
    similar: list[Option] = []
    for option in options:
        label = option["label"]
        value = option["value"]
        if text in (label, value):
            exact.append(option)
        if folded in (label.casefold(), value.casefold()):
            similar.append(option)
    for option in exact or similar:
        if not option["disabled"]:
            return option
    return None
