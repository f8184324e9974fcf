"""What an action's sentence asks for (text, keys, scrolling), and how it is done to a page by mouse and keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from iwr.errors import ActionError, JudgeError
from iwr.judge.language import QUOTED, quotes
from iwr.records import Action, ActionType, Grounding

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

    from iwr.browser.sandbox import Tab

PAGE_SHARE = 0.5  # of the viewport's height (or width): one scroll where nothing says how far, as in the reference evaluator
MOST_SCROLLS = 60  # half pages until a named place must have come into view
FIND = """path => window[Symbol.for("iwr.hook")].find(path)"""


class Typing(NamedTuple):
    text: str
    target: str  # noun phrase for the field; "" when the sentence names none
    clear: bool  # replace what the field holds
    then: str | None  # a key pressed afterwards: "… and press Enter"


class Scrolling(NamedTuple):
    dx: int  # direction: -1, 0 or 1
    dy: int
    share: float  # of the viewport
    end: bool  # all the way
    target: str  # noun phrase for the place to reach; "" for none
    inside: str  # noun phrase for what is scrolled; "" for the page


# ---- understanding ------------------------------------------------------------------------------------

INTO = re.compile(r"^[\s,]*(?:in|into|inside|in to|on|onto|to|as|for|at|within)\s+(.+)$", re.I | re.S)
THEN_PRESS = re.compile(r"[\s,]*\b(?:and|then)\s+(?:then\s+)?(?:press|hit)(?:ing)?\s+(?:the\s+)?(.+?)(?:\s+key)?\s*\.?\s*$", re.I)
TYPE_VERB = re.compile(
    r"^(?:please |then |now )*(?:type|enter|input|write|fill(?: in| out)?|put|set|change|insert|append|add|replace|search(?: for)?|key in|paste|provide|specify)\b\s*",
    re.I,
)
BARE = re.compile(
    r"(?:type|enter|input|write|insert|append|search for|key in)\s+(?:the (?:text|word|words|phrase|value|number)\s+)?(.+?)(?:\s+(?:in|into|in to|on|to|inside)\s+(?:the|a|an|its)\b.*)?$",
    re.I,
)


def typing(action: Action) -> Typing:
    """What to type and where. Quoted text counts exactly as written. Raises JudgeError when there is no text."""
    sentence, then = action.parameters.description.strip().rstrip("."), None
    press = THEN_PRESS.search(sentence)
    if press and not any(m.start() <= press.start() < m.end() for m in QUOTED.finditer(sentence)):
        sentence, then = sentence[: press.start()], press[1].strip("'\"")
    clear = not re.search(
        r"\bappend|\bat the end\b|\bto the (?:existing|end)|\bafter the (?:existing|text)|\bcontinue typing", QUOTED.sub("", sentence), re.I
    )
    text = action.parameters.text
    quoted = next((m for m in QUOTED.finditer(sentence) if text is None or m[0][1:-1] == text), None) or (
        None if text is not None else next(QUOTED.finditer(sentence), None)
    )
    if text is None and quoted:
        text = quotes(quoted[0])[0]
    if text is None:
        bare = BARE.search(sentence)
        if not bare:
            raise JudgeError(
                f"nothing says what to type: {action.parameters.description!r}",
                hint="give parameters.text, or quote the text in the description",
            )
        text = bare[1]
    start, end = quoted.span() if quoted else (lambda at: (at, at + len(text)) if at >= 0 else (0, 0))(sentence.find(text))
    return Typing(text, field_phrase(sentence[:start], sentence[end:]), clear, then)


def field_phrase(before: str, after: str) -> str:
    """What names the field in "Type ⟨text⟩ into F", "Fill F with ⟨text⟩", "Click F and type ⟨text⟩"."""
    into = INTO.match(after)
    if into:
        return into[1].strip()
    named = re.sub(
        r"[\s,]*\b(?:with|to|as|and|then|by)?\s*(?:typing|type|enter|entering|input|write|the (?:text|value|word)|with|to|as)?[\s:,]*$",
        "",
        before.strip(),
        flags=re.I,
    )
    named = re.sub(r"^(?:in|into|click(?: on| into)?|select|focus(?: on)?)\s+", "", TYPE_VERB.sub("", named), flags=re.I)
    return (
        "" if re.fullmatch(r"(?:the )?(?:text|word|words|phrase|value|number|name|query|term)?", named.strip(), re.I) else named.strip(" ,")
    )


KEY_WORDS = {
    "space bar": "Space",
    "spacebar": "Space",
    "escape": "Escape",
    "enter": "Enter",
    "return": "Enter",
    "tab": "Tab",
    "backspace": "Backspace",
    "delete": "Delete",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "up": "ArrowUp",
    "down": "ArrowDown",
}


def keys(action: Action) -> list[str]:
    """The keys or chords to press, one after another. Raises JudgeError when there are none."""
    if action.parameters.key:
        pressed = [action.parameters.key]
    else:
        sentence = re.sub(
            r"\s+(?:to|in order to|so that)\s+(?!the (?:left|right)).*$", "", action.parameters.description.strip().rstrip("."), flags=re.I
        )
        quoted = quotes(sentence)
        name = (
            quoted[0]
            if quoted
            else re.sub(
                r"^.*?\b(?:press|hit|push|tap|use|type)(?:ing)?\b\s*(?:and hold\s+)?(?:on\s+)?(?:the\s+)?", "", sentence, flags=re.I
            )
        )
        name = re.sub(
            r"\s*\b(?:keys?|buttons?|shortcut|on (?:the|your) keyboard|(?:\d+|once|twice|two|three|four|five)(?: times?)?|arrow|again|together)\b\s*",
            " ",
            " " + name + " ",
        ).strip(" ,")
        pressed = [KEY_WORDS.get(name.lower(), name)] if name else []
    if not pressed or not pressed[0].strip():
        raise JudgeError(f"nothing says what to press: {action.parameters.description!r}", hint="give parameters.key")
    return pressed * times(action.parameters.description)


def times(sentence: str) -> int:
    match = re.search(r"\b(\d+|twice|two|three|four|five)\s*(?:times)?\b(?=.*\btimes\b)|\b(twice)\b", QUOTED.sub("", sentence), re.I)
    word = (match[1] or match[2]).lower() if match else "1"
    return min(20, {"twice": 2, "two": 2, "three": 3, "four": 4, "five": 5}.get(word) or int(word))


def scrolling(action: Action) -> Scrolling:
    """Where to scroll, how far, and to what."""
    parameters = action.parameters
    sentence = parameters.description.strip().rstrip(".")
    plain = QUOTED.sub("''", sentence).lower()
    toward = (parameters.direction or "").lower() or next(iter(re.findall(r"\b(down|up|left|right)(?:wards?)?\b", plain)), "")
    end = re.search(
        r"\bto (?:the )?(?:very |page )?(top|bottom|end|beginning|start|far left|far right)\b(?: of (?:the )?(?:page|screen|site|list|window|document|table))?|\ball the way (up|down)\b",
        plain,
    )
    if end and not toward:
        toward = "up" if (end[1] or end[2]) in ("top", "beginning", "start", "up") else "down"
    inside = re.search(
        r"\b(?:scroll\w*|up|down|left|right|through)\s+(?:in|inside|within|on|through|over)?\s*((?:in |inside |within )?(?:the |a )?.+)$",
        sentence,
        re.I,
    )
    within = re.search(r"\b(?:in|inside|within|through|over)\s+(.+?)(?:\s+to\s+.*)?$", sentence, re.I)
    target = (
        ""
        if end
        else (
            match[1]
            if (
                match := re.search(
                    r"\b(?:(?:back )?to|until|towards?|into view|reach|see|reveal|show|view|find)\s+((?:the |a |an )?.+)$", sentence, re.I
                )
            )
            else ""
        )
    )
    where = within[1] if within and not (target and within.start() > sentence.find(target) >= 0) else ""
    if not toward and not target and inside is None:
        toward = "down"
    dx, dy = {"down": (0, 1), "up": (0, -1), "left": (-1, 0), "right": (1, 0)}.get(toward, (0, 0 if target else 1))
    return Scrolling(
        dx,
        dy,
        share_of(parameters.scroll_page, plain),
        bool(end) and parameters.scroll_page is None,
        target,
        "" if re.fullmatch(r"(?:the )?(?:page|window|screen|website|site)", where, re.I) else where,
    )


def share_of(scroll_page: str | None, sentence: str) -> float:
    """How far one scroll goes, in viewports."""
    text = (scroll_page or "").strip().lower()
    number = re.search(r"\d+(?:\.\d+)?", text) or re.search(r"(\d+(?:\.\d+)?)(?= (?:pages?|screens?|viewports?))", sentence)
    if number:
        value = float(number[0])
        return value / 100 if "%" in text else min(value, 50.0)
    if re.search(r"\bhalf\b", text + " " + sentence):
        return 0.5
    return (
        1.0
        if re.search(r"\b(?:one|a|full|whole) (?:page|screen)\b", text + " " + sentence) or text in ("true", "page", "full")
        else PAGE_SHARE
    )


def clicks(action: Action) -> tuple[int, str]:
    """How often and with which mouse button."""
    sentence = QUOTED.sub("", action.parameters.description).lower()
    return 2 if re.search(r"double[- ]?click", sentence) else 1, "right" if re.search(r"right[- ]?click", sentence) else "left"


# ---- performing ---------------------------------------------------------------------------------------


async def element(tab: Tab, path: str) -> ElementHandle:
    """The element at a CSS path of a walk. Raises ActionError when it is gone."""
    handle = (await tab.call(tab.page.evaluate_handle(FIND, path), "finding the element")).as_element()
    if handle is None:
        raise ActionError(f"the element is no longer on the page: {path}")
    return handle


async def perform(tab: Tab, action: Action, grounding: Grounding) -> tuple[float, float] | None:
    """Do `action` to what it was grounded to. Returns the point acted on. Raises ActionError, PageError, BrowserError, JudgeError."""
    from iwr.browser import actions as hand

    target = await element(tab, grounding.locator) if grounding.locator else None
    if action.type is ActionType.PRESS:
        for key in keys(action):
            await hand.press(tab, key)
        return None
    if action.type is ActionType.SCROLL:
        await scroll(tab, scrolling(action), target)
        return None
    where = target or grounding.point
    if where is None:
        raise ActionError("there is no place to act on")
    if action.type is ActionType.TYPE:
        wanted = typing(action)
        point = await hand.type_text(tab, where, wanted.text, clear=wanted.clear)
        if wanted.then:
            await hand.press(tab, wanted.then)
        return point
    option = option_of(action) if target is not None else None
    if target is not None and option and await tab.call(target.evaluate("e => e.tagName === 'SELECT'"), "looking at the element"):
        options = await tab.call(target.evaluate("e => [...e.options].map(o => o.label.trim())"), "looking at the options")
        chosen = next((text for text in option if text.casefold() in (o.casefold() for o in options)), None)
        if chosen:
            await hand.select(tab, target, chosen)
            return None
    count, button = clicks(action)
    return await hand.click(tab, where, count=count, button=button)


def option_of(action: Action) -> list[str]:
    """Quoted texts that may be an option of a list box."""
    return quotes(action.parameters.description)


async def scroll(tab: Tab, wanted: Scrolling, target: ElementHandle | None) -> None:
    """Turns the wheel as asked; `target` is the place to reach, else what is scrolled. Raises ActionError when nothing can scroll."""
    from iwr.browser import actions as hand

    size = tab.page.viewport_size or {"width": 1280, "height": 720}
    dx, dy = wanted.dx * wanted.share * size["width"], wanted.dy * wanted.share * size["height"]
    if target is not None and wanted.target:
        await _scroll_until_seen(tab, target, dx, dy, wanted.share * size["height"])
        return
    far = 1000 if wanted.end else 1
    if await hand.scroll(tab, dx * far, dy * far, target) == (0, 0) and not await tab.evaluate(CAN_SCROLL):
        raise ActionError("nothing on the page can be scrolled")


CAN_SCROLL = """() => {
  const inner = (e) => /auto|scroll/.test(getComputedStyle(e).overflow) && (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1);
  const root = document.scrollingElement || document.documentElement;
  return root.scrollHeight > innerHeight + 1 || root.scrollWidth > innerWidth + 1 || [...document.querySelectorAll("*")].some(inner);
}"""
SEEN = """element => {
  const box = element.getBoundingClientRect(), line = Math.min(box.height, 40);
  let top = 0, bottom = innerHeight;
  for (let e = element.parentElement; e && e !== document.body && e !== document.documentElement; e = e.parentElement)
    if (getComputedStyle(e).overflowY !== "visible") { const b = e.getBoundingClientRect(); top = Math.max(top, b.top); bottom = Math.min(bottom, b.bottom); }
  return box.top >= top - 1 && box.top + line <= bottom + 1 ? 0 : box.top < top ? -1 : 1;
}"""


async def _scroll_until_seen(tab: Tab, target: ElementHandle, dx: float, dy: float, stride: float) -> None:
    from iwr.browser import actions as hand

    if dy or dx:
        await hand.scroll(tab, dx, dy, target)
    for _ in range(MOST_SCROLLS):
        side = await tab.call(target.evaluate(SEEN), "looking at the element")
        if side == 0:
            return
        if (await hand.scroll(tab, 0, side * stride, target)) == (0, 0):
            break
    raise ActionError("the place to scroll to does not come into view")
