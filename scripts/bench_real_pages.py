"""Measure what a rollout on real pages costs: `scripts/real_pages.py out=DIR` first.

    python scripts/bench_real_pages.py data=DIR             # about 6 minutes on two cores
    python scripts/bench_real_pages.py data=DIR only=todo-vue,game-2048 rounds=3

Each true page is judged by the judge `contract`, in turns with a bare Playwright script: the same
steps by the selectors of the recording, a screenshot after each, no sandbox, no judging. The bare
script waits no longer than each state needs: how long was measured before, on the same machine.
All pages together may cost 1.5 times its wall time; the exit code is 1 when they cost more.

Waiting, in the table, is the bare script's: a rollout moves a clock of its own through that time.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from omegaconf import OmegaConf
from real_pages import ROOT

from iwr.browser.chromium import START, find_executable
from iwr.browser.gestures import DRAG_STEPS
from iwr.browser.pool import Pool
from iwr.config import Config, Environment, load_config
from iwr.judge.backends import contract_of
from iwr.judge.contract.judge import ContractJudge
from iwr.judge.runner import RolloutJob, roll_out
from iwr.records import ActionType, Task
from iwr.runs.paths import JudgePaths
from iwr.tasks.load import load
from iwr.tasks.recorder.perform import wheel_of
from iwr.tasks.recorder.script import ScriptAction
from iwr.tasks.recorder.script_file import read_script

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

RATIO = 1.5
WATCHED = 2.5  # seconds after an action, in which a state is watched for its last change
SHOT = {"animations": "disabled", "caret": "hide"}
SAME_DATE = f"""{{
  const RealDate = Date;
  const shift = {START} - RealDate.now();
  Date = class extends RealDate {{
    constructor(...parts) {{
      if (parts.length) super(...parts);
      else super(RealDate.now() + shift);
    }}
    static now() {{ return RealDate.now() + shift; }}
  }};
}}
"""
"""Calendars open at the date of the recording."""
TWO_FRAMES = """() => new Promise(done =>
  requestAnimationFrame(() => requestAnimationFrame(done)))"""
WATCH = """(() => {
  window.lastChange = 0;
  const note = () => { window.lastChange = performance.now(); };
  const watch = () => {
    new MutationObserver(note).observe(document, {
      subtree: true, childList: true, attributes: true, characterData: true,
    });
    addEventListener('scroll', note, true);
    const look = () => {
      const ends = animation => animation.effect.getComputedTiming().endTime !== Infinity;
      if (document.getAnimations().some(animation =>
        animation.playState === 'running' && ends(animation))) note();
      requestAnimationFrame(look);
    };
    look();
  };
  addEventListener('DOMContentLoaded', watch);
})();"""


@dataclass
class Settings:
    data: str = "???"
    only: str = ""  # names of pages, separated by commas
    rounds: int = 5

    @property
    def names(self) -> list[str] | None:
        """Return the names of the chosen pages; None means all."""
        return self.only.split(",") if self.only else None


class Timing(NamedTuple):
    """Seconds that a page takes."""

    page: str
    bare: float
    rollout: float
    waiting: float  # of the bare script, for its states

    @property
    def ratio(self) -> float:
        return self.rollout / self.bare

    def __str__(self) -> str:
        name = f"{self.page:20}"
        return f"{name} {self.bare:7.2f} {self.rollout:8.2f} {self.ratio:6.2f} {self.waiting:8.2f}"


Wait = Callable[["Page", int], Awaitable[None]]
"""Waits for the state after a step, which is counted from 0 for the opened page."""


class BareScript:
    """What a person would write for one page with Playwright alone."""

    def __init__(self, browser: Browser, task: Task):
        assert task.true_page, f"{task.id} has no page"
        self.browser = browser
        self.task = task
        self.url = task.true_page.as_uri()
        self.actions = read_script(ROOT / task.id / "script.yaml").actions
        self.waits: list[float] = []  # seconds

    async def run(self) -> None:
        """Do all steps, and wait as long as `measure` has found to be needed."""
        await self._run(self._wait)

    async def measure(self) -> None:
        """Find how long the page changes after each step."""
        self.waits = []
        await self._run(self._watch, WATCH)

    async def _run(self, wait: Wait, before_scripts: str = "") -> None:
        size = {"width": self.task.width, "height": self.task.height}
        context = await self.browser.new_context(viewport=size)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.add_init_script(SAME_DATE + before_scripts)
        await page.goto(self.url)
        await wait(page, 0)
        await page.screenshot(**SHOT)  # type: ignore[arg-type]
        for number, action in enumerate(self.actions, 1):
            await self._perform(page, action)
            await wait(page, number)
            await page.screenshot(**SHOT)  # type: ignore[arg-type]
        await context.close()

    async def _wait(self, page: Page, number: int) -> None:
        seconds = self.waits[number]
        if seconds:
            await asyncio.sleep(seconds)
        await page.evaluate(TWO_FRAMES)

    async def _watch(self, page: Page, _: int) -> None:
        done = await page.evaluate("performance.now()")
        await asyncio.sleep(WATCHED)
        last = await page.evaluate("lastChange")
        seconds = max(0.0, last - done) / 1000
        if seconds > WATCHED - 0.1:  # it never rests; such a script would not wait for it
            seconds = 0.0
        self.waits.append(seconds)

    async def _perform(self, page: Page, action: ScriptAction) -> None:
        for selector in action.hover:
            await page.hover(selector)
        match action.type:
            case ActionType.CLICK:
                await self._click(page, action)
            case ActionType.TYPE:
                await page.click(action.target or "")
                if action.clear:
                    await page.keyboard.press("Control+A")
                    await page.keyboard.press("Delete")
                await page.keyboard.type(action.text or "")
            case ActionType.PRESS:
                for _ in range(action.count):
                    await page.keyboard.press(action.key or "")
            case ActionType.SCROLL:
                if action.target:
                    await page.hover(action.target)
                dx, dy = wheel_of(action, (self.task.width, self.task.height))
                await page.mouse.wheel(dx, dy)

    async def _click(self, page: Page, action: ScriptAction) -> None:
        target = page.locator(action.target or "")
        if action.drag_to:
            await _drag(page, target, page.locator(action.drag_to))
        elif action.option:
            await target.select_option(label=action.option)
        elif action.at:
            box = await _box(target)
            position = {"x": action.at[0] * box["width"], "y": action.at[1] * box["height"]}
            await target.click(position=position)  # type: ignore[arg-type]
        else:
            await target.click(click_count=action.count)


async def _drag(page: Page, start: Locator, end: Locator) -> None:
    await start.hover()
    await page.mouse.down()
    box = await _box(end)
    x = box["x"] + box["width"] / 2
    y = box["y"] + box["height"] / 2
    await page.mouse.move(x, y, steps=DRAG_STEPS)
    await page.mouse.up()


async def _box(element: Locator) -> dict[str, float]:
    box = await element.bounding_box()
    assert box, "the element has no box"
    return dict(box)  # type: ignore[arg-type]


class Bench:
    """Runs both on one page after the other, each with one browser that is open already."""

    def __init__(self, browser: Browser, pool: Pool, config: Config, folder: Path):
        self.browser = browser
        self.pool = pool
        self.config = config
        self.folder = folder

    async def time(self, task: Task, rounds: int) -> Timing:
        """Return the medians of a page."""
        script = BareScript(self.browser, task)
        await script.measure()
        bare = []
        rollout = []
        for number in range(rounds):
            bare.append(await _seconds(script.run()))
            home = self.folder / f"{task.id}-{number}"
            rollout.append(await _seconds(self._roll_out(task, home)))
        waiting = sum(script.waits)
        return Timing(task.id, statistics.median(bare), statistics.median(rollout), waiting)

    async def _roll_out(self, task: Task, home: Path) -> None:
        assert task.true_page
        home.mkdir()
        job = RolloutJob(task, "page", task.true_page, JudgePaths(home))
        judge = ContractJudge(contract_of(task))
        rollout = await roll_out(job, judge, self.pool, self.config, {})
        for step in rollout.steps[1:]:
            assert step.credited, f"{task.id}, step {step.step}: {step.reason}"


async def _seconds(work: Awaitable[None]) -> float:
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


async def run(settings: Settings, folder: Path) -> list[Timing]:
    """Return the timing of each page, printed as it is known."""
    from playwright.async_api import async_playwright

    config, _ = load_config(["browser.contexts=1"])
    environment = Environment.read()
    executable = find_executable(config.browser, environment)
    timings = []
    async with async_playwright() as playwright, Pool(config.browser, environment) as pool:
        browser = await playwright.chromium.launch(executable_path=executable)
        bench = Bench(browser, pool, config, folder)
        for task in load(Path(settings.data), settings.names).tasks:
            timing = await bench.time(task, settings.rounds)
            print(timing, flush=True)
            timings.append(timing)
        await browser.close()
    return timings


def main() -> None:
    arguments = OmegaConf.merge(OmegaConf.structured(Settings), OmegaConf.from_cli(sys.argv[1:]))
    settings = OmegaConf.to_object(arguments)
    assert isinstance(settings, Settings)
    print(f"{'page':20}  bare, s  rollout  ratio  waiting")
    with tempfile.TemporaryDirectory() as folder:
        timings = asyncio.run(run(settings, Path(folder)))
    bare = sum(timing.bare for timing in timings)
    rollout = sum(timing.rollout for timing in timings)
    waiting = sum(timing.waiting for timing in timings)
    print(Timing("all", bare, rollout, waiting), f"(at most {RATIO})")
    sys.exit(rollout > RATIO * bare)


if __name__ == "__main__":
    main()
