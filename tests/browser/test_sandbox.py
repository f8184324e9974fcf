"""What a page can load, how a browser is found, started, limited and ended."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from iwr.browser import input as actions
from iwr.browser.chromium import Chromium, Site
from iwr.browser.isolation import namespace
from iwr.browser.pool import Pool
from iwr.browser.processes import arguments
from iwr.browser.site import serve
from iwr.config import BrowserConfig, Environment
from iwr.errors import BrowserError, DataError, PageError

pytestmark = pytest.mark.browser
CONFIG = BrowserConfig(name="test", contexts=1)


@pytest.fixture
def task(tmp_path):
    """A task's folder: page, assets, checkpoints, and links that lead out of the assets."""
    (tmp_path / "assets" / "inner folder").mkdir(parents=True)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step_0.png").write_text("secret")
    (tmp_path / "assets" / "a.txt").write_text("asset")
    (tmp_path / "assets" / "inner folder" / "é.txt").write_text("inner")
    (tmp_path / "assets" / "link.txt").symlink_to(tmp_path / "checkpoints" / "step_0.png")
    (tmp_path / "assets" / "linked").symlink_to(tmp_path / "checkpoints")
    (tmp_path / "index.html").write_text("<p>__PLACEHOLDER_ASSETS_BASE_DIR__/a.txt</p>")
    return Site(tmp_path / "index.html", tmp_path / "assets")


FETCH = (
    "(url) => fetch(url).then(async (r) => r.ok ? await r.text() : r.status).catch(() => 'refused')"
)


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("/assets/a.txt", "asset"),
        ("assets/inner%20folder/%C3%A9.txt", "inner"),
        ("/assets/a.txt?v=1#x", "asset"),
        ("https://task.local/assets/a.txt", "asset"),
        ("/checkpoints/step_0.png", 404),
        ("/assets/../checkpoints/step_0.png", 404),
        ("/assets/%2e%2e/checkpoints/step_0.png", 404),
        ("/assets/..%2fcheckpoints%2fstep_0.png", 404),
        ("/assets/inner%20folder/../../checkpoints/step_0.png", 404),
        ("/assets/link.txt", 404),
        ("/assets/linked/step_0.png", 404),
        ("/assets/", 404),
        ("/assets/inner%20folder", 404),
        ("/assets//etc/passwd", 404),
        ("/assets/%2Fetc%2Fpasswd", 404),
        ("/assets/a.txt%00.png", 404),
        ("/etc/passwd", 404),
        ("/data.jsonl", 404),
        ("https://task.local:444/assets/a.txt", "refused"),
        ("http://task.local/assets/a.txt", "refused"),
        ("https://other.local/assets/a.txt", "refused"),
        ("file:///etc/passwd", "refused"),
    ],
)
def test_a_page_reads_its_assets_and_nothing_else(browse, task, url, answer):
    async def work(tab):
        content = await tab.evaluate(FETCH, url)
        return content, sum(tab.refused.values()) > 0

    content, refused = browse(task, work)
    assert content == answer
    assert refused == (answer == 404 or (answer == "refused" and not url.startswith("file:")))


def test_the_placeholder_leads_to_the_assets(browse, task):
    async def work(tab):
        return await tab.evaluate(
            FETCH, await tab.evaluate("() => document.querySelector('p').textContent")
        )

    assert browse(task, work) == "asset"


def test_media_files_are_served_in_parts(tmp_path):
    file = tmp_path / "clip.mp4"
    file.write_bytes(bytes(range(200)))
    assert serve(file, None)[::2] == (200, bytes(range(200)))
    part = serve(file, "bytes=10-19")
    assert (part.status, part.body, part.headers["content-range"]) == (
        206,
        bytes(range(10, 20)),
        "bytes 10-19/200",
    )
    assert serve(file, "bytes=150-").body == bytes(range(150, 200))
    assert serve(file, "bytes=900-").status == 416


def test_a_page_above_the_cap_is_refused_before_it_is_loaded(browse):
    with pytest.raises(PageError, match=r"5,000,001 bytes; at most 5,000,000"):
        browse("x" * 5_000_001, actions.scroll)


