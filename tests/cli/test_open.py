"""`iwr open`: the page of a run in the sandbox of scoring, for a person to try."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from iwr.browser.visible import show
from iwr.cli.main import main
from iwr.cli.open_command import page_of_run
from iwr.config import Environment
from iwr.tasks.load import samples_root

pytestmark = pytest.mark.browser

COUNTER = """<body><button id=more>0</button><script>
more.onclick = () => { more.textContent++; fetch("https://example.test/count") };
setTimeout(() => document.body.append("late"), 300);</script>"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The folder of a run with one page."""
    root = tmp_path_factory.mktemp("open")
    settings = ["data.tasks=[film-rating]", f"run.root={root}", "run.name=r"]
    assert main(["generate", "model=blank", "data=samples", *settings]) == 0
    (root / "r" / "blank" / "film-rating" / "index.html").write_text(COUNTER)
    return root / "r"


def test_the_page_runs_in_real_time_and_has_no_network(run):
    page = page_of_run(run, "blank", "film-rating")
    task = samples_root() / "data" / "film-rating"
    assert page.site.assets == task / "assets"
    texts = []

    async def use(tab):
        assert await tab.evaluate("[innerWidth, innerHeight]") == [page.width, page.height]
        await tab.page.get_by_text("late").wait_for()
        await tab.page.click("#more")
        texts.append(await tab.page.inner_text("#more"))
        await tab.page.close()

    events = asyncio.run(show(page, Environment.read(), use, visible=False))
    assert texts == ["1"]
    assert [(event.kind, event.text) for event in events] == [
        ("refused fetch", "https://example.test/count")
    ]


def iwr(*arguments, **variables) -> subprocess.CompletedProcess[str]:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    command = [sys.executable, "-m", "iwr.cli.main", "open", *map(str, arguments)]
    return subprocess.run(
        command, env=environment | variables, capture_output=True, text=True, timeout=120
    )


def test_without_a_screen_it_says_so(run):
    process = iwr(run, "blank", "film-rating")
    assert process.returncode == 3
    assert process.stderr.startswith("iwr: there is no display for a window\n")


def test_a_screen_that_does_not_answer_is_the_browsers_failure(run):
    process = iwr(run, "blank", "film-rating", DISPLAY=":1234")
    assert process.returncode == 3
    assert "the browser does not start" in process.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "open takes a run, a model and a task"),
        (["nowhere", "blank", "film-rating"], "is not the folder of a run"),
        (["RUN", "other", "film-rating"], "models with pages: blank"),
        (["RUN", "blank", "shop-cart"], "tasks with pages: film-rating"),
    ],
)
def test_what_does_not_exist_is_named(run, arguments, words):
    process = iwr(*[str(run) if text == "RUN" else text for text in arguments])
    assert process.returncode == 2 and words in process.stderr
