"""An action done to a page by mouse and keyboard, as its sentence asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iwr.errors import ActionError
from iwr.judge.rules.intents import Scrolling, clicks, keys, scrolling, typing
from iwr.judge.rules.language import quotes
from iwr.records import Action, ActionType, Grounding

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

    from iwr.browser.chromium import Tab

Point = tuple[float, float]

MOST_SCROLLS = 60  # until a named place must have come into view
FIND = """path => window[Symbol.for("iwr.hook")].find(path)"""
OPTIONS = """element => element.tagName === "SELECT" ? [...element.options].map((option) => option.label.trim()) : []"""
CAN_SCROLL = """() => {
  const root = document.scrollingElement || document.documentElement;
  const room = (e, width, height) => e.scrollHeight > height + 1 || e.scrollWidth > width + 1;
  const inner = (e) => /auto|scroll/.test(getComputedStyle(e).overflow) && room(e, e.clientWidth, e.clientHeight);
  return room(root, innerWidth, innerHeight) || [...document.querySelectorAll("*")].some(inner);
}"""
SIDE = """element => {
  // 0: its first 40 px are in view, -1: it stands above, 1: below
  const box = element.getBoundingClientRect(), line = Math.min(box.height, 40);
  let top = 0, bottom = innerHeight;
  for (let e = element.parentElement; e && e !== document.body && e !== document.documentElement; e = e.parentElement) {
    if (getComputedStyle(e).overflowY === "visible") continue;
    const outer = e.getBoundingClientRect();
    [top, bottom] = [Math.max(top, outer.top), Math.min(bottom, outer.bottom)];
  }
  return box.top >= top - 1 && box.top + line <= bottom + 1 ? 0 : box.top < top ? -1 : 1;
}"""


async def perform(tab: Tab, action: Action, grounding: Grounding) -> Point | None:
    """Do `action` to what it was grounded to. Returns the point acted on.

    Raises ActionError when a person could not do it, JudgeError when the sentence does not say enough, PageError, BrowserError.
    """
    from iwr.browser import input as hand

    target = await _element(tab, grounding.locator) if grounding.locator else None
    match action.type:
        case ActionType.PRESS:
            for key in keys(action):
                await hand.press(tab, key)
            return None
        case ActionType.SCROLL:
            await _scroll(tab, scrolling(action), target)
            return None
        case ActionType.TYPE:
            return await _type(tab, action, target or _point(grounding))
        case ActionType.CLICK:
            return await _click(tab, action, target or _point(grounding))


async def _element(tab: Tab, path: str) -> ElementHandle:
    """The element at a path of candidates.js. Raises ActionError when it is gone."""
    handle = (
        await tab.call(tab.page.evaluate_handle(FIND, path), "finding the element")
    ).as_element()
    if handle is None:
        raise ActionError(f"the element is no longer on the page: {path}")
    return handle


def _point(grounding: Grounding) -> Point:
    if grounding.point is None:
        raise ActionError("there is no place to act on")
    return grounding.point


async def _type(tab: Tab, action: Action, target: ElementHandle | Point) -> Point | None:
    from iwr.browser import input as hand

    wanted = typing(action)
    point = await hand.type_text(tab, target, wanted.text, clear=wanted.clear)
    if wanted.then:
        await hand.press(tab, wanted.then)
    return point


async def _click(tab: Tab, action: Action, target: ElementHandle | Point) -> Point | None:
    """Clicks; of a native list box, whose list is no part of the page, it takes the option that is named."""
    from iwr.browser import input as hand

    if not isinstance(target, tuple):
        options = await tab.call(target.evaluate(OPTIONS), "looking at the element")
        named = [
            text
            for text in quotes(action.parameters.description)
            if text.casefold() in (option.casefold() for option in options)
        ]
        if named:
            await hand.select(tab, target, named[0])
            return None
    count, button = clicks(action)
    return await hand.click(tab, target, count=count, button=button)


async def _scroll(tab: Tab, wanted: Scrolling, target: ElementHandle | None) -> None:
    """Turns the wheel as asked; `target` is the place to reach, else what is scrolled. Raises ActionError when nothing can scroll."""
    from iwr.browser import input as hand

    size = tab.page.viewport_size or {"width": 1280, "height": 720}
    dx, dy = wanted.dx * wanted.share * size["width"], wanted.dy * wanted.share * size["height"]
    if target is not None and wanted.target:
        await _scroll_until_seen(tab, target, dx, dy, wanted.share * size["height"])
        return
    far = 1000 if wanted.end else 1
    if await hand.scroll(tab, dx * far, dy * far, target) == (0, 0) and not await tab.evaluate(
        CAN_SCROLL
    ):
        raise ActionError("nothing on the page can be scrolled")


async def _scroll_until_seen(
    tab: Tab, target: ElementHandle, dx: float, dy: float, stride: float
) -> None:
    """One turn as asked, then as many as it takes, either way."""
    from iwr.browser import input as hand

    if dx or dy:
        await hand.scroll(tab, dx, dy, target)
    for _ in range(MOST_SCROLLS):
        side = await tab.call(target.evaluate(SIDE), "looking at the element")
        if side == 0:
            return
        if await hand.scroll(tab, 0, side * stride, target) == (0, 0):
            break
    raise ActionError("the place to scroll to does not come into view")
