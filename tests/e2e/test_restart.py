"""What a visitor sees when the server was killed and started again under an open page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.e2e.app_server import AppServer
from tests.e2e.conftest import DESKTOP, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_LONG_MS = 90_000


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[AppServer]:
    """A server of its own, as it is killed."""
    app = AppServer(tmp_path / "store", {})
    app.start()
    yield app
    app.stop()


def test_after_a_crash_no_photo_is_listed_that_the_server_does_not_have(
    browser: Browser, mortal: AppServer, tmp_path: Path
) -> None:
    photo = tmp_path / "gray.png"
    Image.new("RGB", (64, 64), (128, 128, 128)).save(photo)
    page = browser.new_page(base_url=mortal.url, viewport=DESKTOP)
    page.goto("/predict")
    settle(page)
    field, read = page.locator("input[type=file]"), page.get_by_text("No face found", exact=True)
    field.set_input_files(photo)
    expect(read).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_text("gray.png", exact=True)).to_be_visible()
    mortal.kill()
    mortal.start()
    expect(page.get_by_text("The server restarted: please add your photos again.")).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_text(re.compile(r"gray\.png"))).to_have_count(0)
    field.set_input_files(photo)
    expect(read).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_text("The server restarted", exact=False)).to_have_count(0)
    page.close()
