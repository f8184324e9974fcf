"""From a score to the step that explains it, and from there to all evidence, in real Chromium."""

import json
import shutil
from pathlib import Path

import data_sets as ds
import pytest
import runs_on_disk as on_disk

from iwr.inference.prompt import prompt_digest
from iwr.records import Frames, Generation, PageEvent
from iwr.report import write_report
from iwr.runs.files import read_record, write_record
from iwr.scores.stage import score
from iwr.tasks.load import load, samples_root
from tests.report.conftest import watched_page

pytestmark = pytest.mark.browser

ENDS = {
    "assertion": ("assertion", "failed: assertion"),
    "action": ("action", "failed: action"),
    "page": ("page", "failed: page"),
    "judge": ("judge", "not decided: judge"),
    "browser": ("infrastructure", "not decided: infrastructure"),
}
"""Model -> by what its second step failed, and how the report says it."""
MODELS = ["whole", *ENDS, *[f"model_{number:02}" for number in range(24)]]
SOURCE = "<!DOCTYPE html>\n<p>one</p>\n\n<p>four</p>"
STEPS = 4
QUIET = {"preload": False}  # the checker asks for no files of its own
WIDTHS = {390: 844, 1366: 768, 1920: 1080}


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """The report of 30 models on two tasks, copied away from the run."""
    root = tmp_path_factory.mktemp("failures")
    actions = []
    for number in range(1, STEPS + 1):
        action = ds.click(f"Click button {number}", logical_assertion=f"'{number}' appears") | {
            "visual_evaluation_flag": number == 3
        }
        actions.append(action)
    for name in ("film", "shop"):
        folder = ds.folder(root, name, (0, 3))
        source = samples_root() / "data" / "film-rating"
        shutil.copy(source / "video.mp4", folder / "video.mp4")
        for step, old in ((0, 0), (3, 2)):
            shutil.copy(
                source / f"checkpoints/step_{old}.png", folder / f"checkpoints/step_{step}.png"
            )
    domains = {"film": "Entertainment", "shop": "Shopping"}
    lines = [
        ds.line(name, actions, classification={"domain": domain})
        for name, domain in domains.items()
    ]
    tasks = load(ds.write(root, *lines)).tasks
    config = on_disk.config(root)
    paths = on_disk.paths_of(config)
    for model in MODELS:
        for task in tasks:
            judge(paths, model, task)
    score(MODELS, tasks, config, paths)
    write_report(MODELS, tasks, config, paths)
    return Path(shutil.copytree(paths.report, root / "copied" / "a report"))


def judge(paths, model, task):
    """Write the records of one page: the second step fails as `ENDS` says."""
    cause = ENDS.get(model, (None,))[0]
    frames = Frames(mode="native", planned=4, delivered=4)
    on_disk.generation(paths, model, task, frames=frames)
    files = paths.task(model, task.id)
    record = read_record(files.generation, Generation)
    asked = record.fingerprint | {"prompt": prompt_digest()}
    write_record(files.generation, record.model_copy(update={"fingerprint": asked}))
    files.page.write_text(SOURCE)
    files.reply.write_text(f"Here it is:\n```html\n{SOURCE}\n```")
    steps = list(on_disk.steps(paths, model, task, 1 if cause else STEPS, cause))
    if cause and cause != "assertion":
        lost = {"screenshot": None, "screenshot_sha256": None, "verdict": None}
        steps[2] = steps[2].model_copy(update=lost)
    if cause:
        for number in (3, 4):
            unreached = {"step": number, "action": task.action(number), "performed": False}
            unreached |= {"failed_by": None, "reason": "not reached", "credited": False}
            unreached |= {"screenshot": None, "screenshot_sha256": None, "verdict": None}
            steps.append(steps[2].model_copy(update=unreached))
    events = (
        PageEvent(step=2, kind="error", text="Uncaught TypeError: <b>cart</b> is not a function"),
        PageEvent(step=2, kind="refused script", text="https://cdn.example.test/vue.js"),
    )
    status = "failed" if cause in ("judge", "infrastructure") else "ok"
    on_disk.rollout(paths, model, task, tuple(steps), status, events=events)
    calls = [
        {
            "time": 1.0,
            "what": "step 2: assertion",
            "prompt": ["image 12ab", "Does it hold that '2' appears?"],
            "prompt_sha256": "0",
            "answer": '{"reason": "The page stays the same.", "verdict": "no"}',
            "finish_reason": "stop",
            "seconds": 1.25,
            "problem": None,
        }
    ]
    text = "".join(json.dumps(call) + "\n" for call in calls)
    files.judge("contract").calls.write_text(text + '{"torn')


