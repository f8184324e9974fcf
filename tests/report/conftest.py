"""A browser for the pages of a report, and a page that notices everything it must not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from iwr.browser.chromium import find_executable
from iwr.config import BrowserConfig, Environment


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    executable = find_executable(BrowserConfig(name="chromium"), Environment.read())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def watched_page(browser: Browser, folder: Path, **options: Any) -> Iterator[Page]:
    """A page; console errors and requests beyond `folder` fail the test."""
    complaints, addresses = [], []
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        yield page
    assert complaints == []
    assert [url for url in addresses if not url.startswith(folder.as_uri() + "/")] == []
