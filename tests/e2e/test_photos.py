"""Photos on Predict in a browser: faces are found and numbered, and what is no image is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.app_server import AppServer
from tests.e2e.conftest import DESKTOP, SCHEMES, Scheme, screenshot_open_page
from tests.e2e.page_state import wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

_LONG_MS = 300_000


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_photo_of_two_people_shows_two_numbered_faces(
    browser: Browser, server: AppServer, test_data: Path, yunet_file: Path, scheme: Scheme
) -> None:
    context = browser.new_context(base_url=server.url, viewport=DESKTOP, color_scheme=scheme)
    page = context.new_page()
    page.goto("/predict")
    wait_until_ready(page)
    page.locator("input[type=file]").set_input_files(test_data / "media" / "two_people_1126x661.jpg")
    expect(page.get_by_text("2 faces found")).to_be_visible(timeout=_LONG_MS)
    for number in (1, 2):
        expect(page.get_by_text(re.compile(f"^Face {number}"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("with 2 numbered faces"))).to_be_visible()
    wait_until_ready(page)
    screenshot_open_page(page, "predict-two-people", scheme)
    context.close()


def test_a_corrected_face_is_in_the_dataset_feedback(page: Page, yunet_file: Path) -> None:
    page.goto("/predict?sample=four-faces")
    page.get_by_role("button", name="Correct a prediction").click(timeout=_LONG_MS)
    form = page.get_by_test_id("stPopoverBody")
    form.get_by_text("Contempt", exact=True).click()
    form.get_by_text("The person in the photo agrees").click()
    form.get_by_role("button", name="Save the face").click()
    expect(form.get_by_text("Saved as contempt")).to_be_visible(timeout=_LONG_MS)
    form.get_by_role("link", name="Show in Feedback").click()
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1, timeout=_LONG_MS)
    expect(page.get_by_text("Contempt", exact=True).first).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Correct a prediction").click(timeout=_LONG_MS)
    form.get_by_role("button", name="Undo").click()
    expect(form.get_by_text("Saved as contempt")).to_be_hidden()


def test_a_file_that_is_no_image_is_refused_with_a_message(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no image")
    page.goto("/predict")
    wait_until_ready(page)
    page.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_text("broken.jpg").last).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    expect(page.get_by_text("Face 1", exact=True)).not_to_be_visible()
