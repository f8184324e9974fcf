"""Sentences find their element on pages never seen before, and find nothing where it is missing."""

import asyncio

import pytest

from iwr.browser.chromium import Chromium, Site
from iwr.browser.page_state import HOOK, WALK, Snapshot, parse
from iwr.config import Environment
from iwr.judge.rules.judge import RulesJudge
from tests.judge.conftest import action
from tests.judge.rules.elements import PAGES

pytestmark = pytest.mark.browser
CASES = [
    (name, sentence, meant)
    for name, (_, sentences) in PAGES.items()
    for sentence, meant in sentences.items()
]


@pytest.fixture(scope="session")
def pages(config, tmp_path_factory) -> dict[str, Snapshot]:
    folder = tmp_path_factory.mktemp("pages")

    async def take() -> dict[str, Snapshot]:
        found = {}
        async with Chromium(config.browser, Environment.read()) as chromium:
            for name, (html, _) in PAGES.items():
                page = folder / f"{len(found)}.html"
                page.write_text(html)
                async with chromium.open(Site(page), 800, 600, scripts=[HOOK]) as tab:
                    await tab.settle()
                    found[name] = parse(await tab.evaluate(WALK), await tab.screenshot())
        return found

    return asyncio.run(take())


@pytest.mark.parametrize(("name", "sentence", "meant"), CASES, ids=lambda value: str(value)[:60])
def test_a_sentence_means_one_element_or_none(pages, name, sentence, meant):
    kind, text = (
        ("Type", sentence.removeprefix("type:"))
        if sentence.startswith("type:")
        else ("Click", sentence)
    )
    found = asyncio.run(RulesJudge().ground(1, action(kind, text), pages[name]))
    if meant is None:
        assert not found.found, (found.locator, found.name)
        assert found.reason
    else:
        assert found.found, found.reason
        assert found.locator.endswith(f"#{meant}")
