"""A hand that uses a page in real time, the way a person does: the recording pass of `iwr record`."""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import TYPE_CHECKING

from iwr.browser import input as actions
from iwr.errors import ActionError
from iwr.records import ActionType
from iwr.tasks.recorder.screencast import Pointer
from iwr.tasks.recorder.script import ScriptAction

if TYPE_CHECKING:
    from playwright.async_api import Locator

    from iwr.browser.chromium import Tab

MOVES = 15  # small moves on the way to a target
TURNS = 12  # of the wheel in one scroll
BUSY = 0.05  # seconds
SCROLL_PAGES = (
    0.5  # viewport heights, where the script does not say how far; judges assume the same
)
IS_TEXT_FIELD = """element => element.tagName !== "SELECT"
  && !["date", "time", "month", "week", "datetime-local", "color", "range"].includes(element.type)"""


async def find(tab: Tab, selector: str) -> Locator:
    """The one element that fits. Raises ActionError for none or several, PageError for what is not a selector."""
    found = tab.page.locator(selector)
    count = await tab.call(found.count(), f"finding {selector!r}")
    if count != 1:
        raise ActionError(
            f"{selector!r} fits {count} elements, it must fit one; `:nth-match(CSS, 2)` picks one of several"
        )
    return found


def wheel(action: ScriptAction, height: int) -> float:
    """How far a scroll turns the wheel, CSS pixels, down is positive."""
    return (action.pages or SCROLL_PAGES) * height * (1 if action.direction == "down" else -1)


class Clock:
    """Seconds into the film. Pauses count as they were meant, work between them at most BUSY seconds.

    So a busy machine, which stretches both, still makes a recording of natural speed.
    """

    def __init__(self) -> None:
        self.walls, self.films = [time.time()], [0.0]

    def now(self) -> float:
        return self.films[-1] + min(time.time() - self.walls[-1], BUSY)

    async def sleep(self, seconds: float) -> None:
        self._mark(self.now())
        await asyncio.sleep(seconds)
        self._mark(self.films[-1] + seconds)

    def _mark(self, film: float) -> None:
        self.walls.append(time.time())
        self.films.append(film)

    def at(self, wall: float) -> float:
        """The moment in the film of a time since the epoch."""
        import numpy as np

        return float(np.interp(wall, self.walls, self.films))


class Hand:
    """Moves, clicks, types and scrolls like a person. `pace` 2.0 takes twice the time; `seed` varies each pause a little."""

    def __init__(self, tab: Tab, size: tuple[int, int], pace: float, seed: int | None):
        self.tab, self.size, self.pace, self.seed = tab, size, pace, seed
        self.random, self.clock = random.Random(seed), Clock()
        self.at = (size[0] * 0.6, size[1] * 0.8)
        self.pointers = [Pointer(0.0, *self.at)]
        self.clicks: list[float] = []

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep(
            seconds * self.pace * (1.0 if self.seed is None else self.random.uniform(0.7, 1.4))
        )

    async def act(self, action: ScriptAction) -> None:
        """Performs `action`. Raises ActionError when a person could not."""
        await self.wait(0.3)
        match action.type:
            case ActionType.CLICK:
                await self._click(await find(self.tab, action.target or ""))
            case ActionType.TYPE:
                await self._type(await find(self.tab, action.target or ""), action.text or "")
            case ActionType.PRESS:
                await actions.press(self.tab, action.key or "")
            case ActionType.SCROLL:
                await self._scroll(action)
        await self.wait(0.45)

    async def _move(self, x: float, y: float) -> None:
        (left, top), seconds = self.at, 0.25 + math.dist(self.at, (x, y)) / 2400
        for step in range(1, MOVES + 1):
            share = (1 - math.cos(math.pi * step / MOVES)) / 2  # slow at both ends
            self.at = (left + (x - left) * share, top + (y - top) * share)
            await actions.hover(self.tab, self.at)
            self.pointers.append(Pointer(self.clock.now(), *self.at))
            await self.wait(seconds / MOVES)

    async def _click(self, target: Locator) -> None:
        await self._move(*await self._in_sight(target))
        await self.wait(0.15)
        self.clicks.append(self.clock.now())
        await actions.click(self.tab, self.at)

    async def _in_sight(self, target: Locator) -> tuple[float, float]:
        box = await self.tab.call(target.bounding_box(), "finding the target")
        if box and not (
            0 <= box["y"] + box["height"] / 2 < self.size[1]
            and 0 <= box["x"] + box["width"] / 2 < self.size[0]
        ):
            raise ActionError(
                "the target is outside the window; scroll to it in an action before this one"
            )
        return await actions.reach(self.tab, target)

    async def _type(self, field: Locator, text: str) -> None:
        if not await self.tab.call(field.evaluate(IS_TEXT_FIELD), "finding the field"):
            await self._move(*await self._in_sight(field))
            await actions.type_text(self.tab, field, text)
            return
        await self._click(field)
        await actions.type_text(self.tab, self.at, text[:1])
        for letter in text[1:]:
            await self.wait(0.06)
            await self.tab.call(self.tab.page.keyboard.type(letter), "typing")

    async def _scroll(self, action: ScriptAction) -> None:
        over = await find(self.tab, action.target) if action.target else None
        if over:
            await self._move(*await actions.reach(self.tab, over))
        for _ in range(TURNS):
            await actions.scroll(self.tab, 0, wheel(action, self.size[1]) / TURNS, over)
            await self.wait(0.05)
