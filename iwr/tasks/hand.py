"""A hand that uses a page in real time, the way a person does: the recording pass of `iwr record`."""

from __future__ import annotations

import asyncio
import math
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iwr.errors import DataError
from iwr.records import ActionType
from iwr.tasks.film import Pointer
from iwr.tasks.script import ScriptAction

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

STEPS = 15  # small moves on the way to a target
SCROLL_PAGES = 0.5  # viewport heights
SCROLL_STEPS = 12


@dataclass
class Hand:
    """Moves, clicks, types and scrolls like a person. `pace` 2.0 takes twice the time; `seed` varies each time a little."""

    page: Page
    size: tuple[int, int]
    pace: float = 1.0
    seed: int | None = None
    at: tuple[float, float] = (0.0, 0.0)
    pointers: list[Pointer] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.at = (self.size[0] * 0.6, self.size[1] * 0.8)
        self.pointers.append(Pointer(time.time(), *self.at))

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self.pace * (1.0 if self.seed is None else self.random.uniform(0.7, 1.4)))

    async def move(self, x: float, y: float) -> None:
        (left, top), seconds = self.at, 0.25 + math.dist(self.at, (x, y)) / 2400
        for step in range(1, STEPS + 1):
            share = (1 - math.cos(math.pi * step / STEPS)) / 2  # slow at both ends
            self.at = (left + (x - left) * share, top + (y - top) * share)
            await self.page.mouse.move(*self.at)
            self.pointers.append(Pointer(time.time(), *self.at))
            await self.wait(seconds / STEPS)

    async def click(self, target: Locator) -> None:
        await self.move(*await self._middle(target))
        await self.wait(0.15)
        self.clicks.append(time.time())
        await self.page.mouse.down()
        await self.wait(0.06)
        await self.page.mouse.up()

    async def act(self, action: ScriptAction) -> None:
        """Perform `action`. Raises DataError when its target is not there, not alone, or out of sight."""
        await self.wait(0.3)
        match action.type:
            case ActionType.CLICK:
                await self.click(await self._find(action))
            case ActionType.TYPE:
                await self.click(await self._find(action))
                for letter in action.text or "":
                    await self.page.keyboard.type(letter)
                    await self.wait(0.06)
            case ActionType.PRESS:
                await self._press(action.key or "")
            case ActionType.SCROLL:
                await self._scroll(action)
        await self.wait(0.45)

    async def _find(self, action: ScriptAction) -> Locator:
        from playwright.async_api import Error

        found = self.page.locator(action.target or "html")
        try:
            count = await found.count()
        except Error as error:
            raise DataError(f"{action.target!r} is not a CSS selector") from error
        if count != 1:
            what = f"{action.target!r} fits {count} elements"
            raise DataError(what, hint="a target must fit exactly one; `:nth-match(CSS, 2)` picks one of several")
        return found

    async def _middle(self, target: Locator) -> tuple[float, float]:
        box = await target.bounding_box()
        if box is None:
            raise DataError("the target is not visible at this point")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        if not (0 <= x < self.size[0] and 0 <= y < self.size[1]):
            raise DataError(f"the target is outside the window, at ({x:.0f}, {y:.0f})", hint="scroll to it with an action before")
        return x, y

    async def _press(self, key: str) -> None:
        from playwright.async_api import Error

        try:
            await self.page.keyboard.press(key)
        except Error as error:
            raise DataError(f"the key {key!r} is unknown", hint="use names such as Enter, Escape, ArrowLeft, a, Control+Enter") from error

    async def _scroll(self, action: ScriptAction) -> None:
        distance = SCROLL_PAGES * self.size[1] * (1 if action.direction == "down" else -1)
        if action.target:
            await self.move(*await self._middle(await self._find(action)))
        for _ in range(SCROLL_STEPS):
            await self.page.mouse.wheel(0, distance / SCROLL_STEPS)
            await self.wait(0.05)
