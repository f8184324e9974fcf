"""An action done to a page by mouse and keyboard, as its sentence asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.browser import input as inputs
from iwr.errors import ActionError
from iwr.judge.rules.intents import Scrolling, clicks, keys, scrolling, typing
from iwr.judge.rules.language import quotes
from iwr.records import Action, ActionType, Grounding

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

    from iwr.browser.page import Tab

Point = tuple[float, float]

MOST_SCROLLS = 60  # until a named place must have come into view
TO_THE_END = 1000  # times as far as one scroll
FIND = """path => window[Symbol.for("iwr.hook")].find(path)"""
OPTIONS = """element => element.tagName === "SELECT"
  ? [...element.options].map((option) => option.label.trim())
  : []"""
CAN_SCROLL = """() => {
  const root = document.scrollingElement || document.documentElement;
  const overflows = (element, width, height) =>
    element.scrollHeight > height + 1 || element.scrollWidth > width + 1;
  const scrolls = (element) =>
    /auto|scroll/.test(getComputedStyle(element).overflow) &&
    overflows(element, element.clientWidth, element.clientHeight);
  return overflows(root, innerWidth, innerHeight) ||
    [...document.querySelectorAll("*")].some(scrolls);
}"""
SIDE = """element => {
  // 0: its first 40 px are in view, -1: it is above the view, 1: below
  const box = element.getBoundingClientRect();
  const line = Math.min(box.height, 40);
  const isRoot = (e) => e === document.body || e === document.documentElement;
  let top = 0;
  let bottom = innerHeight;
  for (let e = element.parentElement; e && !isRoot(e); e = e.parentElement) {
    if (getComputedStyle(e).overflowY === "visible") continue;
    const outer = e.getBoundingClientRect();
    top = Math.max(top, outer.top);
    bottom = Math.min(bottom, outer.bottom);
  }
  if (box.top >= top - 1 && box.top + line <= bottom + 1) return 0;
  return box.top < top ? -1 : 1;
}"""


async def perform(
    tab: Tab,
    action: Action,
    grounding: Grounding,
) -> Point | None:
    """Do `action` to what it was grounded to. Return the point acted on, in CSS pixels.

    Raises ActionError when a person could not do it, JudgeError when the sentence does not say
    enough, PageError, BrowserError.
    """
    element = await _element(tab, grounding.locator) if grounding.locator else None
    match action.type:
        case ActionType.PRESS:
            for key in keys(action):
                await inputs.press(tab, key)
            return None
        case ActionType.SCROLL:
            await _scroll(tab, scrolling(action), element)
            return None
        case ActionType.TYPE:
            return await _type(tab, action, element or _point(grounding))
        case ActionType.CLICK:
            return await _click(tab, action, element or _point(grounding))


async def _element(tab: Tab, path: str) -> ElementHandle:
    """Return the element at a path of walker.js. Raises ActionError when it is gone."""
    search = tab.page.evaluate_handle(FIND, path)
    handle = await tab.call(search, "finding the element")
    element = handle.as_element()
    if element is None:
        raise ActionError(f"the element is no longer on the page: {path}")
    return element


def _point(grounding: Grounding) -> Point:
    if grounding.point is None:
        raise ActionError("there is no place to act on")
    return grounding.point


async def _type(
    tab: Tab,
    action: Action,
    target: ElementHandle | Point,
) -> Point | None:
    request = typing(action)
    point = await inputs.type_text(tab, target, request.text, clear=request.clear)
    if request.then:
        await inputs.press(tab, request.then)
    return point


async def _click(
    tab: Tab,
    action: Action,
    target: ElementHandle | Point,
) -> Point | None:
    """Click. In a native list box, whose list is no part of the page, choose the named option."""
    if not isinstance(target, tuple):
        option = await _named_option(tab, action, target)
        if option is not None:
            await inputs.select(tab, target, option)
            return None
    count, button = clicks(action)
    return await inputs.click(tab, target, count=count, button=button)


async def _named_option(
    tab: Tab,
    action: Action,
    element: ElementHandle,
) -> str | None:
    """Return the first quoted text of the description that is an option of the element."""
    labels = await tab.call(element.evaluate(OPTIONS), "looking at the element")
    folded = {label.casefold() for label in labels}
    for text in quotes(action.parameters.description):
        if text.casefold() in folded:
            return text
    return None


async def _scroll(
    tab: Tab,
    request: Scrolling,
    element: ElementHandle | None,
) -> None:
    """Turn the wheel as asked. `element` is the place to reach, else what is scrolled.

    Raises ActionError when nothing can scroll, or the place does not come into view.
    """
    size = tab.page.viewport_size or {"width": 1280, "height": 720}
    stride = request.share * size["height"]
    dx = request.dx * request.share * size["width"]
    dy = request.dy * stride
    if element is not None and request.target:
        await _scroll_until_seen(tab, element, dx, dy, stride)
        return
    if request.end:
        dx *= TO_THE_END
        dy *= TO_THE_END
    moved = await inputs.scroll(tab, dx, dy, element)
    if moved == (0, 0) and not await tab.evaluate(CAN_SCROLL):
        raise ActionError("nothing on the page can be scrolled")


async def _scroll_until_seen(
    tab: Tab,
    element: ElementHandle,
    dx: float,
    dy: float,
    stride: float,
) -> None:
    """Scroll once as asked, then by `stride` pixels as often as it takes, up or down."""
    if dx or dy:
        await inputs.scroll(tab, dx, dy, element)
    for _ in range(MOST_SCROLLS):
        side = await tab.call(element.evaluate(SIDE), "looking at the element")
        if side == 0:
            return
        if await inputs.scroll(tab, 0, side * stride, element) == (0, 0):
            break
    raise ActionError("the place to scroll to does not come into view")
