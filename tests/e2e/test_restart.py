"""An open page after the server was killed and started again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.e2e.app_server import AppServer
from tests.e2e.conftest import DESKTOP
from tests.e2e.page_state import wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_LONG_MS = 90_000


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[AppServer]:
    """A separate server, as the test kills it."""
    app = AppServer(tmp_path / "store", {})
    app.start()
    yield app
    app.stop()


def test_a_restart_asks_for_the_photos_again(browser: Browser, own_server: AppServer, tmp_path: Path) -> None:
    photo = tmp_path / "gray.png"
    Image.new("RGB", (64, 64), (128, 128, 128)).save(photo)
    page = browser.new_page(base_url=own_server.url, viewport=DESKTOP)
    page.goto("/predict")
    wait_until_ready(page)
    field, result = page.locator("input[type=file]"), page.get_by_text("No face found.", exact=True)
    field.set_input_files(photo)
    expect(result).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_text("gray.png", exact=True)).to_be_visible()
    own_server.kill()
    own_server.start()
    restarted = page.get_by_text("The server restarted", exact=False)
    expect(restarted).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_text(re.compile(r"gray\.png"))).to_have_count(0)
    field.set_input_files(photo)
    expect(result).to_be_visible(timeout=_LONG_MS)
    expect(restarted).to_have_count(0)
    page.close()