def test_a_missing_page_is_an_error_of_the_data(browse, tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*none\.html"):
        browse(Site(tmp_path / "none.html"), actions.scroll)


def test_scripts_of_the_caller_run_before_those_of_the_page(browse):
    async def work(tab):
        return await tab.evaluate("() => seen")

    assert (
        browse(
            "<script>window.seen = window.planted</script>",
            work,
            scripts=["window.planted = 'planted'"],
        )
        == "planted"
    )


def test_pages_share_nothing(browse):
    async def work(tab):
        return await tab.evaluate(
            "() => { const old = localStorage.x; localStorage.x = 1; document.cookie = 'a=1';"
            " return [old, document.cookie] }"
        )

    assert browse("page", work) == [None, "a=1"]
    assert browse("page", work) == [None, "a=1"]


def test_a_script_of_ours_that_fails_on_a_page_is_the_pages_failure(browse):
    async def work(tab):
        await tab.evaluate("() => missing.name")

    with pytest.raises(PageError, match="missing is not defined"):
        browse("page", work)


def test_no_browser_is_an_error_that_says_what_to_do():
    environment = replace(Environment.read(), chromium="/none/chromium")
    with pytest.raises(BrowserError, match="no browser at /none/chromium") as error:
        Chromium(CONFIG, environment)
    assert "IWR_CHROMIUM" in error.value.hint


def test_a_browser_that_does_not_start_is_an_error_of_ours(tmp_path, no_process_left):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)

    async def start():
        async with Chromium(BrowserConfig(name="test", executable=str(broken)), Environment.read()):
            pass

    with pytest.raises(BrowserError, match="does not start"):
        asyncio.run(start())


def test_the_browser_gets_neither_our_keys_nor_our_network(tmp_path):
    environment = replace(Environment.read(), temporary=str(tmp_path))
    environment = replace(
        environment, inherited=environment.inherited | {"IWR_API_KEY": "very secret"}
    )

    async def start():
        async with Chromium(CONFIG, environment) as chromium:
            process = Path(f"/proc/{chromium.processes.browser.pid}")
            assert list(tmp_path.iterdir())
            return (process / "environ").read_bytes(), os.readlink(process / "ns" / "net")

    variables, network = asyncio.run(start())
    assert b"PATH=" in variables
    assert b"very secret" not in variables
    assert (network != os.readlink("/proc/self/ns/net")) == bool(namespace())
    assert not list(tmp_path.iterdir())


@pytest.fixture
def no_process_left():
    before = drivers()
    yield
    assert drivers() == before


def drivers() -> list[int]:
    """Return the pids of Playwright's drivers that this process started and has not ended."""
    children = psutil.Process().children()
    running = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child.pid for child in running if "run-driver" in arguments(child)]


async def look(tab):
    await tab.settle()
    return await tab.screenshot()


def test_a_killed_browser_is_replaced_and_its_page_is_done_again(task, no_process_left):
    attempts = []

    async def work(tab):
        attempts.append(tab)
        if len(attempts) == 1:
            tab.browser.processes.kill_browser()
        return await look(tab)

    async def run():
        async with Pool(CONFIG, Environment.read()) as pool:
            return await pool.run(work, task, 300, 200), await pool.run(look, task, 300, 200)

    first, second = asyncio.run(run())
    assert first == second
    assert len(attempts) == 2


def test_browsers_are_recycled(task, no_process_left):
    browsers = []

    async def work(tab):
        browsers.append(tab.browser)

    async def run():
        async with Pool(
            BrowserConfig(name="test", contexts=1, recycle=2), Environment.read()
        ) as pool:
            for _ in range(5):
                await pool.run(work, task, 300, 200)
            return pool.version

    assert asyncio.run(run()).startswith("Chromium ")
    assert [browsers.index(b) for b in browsers] == [0, 0, 2, 2, 4]


def test_an_error_of_the_work_passes_and_the_slot_is_free_again(task):
    async def fail(tab):
        raise ValueError("mine")

    async def run():
        async with Pool(CONFIG, Environment.read()) as pool:
            for _ in range(2):
                with pytest.raises(ValueError, match="mine"):
                    await pool.run(fail, task, 300, 200)

    asyncio.run(run())


def test_a_cancelled_run_leaves_no_process(task, no_process_left):
    async def wait(tab):
        await asyncio.sleep(600)

    async def run():
        async with Pool(CONFIG, Environment.read()) as pool:
            running = asyncio.create_task(pool.run(wait, task, 300, 200))
            await asyncio.sleep(2)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            return await pool.run(look, task, 300, 200)

    assert asyncio.run(run())


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from iwr.browser.chromium import Chromium
from iwr.config import BrowserConfig, Environment
async def run():
    async with Chromium(BrowserConfig(name="test"), Environment.read()) as chromium:
        print(chromium.processes.browser.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(run())
"""


def test_a_browser_ends_with_a_process_that_is_killed():
    done = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=120
    )
    browser = int(done.stdout)
    for _ in range(100):
        if not Path(f"/proc/{browser}").exists():
            return
        subprocess.run(["sleep", "0.1"], check=True)
    pytest.fail("the browser is still there")
