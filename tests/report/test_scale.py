"""A report of the benchmark's full size: 113 tasks, 11 models."""

from pathlib import Path

import full_size
import pytest
from playwright.sync_api import sync_playwright

from iwr.browser.chromium import find_executable
from iwr.config import BrowserConfig, Environment
from iwr.report import write_report
from iwr.scores.stage import score


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return full_size.build(tmp_path_factory.mktemp("scale"))


def test_unchanged_pages_are_not_written_again(world):
    _, config, _, tasks, paths = world
    scores = score(world.names, tasks, config, paths)
    assert all(each.final is not None for each in scores)  # finished: nothing is compared
    write_report(world.names, tasks, config, paths)
    before = write_times(paths.report)
    assert len(before) > len(tasks) * len(world.names)
    score(world.names, tasks, config, paths)
    write_report(world.names, tasks, config, paths)
    assert write_times(paths.report) == before


def write_times(folder):
    """Return when each HTML page and each figure was written."""
    files = [*folder.rglob("*.html"), *(folder / "figures").iterdir()]
    return {file: file.stat().st_mtime_ns for file in files}


@pytest.mark.browser
def test_it_opens_in_two_hundred_megabytes(world):
    _, config, _, tasks, paths = world
    write_report(world.names, tasks, config, paths)
    executable = find_executable(BrowserConfig(name="chromium"), Environment.read())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto("about:blank")
        page.goto((paths.report / "index.html").as_uri())
        assert page.locator("#matrix tbody tr").count() == len(tasks)
        megabytes = resident(browser)
        page.locator("#words").fill("task-11")
        assert page.locator("#matrix tbody tr:visible").count() == 3
        page.locator("#matrix th", has_text=world.names[3]).get_by_role("button").click()
        page.locator("#matrix tbody tr:visible a").first.click()
        assert page.locator(".step").count() == full_size.STEPS + 1
        browser.close()
    assert megabytes < 200


def resident(browser) -> float:
    """Return the memory of the largest page process, in megabytes."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    lines = [line for pid in pages for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return max(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024
