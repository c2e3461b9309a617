"""Charts follow the theme of the browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page_state import wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_a_chart_changes_with_the_theme(page: Page) -> None:
    page.goto("/datasets?view=published&manifest=affectnet")
    wait_until_ready(page)
    light, dark = (page.locator(f'[class*="-{theme}"] .ferscope-drawing').first for theme in ("light", "dark"))
    expect(light).to_be_visible(timeout=60_000)
    page.emulate_media(color_scheme="dark")
    expect(dark).to_be_visible(timeout=60_000)
    expect(light).to_have_count(0)
