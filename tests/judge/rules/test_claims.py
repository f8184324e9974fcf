"""Assertions in the words of the benchmark, decided from what can be seen before and after."""

import asyncio

import pytest

from iwr.browser.chromium import Chromium, Site
from iwr.browser.page_state import HOOK, WALK, parse
from iwr.config import Environment
from iwr.judge.rules.claims import clauses, decide
from iwr.judge.rules.effects import Change
from tests.judge.changes import CASES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def changes(config, tmp_path_factory) -> dict[str, Change]:
    folder = tmp_path_factory.mktemp("changes")

    async def look(tab):
        await tab.settle()
        return parse(await tab.evaluate(WALK), await tab.screenshot())

    async def take() -> dict[str, Change]:
        found = {}
        async with Chromium(config.browser, Environment.read()) as chromium:
            for name, case in CASES.items():
                page = folder / f"{len(found)}.html"
                page.write_text(case.html)
                async with chromium.open(Site(page), 800, 600, scripts=[HOOK]) as tab:
                    before = await look(tab)
                    await tab.evaluate(f"() => {{ {case.change} }}")
                    found[name] = Change(before, await look(tab))
        return found

    return asyncio.run(take())


TRUE = [(name, sentence) for name, case in CASES.items() for sentence in case.true]
FALSE = [(name, sentence) for name, case in CASES.items() for sentence in case.false]


@pytest.mark.parametrize(("name", "sentence"), TRUE, ids=lambda value: value[:60])
def test_what_is_true_passes(changes, name, sentence):
    passed, why = decide(sentence, changes[name])
    assert passed, why


@pytest.mark.parametrize(("name", "sentence"), FALSE, ids=lambda value: value[:60])
def test_what_is_false_fails(changes, name, sentence):
    passed, why = decide(sentence, changes[name])
    assert not passed, why


@pytest.mark.parametrize(("name", "sentence"), TRUE + FALSE, ids=lambda value: value[:60])
def test_nothing_holds_where_nothing_changed(changes, name, sentence):
    for page in (changes[name].before, changes[name].after):
        assert not decide(sentence, Change(page, page))[0]


def test_clauses():
    assert clauses("The modal closes and the text 'Saved and closed' appears.") == [
        "The modal closes",
        "the text 'Saved and closed' appears",
    ]
    assert clauses("'Salt and pepper' and 'Oil' are shown") == [
        "'Salt and pepper' and 'Oil' are shown"
    ]