def cell(page, model, task="film"):
    return page.locator(f"#matrix tr[data-task={task}] td[data-model={model}] a")


# ---- from the score to the step ----------------------------------------------------------------


@pytest.mark.parametrize("model", ENDS)
def test_one_click_leads_from_a_score_to_the_step_that_failed(chromium, report, model):
    with watched_page(chromium, report, viewport={"width": 1366, "height": 768}) as page:
        page.goto((report / "index.html").as_uri())
        cell(page, model).click()
        page.wait_for_url(f"**/{model}/film.html#step-2")
        step = page.locator("#step-2")
        assert step.evaluate("(step) => step.open")
        box = step.locator("summary").first.bounding_box()
        assert 0 <= box["y"] < 200
        assert step.locator(".badge").inner_text() == ENDS[model][1]
        assert "it did not" in step.inner_text()
        assert step.locator("figure").count() >= 1  # the page as it was then


def test_what_was_not_reached_is_not_told_as_done(chromium, report):
    with watched_page(chromium, report) as page:
        page.goto((report / "pages/action/film.html").as_uri())
        assert page.locator(".step .badge").all_inner_texts() == [
            "passed",
            "passed",
            "failed: action",
            "not reached",
            "not reached",
        ]
        assert page.locator(".step[open]").evaluate_all("(all) => all.map((one) => one.id)") == [
            "step-2"
        ]
        assert page.locator(".strip li").evaluate_all(
            "(all) => all.map((one) => one.className)"
        ) == [
            "good",
            "good",
            "bad",
            "none",
            "none",
        ]
        assert page.locator(".why h2").inner_text().endswith("Failed at step 2: action")


def test_the_first_screen_says_why(chromium, report):
    with watched_page(chromium, report, viewport={"width": 1366, "height": 768}) as page:
        page.goto((report / "pages/assertion/film.html").as_uri())
        for words in (
            "Failed at step 2: assertion",
            "it did not",
            "0.7 × IFS 0.250 (1 of 4 steps)",
        ):
            assert page.get_by_text(words).first.bounding_box()["y"] < 500
        assert page.locator(".strip .failing").bounding_box()["y"] < 500


def test_counts_lead_to_their_tasks_and_filters_stay_in_the_address(chromium, report):
    with watched_page(chromium, report, viewport={"width": 1366, "height": 768}) as page:
        page.goto((report / "index.html").as_uri())
        rows = page.locator("section:has(#causes) tbody tr")
        row = rows.filter(has=page.locator("th", has_text="action"))
        row.get_by_role("link", name="2").first.click()
        assert page.url.endswith("#model=action&outcome=action")
        assert page.locator("#count").inner_text() == "2 tasks"
        page.get_by_role("combobox", name="Domain").select_option("Shopping")
        assert page.url.endswith("#domain=Shopping&model=action&outcome=action")
        cell(page, "action", "shop").click()
        page.go_back()
        assert page.locator("#count").inner_text() == "1 task"
        page.get_by_role("link", name="The same tasks as pictures").click()
        page.reload()
        assert page.locator(".exhibit:visible h2").all_inner_texts() == ["shop"]


def test_the_gallery_shows_each_page_beside_the_reference(chromium, report):
    with watched_page(chromium, report, viewport={"width": 1366, "height": 768}) as page:
        page.goto((report / "gallery.html").as_uri())
        exhibit = page.locator(".exhibit").first
        assert exhibit.locator("li").count() == 1 + len(MODELS)
        for picture in exhibit.locator("img").all()[:4]:
            assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0
        exhibit.locator("[data-model=page] a").click()
        page.wait_for_url("**/pages/page/film.html#step-2")


# ---- evidence ----------------------------------------------------------------------------------


