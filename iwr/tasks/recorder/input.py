"""Input that is recorded: a page is used in real time, the way a person does."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from iwr.browser import gestures
from iwr.browser import input as actions
from iwr.errors import ActionError
from iwr.tasks.recorder.dialog_box import DialogBox
from iwr.tasks.recorder.film_clock import FilmClock
from iwr.tasks.recorder.perform import Performer, Point
from iwr.tasks.recorder.screencast import Overlay, Pointer
from iwr.tasks.recorder.script import ScriptAction

if TYPE_CHECKING:
    from playwright.async_api import FloatRect, Locator

    from iwr.browser.page import Tab

START = (0.6, 0.8)
"""Share of the viewport where the mouse is at first."""
MOVES = 15
"""Small moves on the way to a target."""
TURNS = 12
"""Of the wheel in one scroll."""
SPEED = 2400.0
"""CSS pixels a second, on top of LEAST_MOVE_SECONDS."""
LEAST_MOVE_SECONDS = 0.25
BEFORE_ACTION = 0.3
AFTER_ACTION = 0.45
BEFORE_CLICK = 0.15
BETWEEN_LETTERS = 0.06
BETWEEN_TURNS = 0.05
READING = 1.2
"""Seconds that a dialog is looked at before it is answered."""
PACE_RANGE = (0.7, 1.4)
"""By which a seed varies each pause."""
HAS_TEXT = """element => element.tagName !== "SELECT"
  && !["date", "time", "month", "week", "datetime-local", "color", "range"]
    .includes(element.type)"""


class RecordedInput(Performer):
    """Moves, clicks, types and scrolls at the speed of a person.

    `pace` 2.0 takes twice the time; `seed` varies each pause a little, None does not.
    """

    def __init__(
        self,
        tab: Tab,
        size: tuple[int, int],
        assets: Path | None,
        pace: float,
        seed: int | None,
    ):
        super().__init__(tab, size, assets)
        self.pace = pace
        self.clock = FilmClock()
        self.mouse: Point = (size[0] * START[0], size[1] * START[1])
        self.pointers = [Pointer(0.0, *self.mouse)]
        self.clicks: list[float] = []
        self.overlays: list[Overlay] = []
        self._random = None
        if seed is not None:
            self._random = random.Random(seed)

    async def pause(self, seconds: float) -> None:
        """Wait as a person does: `seconds` times the pace, varied by the seed."""
        seconds *= self.pace
        if self._random:
            seconds *= self._random.uniform(*PACE_RANGE)
        await self.clock.sleep(seconds)

    async def perform(self, action: ScriptAction) -> None:
        """Do `action` with the pauses of a person around it."""
        await self.pause(BEFORE_ACTION)
        await super().perform(action)
        await self.pause(AFTER_ACTION)

    async def move(self, point: Point) -> None:
        """Move the mouse in small steps, slow at both ends."""
        seconds = LEAST_MOVE_SECONDS + math.dist(self.mouse, point) / SPEED
        for mouse in _way(self.mouse, point):
            await actions.hover(self.tab, mouse)
            await self._show_mouse(mouse, seconds / MOVES)

    async def _show_mouse(self, mouse: Point, seconds: float) -> None:
        """Record where the mouse is, and wait."""
        self.mouse = mouse
        self.pointers.append(Pointer(self.clock.now(), *mouse))
        await self.pause(seconds)

    async def approach(self, point: Point) -> None:
        """Move there and show a click."""
        await self.move(point)
        await self.pause(BEFORE_CLICK)
        self.clicks.append(self.clock.now())

    async def hold(
        self,
        point: Point,
        seconds: float,
        button: gestures.Button,
    ) -> None:
        """Press and hold for exactly so long: timers of the page do not follow the pace."""
        wait = self.clock.sleep
        await gestures.hold(
            self.tab,
            point,
            seconds,
            button=button,
            wait=wait,
        )

    async def drag(self, path: Sequence[Point]) -> None:
        """Drag along the path, the mouse in sight."""
        await gestures.drag(
            self.tab,
            path,
            move=self.move,
            wait=self.pause,
        )

    async def press(self, key: str) -> None:
        """Press a key, with a short pause after it."""
        await super().press(key)
        await self.pause(BETWEEN_LETTERS)

    async def type_text(
        self,
        field: Locator,
        text: str,
        *,
        clear: bool,
    ) -> None:
        """Type letter by letter; a field without text is set after the mouse moved there."""
        point = await self.point_of(field)
        if not await self.tab.call(field.evaluate(HAS_TEXT), "finding the field"):
            await self.move(point)
            await actions.type_text(self.tab, field, text)
            return
        await self.approach(point)
        await actions.click(self.tab, point)
        await actions.type_text(
            self.tab,
            point,
            text[:1],
            clear=clear,
        )
        for letter in text[1:]:
            await self.pause(BETWEEN_LETTERS)
            await self.tab.call(self.tab.page.keyboard.type(letter), "typing")

    async def scroll(self, wheel: Point, over: Locator | None) -> None:
        """Turn the wheel in small turns."""
        if over:
            await self.move(await super().point_of(over))
        dx, dy = wheel
        for _ in range(TURNS):
            await actions.scroll(
                self.tab,
                dx / TURNS,
                dy / TURNS,
                over,
            )
            await self.pause(BETWEEN_TURNS)

    async def point_of(self, element: Locator, share: Point | None = None) -> Point:
        """Return where to click. Raises ActionError for an element outside the window."""
        box = await self.tab.call(element.bounding_box(), "finding the target")
        if box and not self._is_in_window(box):
            raise ActionError(
                "the target is outside the window; scroll to it in an action before this one"
            )
        return await super().point_of(element, share)

    def _is_in_window(self, box: FloatRect) -> bool:
        """Return whether the middle of a box is in sight."""
        width, height = self.size
        x = box["x"] + box["width"] / 2
        y = box["y"] + box["height"] / 2
        return 0 <= x < width and 0 <= y < height

    async def answer(self, box: DialogBox) -> None:
        """Read a native dialog, move the drawn mouse to its button and click there.

        Nothing reaches the page, which is blocked until its dialog is answered.
        """
        opened = self.clock.now()
        await self.pause(READING)
        for mouse in _way(self.mouse, box.button):
            await self._show_mouse(mouse, LEAST_MOVE_SECONDS / MOVES)
        await self.pause(BEFORE_CLICK)
        self.clicks.append(self.clock.now())
        await self.pause(BEFORE_CLICK)
        self.overlays.append(
            Overlay(
                opened,
                self.clock.now(),
                box.image,
                box.corner,
            )
        )


def _way(start: Point, end: Point) -> Iterator[Point]:
    """Yield the points on the way of the mouse: slow at both ends."""
    for step in range(1, MOVES + 1):
        share = (1 - math.cos(math.pi * step / MOVES)) / 2
        yield gestures.between(start, end, share)
