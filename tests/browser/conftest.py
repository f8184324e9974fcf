"""One real Chromium for all tests that do not break it, driven from one event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from iwr.browser.chromium import Chromium, Site, Tab
from iwr.config import BrowserConfig, Environment


@pytest.fixture(scope="session")
def browse(tmp_path_factory: pytest.TempPathFactory):
    """Return `browse`: it opens html or a Site at 800x600 and returns `await work(tab)`."""
    config = BrowserConfig(name="test", settle_seconds=8, page_seconds=120)
    folder = tmp_path_factory.mktemp("pages")
    with asyncio.Runner() as runner:
        chromium = runner.run(Chromium(config, Environment.read()).__aenter__())

        def run(page: str | Site, work: Callable[[Tab], Awaitable[Any]], **options: Any) -> Any:
            async def visit() -> Any:
                async with chromium.open(site, 800, 600, **options) as tab:
                    return await work(tab)

            site = page if isinstance(page, Site) else as_site(folder, page)
            return runner.run(visit())

        yield run
        runner.run(chromium.__aexit__())


def as_site(folder: Path, html: str) -> Site:
    page = folder / "index.html"
    page.write_text(html)
    return Site(page)
