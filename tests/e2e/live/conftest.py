"""A page that can run the scripts of Live without the app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.live.web_app import run_web_app


@pytest.fixture(scope="session")
def scripts_page(browser: Browser) -> Iterator[Page]:
    with run_web_app() as url:
        page = browser.new_page()
        page.goto(url)
        yield page
        page.close()
