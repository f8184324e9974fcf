"""The pages of `iwr compare FIRST SECOND out=DIR`, made of a real run of samples."""

import pytest
from playwright.sync_api import sync_playwright

from iwr.browser.chromium import find_executable
from iwr.cli.main import main
from iwr.config import BrowserConfig, Environment

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder of a comparison: the page that shows one screenshot against the true page."""
    root = tmp_path_factory.mktemp("compared")
    settings = ["data=samples", "data.tasks=[film-rating,shop-cart]", f"run.root={root}"]
    settings += ["judge=contract", "protocol=offline", "protocol.low=[ssim]", "run.name=r"]
    settings += ["~protocol.metrics.ocr", "models=[oracle,screenshot]"]
    assert main(["run", *settings]) == 0
    assert main(["compare", f"{root}/r/screenshot", f"{root}/r/oracle", f"out={root}/pages"]) == 0
    return root / "pages"


def test_flipped_steps_stand_beside_the_reference(pages):
    executable = find_executable(BrowserConfig(name="chromium"), Environment.read())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((pages / "index.html").as_uri())
        assert page.locator("h1").inner_text() == "r/oracle against r/screenshot"
        assert page.locator("#flips").inner_text() == "Tasks that differ: 2, worse first"
        task = page.locator(".step").filter(has_text="film-rating")
        assert "7 steps flipped" in task.inner_text()
        if page.locator(".step:not([open])", has_text="film-rating").count():
            task.locator("summary").click()
        step = task.locator(".screens").nth(1)
        assert step.locator("figcaption").all_inner_texts() == [
            "Reference",
            "r/screenshot",
            "r/oracle",
        ]
        for picture in step.locator("img").all():
            picture.scroll_into_view_if_needed()
            page.wait_for_timeout(100)
            assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
        assert "no element 'Search films' on the page" in task.inner_text()
        browser.close()
    assert complaints == []
