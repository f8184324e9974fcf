"""The bundled samples are worth judging on, and their pages do what their scripts say."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageStat

from iwr.records import ActionType, Task
from iwr.tasks.load import load, samples_root
from iwr.tasks.recorder.record import checkpoints
from iwr.tasks.recorder.script import ScriptAction
from iwr.tasks.recorder.script_file import read_script

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LOADED = load(samples_root())
TASKS = LOADED.tasks
IDS = [task.id for task in TASKS]
every_sample = pytest.mark.parametrize("task", TASKS, ids=IDS)
PLACEHOLDER = "__PLACEHOLDER_ASSETS_BASE_DIR__/"


def page_of(task: Task) -> str:
    assert task.true_page
    return task.true_page.read_text(encoding="ascii")


def test_all_samples_load_without_a_fault_or_a_note():
    assert (len(TASKS), LOADED.faults, LOADED.notes) == (8, (), ())
    assert len({task.source_website for task in TASKS}) == 8


def test_they_stay_small():
    size = sum(file.stat().st_size for file in samples_root().rglob("*") if file.is_file())
    assert size < 15_000_000
    assert sum(len(page_of(task)) <= 2_800 for task in TASKS) >= 6 and all(
        len(page_of(task)) <= 3_600 for task in TASKS
    )


def test_they_have_buttons_as_well_as_plain_elements_to_click():
    kinds = {kind for task in TASKS for kind in re.findall(r'<(\w+) class="btn', page_of(task))}
    assert {"button", "div"} <= kinds


def test_they_scroll_both_ways_and_in_the_window_as_well_as_in_a_list():
    scrolls = [
        action
        for task in TASKS
        for action in read_script(task.folder / "script.yaml").actions
        if action.type is ActionType.SCROLL
    ]
    assert {action.direction for action in scrolls} == {"up", "down"}
    assert {bool(action.target) for action in scrolls} == {True, False}


@every_sample
def test_a_sample_has_enough_to_judge(task: Task):
    kinds = [action.type for action in task.actions]
    assert 5 <= len(kinds) <= 9 and set(kinds) == set(ActionType)
    assert (
        kinds[0] is not ActionType.SCROLL and kinds[0] is not ActionType.PRESS
    )  # neither passes on a page without content
    assert sum(bool(action.logical_assertion) for action in task.actions) >= 3
    assert sum(action.visual_evaluation_flag for action in task.actions) >= 2
    easy = [
        a
        for a in task.actions
        if a.type in (ActionType.SCROLL, ActionType.PRESS) and not a.logical_assertion
    ]
    assert len(easy) <= 1
    assert all(action.parameters.description.endswith(".") for action in task.actions)
    assert all(
        getattr(task.classification, field) for field in type(task.classification).model_fields
    )


@every_sample
def test_a_page_stands_alone_and_uses_each_of_its_assets(task: Task):
    html = page_of(task)
    assert not re.search(r"https?:|url\(|@import|fetch|Date|Math\.random|localStorage", html)
    assert set(re.findall(r"<(\w+)[^>]*\bsrc=", html)) <= {"img"}
    assert all("width=" in tag and "height=" in tag for tag in re.findall(r"<img[^>]*>", html))
    assert task.assets and "PLACEHOLDER" in html
    named = {
        re.sub(r"\$\{[^}]*\}", "*", name)
        for name in re.findall(re.escape(PLACEHOLDER) + r'([^"]+)"', html)
    }
    assert all(any(file.match(name) for name in named) for file in task.assets.iterdir())


@every_sample
def test_a_recording_lasts_ten_to_seventeen_seconds(task: Task):
    import av

    with av.open(str(task.video)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.average_rate, stream.width, stream.height) == (
            "h264",
            25,
            task.width,
            task.height,
        )
        assert 10 <= stream.frames / 25 <= 17


def test_recordings_look_different_even_as_thumbnails():
    thumbnails = [
        Image.open(task.checkpoints[0]).convert("RGB").resize((8, 6), Image.Resampling.BOX)
        for task in TASKS
    ]
    apart = [difference(a, b) for i, a in enumerate(thumbnails) for b in thumbnails[:i]]
    assert min(apart) > 20  # grey levels on average


def difference(a: Image.Image, b: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(a, b)).mean) / 3


def image(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


@pytest.mark.browser
@every_sample
def test_the_true_page_replayed_gives_the_shipped_checkpoints(task: Task):
    assert task.true_page
    shipped = [file.read_bytes() for _, file in sorted(task.checkpoints.items())]
    replayed = checkpoints(task.true_page, task.assets, task.folder / "script.yaml")
    if (
        replayed != shipped
    ):  # another Chromium or other fonts than those of the recording: the same page all the same
        assert (
            max(difference(image(a), image(b)) for a, b in zip(replayed, shipped, strict=True)) < 4
        ), f"recorded with {task.environment}"
        pytest.skip(f"rendered a little differently: recorded with {task.environment}")


# ---- the script against the page, with nothing of our own in between ----


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    from iwr.browser.chromium import find_executable
    from iwr.config import BrowserConfig, Environment

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_executable(BrowserConfig(name="test"), Environment.read())
        )
        yield browser
        browser.close()


READABLE = """() => {
  const out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentNode;
    if (["SCRIPT", "STYLE"].includes(parent.tagName)) continue;
    range.selectNodeContents(walk.currentNode);
    const seen = [...range.getClientRects()].some(b => {
      const top = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
      return top && (top.contains(parent) || parent.contains(top));
    });
    if (seen) out.push(walk.currentNode.textContent);
  }
  return out.join("\\n");
}"""


def perform(page: Page, action: ScriptAction) -> None:
    if action.type is ActionType.CLICK:
        page.locator(str(action.target)).click(timeout=3000)
    elif action.type is ActionType.TYPE:
        page.locator(str(action.target)).fill(str(action.text), timeout=3000)
    elif action.type is ActionType.PRESS:
        page.keyboard.press(str(action.key))
    else:
        page.locator(action.target or "header, main").first.hover(
            position={"x": 100, "y": 40}, force=True
        )
        page.mouse.wheel(0, 360 if action.direction == "down" else -360)
        page.wait_for_timeout(300)


@pytest.mark.browser
@every_sample
def test_assertions_are_false_before_and_true_after_their_action(
    task: Task, browser: Browser, tmp_path: Path
):
    page = browser.new_page(viewport={"width": task.width, "height": task.height})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    (tmp_path / "index.html").write_text(
        page_of(task).replace(PLACEHOLDER, f"{task.assets.as_uri()}/")
    )  # type: ignore[union-attr]
    page.goto((tmp_path / "index.html").as_uri())
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    before = page.evaluate(READABLE)
    for action in read_script(task.folder / "script.yaml").actions:
        if action.type is ActionType.CLICK:
            assert page.locator(f"{action.target}").evaluate("e => e.matches('.btn')"), (
                f"{action.target} lacks class btn"
            )
        perform(page, action)
        after = page.evaluate(READABLE)
        if action.assertion:
            (text,) = re.findall(r"'(.+)'", action.assertion)
            assert text not in before and text in after, action.assertion
        before = after
    assert errors == []
    page.close()
