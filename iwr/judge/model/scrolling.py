"""What is scrolled, which way, and how far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import create_model

from iwr.browser import input as actions
from iwr.browser.page_state import Snapshot
from iwr.contract.schema import Verb
from iwr.errors import ActionError, JudgeError
from iwr.judge.model.asking import Asker
from iwr.judge.model.grounding import (
    ElementReply,
    Question,
    choose,
    grounding_of,
    nothing_to_act_on,
)
from iwr.judge.model.parameters import (
    DIRECTIONS,
    PART,
    direction_of,
    number_of,
    pages_of,
    plain_scroll,
)
from iwr.judge.model.targets import landmarks, places
from iwr.judge.perform import Performer
from iwr.records import Action, Gesture, Grounding

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

    from iwr.browser.page import Tab

MOST_SCROLLS = 60  # until a named place must have come into view
PAGES = (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 50)
"""How far a model may say that something is scrolled."""
END = 1000.0  # pages: all the way
PAGE = "page"
PLACE = "place"

TASK = """\
What is scrolled, and how far? Give:
- scope: "page" if the page is scrolled; "element" if the action names something on the page that \
is scrolled, such as a list or a side bar; "place" if the action names where to scroll to, such as \
a section or a text that comes into view then
- element: the element or the place; "none" if the page is scrolled
"""
DIRECTION = """\
- direction: down, up, left or right; where the action does not say it, the way to the place
"""
AMOUNT = """\
- amount: "end" for all the way to the end (down to the bottom, up to the top), "pages" if the \
action says how many pages or screens, else "part"
- pages: how many pages or screens; 0 if the action does not say it
"""

CAN_SCROLL = """() => {
  const hook = window[Symbol.for("iwr.hook")];
  const root = document.scrollingElement || document.documentElement;
  const elements = [...document.querySelectorAll("*")];
  const overflows = (element, width, height) =>
    element.scrollHeight > height + 1 || element.scrollWidth > width + 1;
  const scrolls = (element) =>
    /auto|scroll/.test(getComputedStyle(element).overflow) &&
    overflows(element, element.clientWidth, element.clientHeight);
  const listens = (target) => hook.hears(target, ["wheel", "mousewheel"]);
  return overflows(root, innerWidth, innerHeight) ||
    [window, document, ...elements].some(listens) ||
    elements.some((element) => element.tagName === "IFRAME" || scrolls(element));
}"""
SIDE = """(element, sideways) => {
  // 0: its first 40 px are in view, -1: it is above (left of) the view, 1: below (right of) it
  const [start, end, size] = sideways ? ["left", "right", "width"] : ["top", "bottom", "height"];
  const box = element.getBoundingClientRect();
  const line = Math.min(box[size], 40);
  const isRoot = (e) => e === document.body || e === document.documentElement;
  let first = 0;
  let last = sideways ? innerWidth : innerHeight;
  for (let e = element.parentElement; e && !isRoot(e); e = e.parentElement) {
    if (getComputedStyle(e)[sideways ? "overflowX" : "overflowY"] === "visible") continue;
    const outer = e.getBoundingClientRect();
    first = Math.max(first, outer[start]);
    last = Math.min(last, outer[end]);
  }
  if (box[start] >= first - 1 && box[start] + line <= last + 1) return 0;
  return box[start] < first ? -1 : 1;
}"""

Point = tuple[float, float]


class Scrolling(ElementReply):
    scope: Literal["page", "element", "place"]


class ScrollPlan(NamedTuple):
    """What is scrolled; with `until_seen` as often as it takes."""

    grounding: Grounding
    until_seen: bool = False


async def ground(asker: Asker, step: int, action: Action, page: Snapshot) -> ScrollPlan:
    """Return what is scrolled and how. Raises JudgeError, ServerError.

    No model is asked about a sentence that says no more than the direction.
    """
    direction = plain_scroll(action)
    if direction:
        wheel = _wheel(page, direction, pages_of(action) or PART)
        return ScrollPlan(_page(page, wheel))
    nodes = places(page)
    if not nodes:
        return ScrollPlan(nothing_to_act_on())
    asked = question(step, action)
    choice = await choose(asker, asked, page, nodes, landmarks(nodes))
    wheel = _wheel(page, _direction(action, choice.reply), _pages(action, choice.reply))
    if choice.reply.scope == PAGE:
        return ScrollPlan(_page(page, wheel))
    gesture = Gesture(verb=Verb.SCROLL, wheel=wheel)
    grounding = grounding_of(page, choice, gesture)
    until_seen = choice.reply.scope == PLACE
    return ScrollPlan(grounding, until_seen)


def question(step: int, action: Action) -> Question[Scrolling]:
    """Return the question; what the parameters give is not asked for."""
    task = TASK
    fields: dict[str, Any] = {}
    if direction_of(action) is None:
        task += DIRECTION
        fields["direction"] = (Literal[tuple(DIRECTIONS)], ...)
    if pages_of(action) is None:
        task += AMOUNT
        fields["amount"] = (Literal["part", "pages", "end"], ...)
        fields["pages"] = (float, number_of(PAGES))
    reply = create_model("Scrolling", __base__=Scrolling, **fields)
    return Question(f"step {step}: scrolling", action, task, reply)


def _direction(action: Action, reply: Scrolling) -> str:
    """Return the parameter's direction, else the model's; it was asked for one only then."""
    direction = direction_of(action)
    if direction:
        return direction
    return str(getattr(reply, "direction", "down"))


def _pages(action: Action, reply: Scrolling) -> float:
    """Return how many viewports the wheel is turned at first."""
    pages = pages_of(action)
    if pages:
        return pages
    if reply.scope == PLACE:  # on, as long as it takes
        return PART
    match getattr(reply, "amount", "part"):
        case "end":
            return END
        case "pages":
            return float(getattr(reply, "pages", 0)) or PART
        case _:
            return PART


def _wheel(page: Snapshot, direction: str, pages: float) -> Point:
    """Return how far the wheel is turned, (x, y) in CSS pixels; `pages` are viewports."""
    right, down = DIRECTIONS[direction]
    x = right * pages * page.width
    y = down * pages * page.height
    return x, y


def _page(page: Snapshot, wheel: Point) -> Grounding:
    """Return the record of scrolling the page as a whole."""
    gesture = Gesture(verb=Verb.SCROLL, wheel=wheel)
    return Grounding(found=True, role="page", candidates=len(page.candidates), gesture=gesture)


# ---- doing it ------------------------------------------------------------------------------


async def scroll(performer: Performer, plan: ScrollPlan) -> Grounding:
    """Turn the wheel as planned; return the grounding with how far it was turned in all.

    Raises ActionError when nothing can scroll, or the place does not come into view.
    """
    tab = performer.tab
    grounding = plan.grounding
    gesture = grounding.gesture
    if gesture is None or gesture.wheel is None:
        raise JudgeError("nothing says how far to scroll")
    element = None
    if grounding.locator:
        element = await performer.element(grounding.locator)
    moved = await actions.scroll(tab, *gesture.wheel, element)
    if moved == (0, 0) and not await tab.evaluate(CAN_SCROLL):
        raise ActionError("nothing on the page can be scrolled")
    if not plan.until_seen or element is None:
        return grounding
    wheel = await _scroll_until_seen(tab, element, gesture.wheel)
    update = {"gesture": gesture.model_copy(update={"wheel": wheel})}
    return grounding.model_copy(update=update)


async def _scroll_until_seen(tab: Tab, element: ElementHandle, wheel: Point) -> Point:
    """Scroll on by the same stride, there or back. Return how far the wheel turned in all."""
    x, y = wheel
    sideways = x != 0
    stride = abs(x + y)
    last_side = 1 if x + y > 0 else -1
    for _ in range(MOST_SCROLLS):
        side = await tab.call(element.evaluate(SIDE, sideways), "looking at the element")
        if side == 0:
            return x, y
        if side != last_side:  # too far: what scrolls may be lower than the stride
            stride /= 2
        last_side = side
        dx = 0.0
        dy = 0.0
        if sideways:
            dx = side * stride
        else:
            dy = side * stride
        x += dx
        y += dy
        moved = await actions.scroll(tab, dx, dy, element)
        if moved == (0, 0):
            break
    raise ActionError("the place to scroll to does not come into view")