def test_all_evidence_can_be_opened(chromium, report):
    with watched_page(chromium, report) as page:
        page.goto((report / "pages/assertion/film.html#step-2").as_uri().replace("%23", "#"))
        step = page.locator("#step-2")
        step.get_by_text("2 console messages and refused requests").click()
        assert "Uncaught TypeError: <b>cart</b> is not a function" in step.inner_text()
        assert "https://cdn.example.test/vue.js" in step.inner_text()
        step.get_by_text("1 question to the judge").click()
        assert "Does it hold that '2' appears?" in step.inner_text()
        assert '"The page stays the same."' in step.inner_text()
        page.get_by_text("Prompt", exact=True).click()
        assert "Rebuild the website as ONE file" in page.locator("main").inner_text()
        page.get_by_text("Source of the page: 4 lines").click()
        assert page.locator(".source .numbers").inner_text().split() == ["1", "2", "3", "4"]
        page.get_by_text("4 frames that the model saw").click()
        page.get_by_role("button", name="12.9 s").click()
        assert page.locator("#clock").inner_text() == "12.9 s"
    with watched_page(chromium, report) as page:
        for name, words in {
            "raw reply": "Here it is:",
            "source": "<p>four</p>",
            "all questions to the judge": "step 2: assertion",
        }.items():
            page.goto((report / "pages/assertion/film.html").as_uri())
            page.get_by_role("link", name=name, exact=True).click()
            assert words in page.locator("body").inner_text()


# ---- replay ------------------------------------------------------------------------------------


def test_one_scrubber_moves_recording_reference_and_candidate(chromium, report):
    with watched_page(chromium, report, viewport={"width": 1366, "height": 768}) as page:
        page.goto((report / "pages/whole/film.html").as_uri())
        titles = page.locator("#reference-title, #candidate-title")
        assert titles.all_inner_texts() == ["Reference, step 0", "Candidate, step 0"]
        marks = page.locator(".mark-button")
        times = [float(mark.get_attribute("data-time")) for mark in marks.all()]
        assert times == sorted(times) and 4 < times[3] < 5.5  # the third step's checkpoint
        page.locator("#scrubber").focus()
        page.keyboard.press("End")
        assert titles.all_inner_texts() == ["Reference, step 3", "Candidate, step 4"]
        assert page.evaluate("document.getElementById('film').currentTime") > 12
        marks.nth(2).click()
        assert titles.all_inner_texts() == ["Reference, step 0", "Candidate, step 2"]
        assert page.locator("#candidate-now").get_attribute("src") == "film/step_2.png"
        page.locator("#step-1 > summary").click()
        page.locator("#step-1 .play-step").click()
        until = min(times[2], times[1] + 1)
        page.wait_for_timeout(100)
        film = "document.getElementById('film')"
        while not page.evaluate(f"{film}.paused"):
            page.wait_for_timeout(50)
        assert page.evaluate(f"{film}.currentTime") == pytest.approx(until, abs=0.1)


def test_a_candidate_that_stopped_stays_where_it_was(chromium, report):
    with watched_page(chromium, report) as page:
        page.goto((report / "pages/page/film.html").as_uri())
        page.locator(".mark-button").nth(3).click()
        title = page.locator("#candidate-title").inner_text()
        assert title == "Candidate, step 1 (step 3: not reached)"


# ---- how it looks ------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_is_accessible(chromium, report, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": width, "height": WIDTHS[width]}
    with watched_page(chromium, report, viewport=size, color_scheme=scheme) as page:
        for name in ("index.html", "gallery.html", "pages/assertion/film.html"):
            page.goto((report / name).as_uri())
            page.keyboard.press("e")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            violations = []
            for violation in Axe().run(page, options=QUIET).response["violations"]:
                if violation["impact"] in ("serious", "critical"):
                    violations.append((violation["id"], violation["nodes"][0]["html"][:200]))
            assert violations == [], name


def test_thirty_models_fit_at_1366_pixels_and_their_names_stay(chromium, report):
    with watched_page(chromium, report, viewport={"width": 1366, "height": 768}) as page:
        page.goto((report / "index.html").as_uri())
        table = page.locator("#matrix")
        assert len(MODELS) == 30 and table.locator("thead th").count() == 31
        box = table.bounding_box()
        assert box["x"] + box["width"] <= 1366
        heads = page.locator("thead th:first-child")
        positions = heads.evaluate_all("(all) => all.map((one) => getComputedStyle(one).position)")
        assert set(positions) == {"sticky"}


@pytest.mark.parametrize("key", ["2", "3", "1"])
def test_switching_the_view_keeps_the_step_and_swipe_fits_the_screen(chromium, report, key):
    with watched_page(chromium, report, viewport={"width": 1366, "height": 768}) as page:
        page.goto((report / "pages/whole/film.html").as_uri())
        page.keyboard.press("e")
        page.keyboard.press("1" if key != "1" else "2")
        for _ in range(4):
            page.keyboard.press("j")
        step = page.locator("#step-3")
        before = step.bounding_box()["y"]
        page.keyboard.press(key)
        assert step.bounding_box()["y"] == pytest.approx(before, abs=2)
        if key == "2":
            assert step.locator(".pictures").bounding_box()["height"] < 700
