"""The pages of the report in a real Chromium, opened from disk and copied away from the run."""

import shutil
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import data_sets as ds
import pytest
import runs_on_disk as on_disk
from PIL import Image
from playwright.sync_api import Page

from iwr.digests import file_digest
from iwr.records import Grounding, Rubric, Verdict
from iwr.report import write_report
from iwr.scores.stage import score
from iwr.tasks.load import load, samples_root
from tests.report.conftest import watched_page

pytestmark = pytest.mark.browser

HOSTILE = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
    "</bdi></dd></section><svg onload=window.hacked=3> "
    "\u202edesrever\u2066 שלום \x00\x1b[31m\x85 \" ' & {{ 7*7 }} {% raw %} javascript:hacked"
)
SHOWN = "<script>window.hacked = 1</script>"


def scene(path: Path, seed: int) -> Path:
    """A picture with a different colour in each quarter."""
    picture = Image.new("RGB", (640, 480))
    for index, colour in enumerate(("red", "green", "blue", "orange")):
        quarter = Image.new("RGB", (320, 240), colour if index != seed % 4 else "white")
        picture.paste(quarter, (320 * (index % 2), 240 * (index // 2)))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def wait_until(page, script, argument=None, seconds=20.0):
    """Wait until the script's answer is true.

    Playwright's own wait_for_function needs `eval`, which the report forbids.
    """
    deadline = time.monotonic() + seconds
    while not page.evaluate(script, argument):
        assert time.monotonic() < deadline, script
        time.sleep(0.05)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(report folder, config, tasks, paths): `good`, `hostile` and `lost` on three tasks."""
    root = tmp_path_factory.mktemp("html")
    hostile = ds.click(HOSTILE, visual_evaluation_flag=True, logical_assertion=HOSTILE)
    actions = [ds.click("Click 'Go'", logical_assertion="'A' appears"), hostile]
    for number, name in enumerate("abc"):
        folder = ds.folder(root, name)
        scene(folder / "checkpoints" / "step_0.png", number)
        scene(folder / "checkpoints" / "step_1.png", number + 1)
        shutil.copy(samples_root() / "data" / "film-rating" / "video.mp4", folder / "video.mp4")
    domains = {"a": "Shop", "b": "Games", "c": HOSTILE}
    lines = [
        ds.line(name, actions, classification={"domain": domain}, source_website=HOSTILE)
        for name, domain in domains.items()
    ]
    loaded = load(ds.write(root, *lines))
    assert not loaded.faults
    config = on_disk.config(root)
    paths = on_disk.paths_of(config)
    for number, task in enumerate(loaded.tasks):
        judge(paths, "good", task, number, credited=2, text="as it should be")
        judge(paths, "hostile", task, number, credited=1, text=HOSTILE)
        on_disk.generation(paths, "lost", task, "missing" if number else "failed", HOSTILE)
    models = ["good", "hostile", "lost"]
    score(models, loaded.tasks, config, paths)
    write_report(models, loaded.tasks, config, paths)
    return paths.report, config, loaded.tasks, paths


def judge(paths, model, task, number, credited, text):
    """Write the records of a page that equals the reference while it has credit.

    `text` is wherever the judge or the model can write.
    """
    on_disk.generation(paths, model, task, kind="oracle" if model == "good" else "vllm")
    files = paths.task(model, task.id)
    files.page.write_text(
        f"<html><script>window.hacked = 4; fetch('http://127.0.0.1:9')</script>{text * 3}\n</html>"
    )
    made = list(on_disk.steps(paths, model, task, credited, None if credited == 2 else "assertion"))
    for index, step in enumerate(made):
        shot = scene(
            files.judge("contract").screenshot(index),
            number if index < 2 else number + credited - 1,
        )
        found = Grounding(
            found=True,
            role="button",
            name=text,
            locator=text,
            point=(480.0, 120.0),
            candidates=3,
            reason=text,
        )
        verdict = Verdict(
            passed=step.credited,
            reason=text * (6_000 if index == 2 else 1),
            probability=0.5,
            answer=text,
        )
        rubric = Rubric(layout=1, elements=2, content=3, style=4, overall=5, total=15, reason=text)
        made[index] = step.model_copy(
            update={
                "screenshot_sha256": file_digest(shot),
                "rubric": rubric,
                "rubric_reason": text,
                "reason": step.reason and text,
                "grounding": found if index else None,
                "verdict": verdict if index else None,
            }
        )
    on_disk.rollout(paths, model, task, tuple(made), refused={text[:20]: 3})


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """The report, copied to another place; the run is out of its reach."""
    return Path(shutil.copytree(run[0], tmp_path_factory.mktemp("copied") / "a report"))


@pytest.fixture
def page(chromium, folder) -> Iterator[Page]:
    """A page of 1280x800: console errors and requests beyond the folder fail the test."""
    with watched_page(chromium, folder, viewport={"width": 1280, "height": 800}) as opened:
        yield opened


def table(page, selector="#leaderboard"):
    return [row.split("\t") for row in page.locator(f"{selector} tbody").inner_text().splitlines()]


def models(page):
    return [text.split()[0] for text in page.locator("#leaderboard tbody th").all_inner_texts()]


def pixel(page, selector, x, y):
    """Colour at a share of an element's width and height, as painted."""
    painted = Image.open(BytesIO(page.locator(selector).first.screenshot())).convert("RGB")
    return painted.getpixel((int(x * (painted.width - 1)), int(y * (painted.height - 1))))


def test_the_leaderboard_sorts_by_any_column_and_keeps_unknown_scores_last(page, folder):
    page.goto((folder / "index.html").as_uri())
    assert models(page) == ["good", "hostile", "lost"]
    missing = page.locator("#leaderboard th", has_text="Missing")
    missing.get_by_role("button").click()
    assert models(page)[0] == "lost" and missing.get_attribute("aria-sort") == "descending"
    page.locator("#leaderboard th", has_text="Model").get_by_role("button").click()
    assert models(page) == ["good", "hostile", "lost"]
    final = page.locator("#matrix th", has_text="lost").get_by_role("button")
    for _ in range(2):
        final.click()
        assert (
            page.locator("#matrix tbody tr").last.locator("th").inner_text() == "a"
        )  # unscored there


def test_the_judge_protocol_baselines_and_published_scores_are_named(page, folder):
    page.goto((folder / "index.html").as_uri())
    text = page.locator("main").inner_text()
    assert (
        "Judge contract, protocol offline." in text
        and "Ceiling, from baselines that are no models: good 1.000." in text
    )
    assert page.locator("#leaderboard .tag").inner_text() == "baseline"
    published = page.locator(".foreign")
    assert (
        "never ranked with the rows of this run" in published.inner_text()
        and published.locator("tbody tr").count() == 31
    )
    assert page.locator("#leaderboard", has_text="GPT-5").count() == 0


def test_tasks_are_filtered_by_words_domain_and_outcome(page, folder):
    page.goto((folder / "index.html").as_uri())
    visible = page.locator("#matrix tbody tr:visible")
    page.keyboard.press("/")
    page.keyboard.type("b")
    assert visible.count() == 1 and page.locator("#count").inner_text() == "1 task"
    page.locator("#words").fill("")
    page.get_by_role("combobox", name="Domain").select_option("Games")
    assert visible.locator("th").all_inner_texts() == ["b"]
    page.get_by_role("combobox", name="Domain").select_option(index=0)
    page.get_by_role("combobox", name="Outcome").select_option("unscored")
    assert visible.locator("th").all_inner_texts() == ["a"]
    page.get_by_role("combobox", name="Outcome").select_option("page")
    assert visible.count() == 0 and page.locator("#count").inner_text() == "0 tasks"


def test_one_walks_through_a_task_with_the_keyboard_alone(page, folder):
    page.goto((folder / "index.html").as_uri())
    page.locator("#matrix").get_by_role("link", name="1.00").first.press("Enter")
    page.wait_for_url("**/good/a.html")  # with its script at work
    assert page.title().startswith("good on a")
    where = "document.activeElement.closest('.step').id"
    for key, expected in (
        ("j", "step-0"),
        ("j", "step-1"),
        ("j", "step-2"),
        ("j", "step-2"),
        ("k", "step-1"),
    ):
        page.keyboard.press(key)
        assert page.evaluate(where) == expected
    assert not opened(page, "step-1")
    page.keyboard.press("Enter")
    assert opened(page, "step-1")
    page.keyboard.press("n")
    page.wait_for_url("**/good/b.html")
    page.keyboard.press("m")
    page.wait_for_url("**/hostile/b.html#step-2")
    assert page.evaluate(where) == "step-2" and opened(page, "step-2")
    page.keyboard.press("k")
    page.keyboard.press("f")
    assert page.evaluate(where) == "step-2"
    page.keyboard.press("e")
    assert page.locator(".step[open]").count() == 3
    page.keyboard.press("p")
    page.wait_for_url("**/hostile/a.html")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.wait_for_url("**/index.html")


def opened(page, step):
    return page.locator(f"#{step}").evaluate("(step) => step.open")


def test_a_step_shows_what_was_done_where_and_why(page, folder):
    page.goto((folder / "pages/hostile/a.html").as_uri())
    step = page.locator("#step-1")
    assert step.locator("h3").inner_text() == "passed Step 1: Click"
    step.locator("summary").first.click()
    assert "'A' appears" in step.inner_text() and "yes (P(yes) 0.500)" in step.inner_text()
    ring = step.locator(".mark circle").last.bounding_box()
    picture = step.locator(".acted img").bounding_box()
    assert (ring["x"] + ring["width"] / 2 - picture["x"]) / picture["width"] == pytest.approx(
        480 / 640, abs=0.01
    )
    assert (ring["y"] + ring["height"] / 2 - picture["y"]) / picture["height"] == pytest.approx(
        120 / 480, abs=0.01
    )
    assert page.locator("#step-2 .badge").inner_text() == "failed: assertion"
    assert (
        "layout 1, elements 2, content 3, style 4, overall 5: 15 of 100"
        in page.locator("#step-2").inner_text()
    )
    page.goto((folder / "pages/lost/b.html").as_uri())
    assert page.locator(".step .badge").all_inner_texts() == ["not reached"] * 3
    assert "There is no page." in page.locator("main").inner_text()


def test_the_recording_plays_and_every_picture_is_there(page, folder):
    page.goto((folder / "pages/good/a.html").as_uri())
    wait_until(page, "document.querySelector('video').readyState > 0")
    assert page.evaluate("document.querySelector('video').duration") > 3
    page.keyboard.press("e")
    for picture in page.locator("img").all():
        picture.scroll_into_view_if_needed()
    wait_until(
        page, "[...document.images].every((image) => image.complete && image.naturalWidth === 640)"
    )


def test_swipe_cuts_between_reference_and_candidate(page, folder):
    page.goto(
        (folder / "pages/hostile/a.html").as_uri()
    )  # at step 2 its candidate lacks what the reference has
    pair, where = page.locator("#step-2 .pair"), "#step-2 .reference .frame"
    page.keyboard.press("2")
    pair.scroll_into_view_if_needed()
    wait_until(
        page, "[...document.querySelectorAll('#step-2 img')].every((image) => image.naturalWidth)"
    )
    assert pixel(page, where, 0.25, 0.25) == (
        255,
        0,
        0,
    )  # reference: red there, white is the second quarter
    assert pixel(page, where, 0.75, 0.25) == (0, 128, 0)  # candidate: white is the first quarter
    pair.get_by_role("slider").fill("90")
    assert pixel(page, where, 0.75, 0.25) == (255, 255, 255)
    box = page.locator(where).bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 50, steps=3)
    page.mouse.up()
    assert pixel(page, where, 0.25, 0.25) == (255, 255, 255)
    page.reload()
    assert page.locator("input[value=swipe]").is_checked()  # the reader's choice stays


def test_difference_is_black_where_both_are_equal(page, folder):
    page.goto((folder / "pages/hostile/a.html").as_uri())
    page.keyboard.press("e")
    page.keyboard.press("3")
    for step, places in (
        ("#step-0", {(0.25, 0.25): 0, (0.75, 0.75): 0}),
        ("#step-2", {(0.25, 0.25): 255, (0.75, 0.75): 0}),
    ):
        page.locator(f"{step} .pair").scroll_into_view_if_needed()
        wait_until(
            page,
            "(step) => [...document.querySelectorAll(step + ' img')]"
            ".every((image) => image.naturalWidth)",
            step,
        )
        for (x, y), expected in places.items():
            assert max(pixel(page, f"{step} .reference .frame", x, y)) == expected


@pytest.mark.parametrize("name", ["index.html", "pages/hostile/c.html", "pages/lost/a.html"])
def test_hostile_text_is_only_text(page, folder, name):
    page.goto((folder / name).as_uri())
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == (1 if name == "index.html" else 2)
    assert page.locator("bdi *").count() == 0
    text = page.locator("main").text_content()
    assert SHOWN in text and "{{ 7*7 }}" in text and "␀␛[31m" in text
    assert not set("\x00\x1b\x85\u202e\u2066") & set(page.content())
    assert page.locator("main section").count() >= 3  # no closing tag of theirs closed one of ours


def test_long_text_is_cut_and_says_so_and_the_source_is_not_run(page, folder):
    page.goto((folder / "pages/hostile/a.html").as_uri())
    words = page.locator("#step-2 .words").text_content()
    assert "characters)" in words and len(words) < 100_000
    page.locator("#source > summary").click()
    source = page.locator(".source pre").last.inner_text()
    numbers = page.locator(".source .numbers").inner_text().split()
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert len(numbers) == source.count("\n") + 1
    assert "window.hacked = 4" in source and SHOWN in source
    assert page.evaluate("window.hacked") is None


def test_dark_follows_the_system_until_the_reader_chooses(chromium, folder):
    def paper(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    with chromium.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto((folder / "index.html").as_uri())
        dark = paper(page)
        page.keyboard.press("t")
        assert paper(page) == "rgb(255, 255, 255)" != dark
        page.goto((folder / "pages/good/a.html").as_uri())
        assert paper(page) == "rgb(255, 255, 255)"
        page.get_by_role("button", name="Dark").click()
        assert paper(page) == dark


@pytest.mark.parametrize("name", ["index.html", "pages/hostile/c.html", "pages/lost/a.html"])
def test_a_phone_needs_no_sideways_scrolling(chromium, folder, name):
    with chromium.new_context(viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        page.goto((folder / name).as_uri())
        for key in "123":
            page.keyboard.press(key)
            assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "pages/hostile/c.html"])
def test_axe_finds_nothing_serious(chromium, folder, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with chromium.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        page.goto((folder / name).as_uri())
        found = [
            one
            for one in Axe().run(page).response["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_without_scripts_the_report_is_complete(chromium, folder):
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((folder / "pages/good/a.html").as_uri())
        assert (
            page.locator(".step:visible").count() == 3
            and page.locator(".candidate:visible").count() == 1
        )
        page.locator("#step-1 > summary").click()
        page.locator("#step-0 > summary").click()
        assert (
            page.locator(".reference:visible").count() == 2
            and page.locator(".player:visible").count() == 0
        )


def test_only_what_changed_is_written_again(run):
    report, config, tasks, paths = run
    models = ["good", "hostile", "lost"]
    pages = sorted(report.rglob("*.html"))
    before = [path.stat().st_mtime_ns for path in pages]
    write_report(models, tasks, config, paths)
    assert [path.stat().st_mtime_ns for path in pages] == before
    on_disk.generation(paths, "lost", tasks[2], "failed", "another reason")
    score(models, tasks, config, paths)
    write_report(models, tasks, config, paths)
    changed = {
        path.relative_to(report).as_posix()
        for path, old in zip(pages, before, strict=True)
        if path.stat().st_mtime_ns != old
    }
    assert changed == {
        "index.html",
        "gallery.html",
        *(f"pages/{model}/c.html" for model in models),
    }  # each shows the others' scores
    assert "another reason" in (report / "pages/lost/c.html").read_text()
