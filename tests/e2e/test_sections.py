"""The sections of one dataset: from a bar to its faces, from a finding to a correction."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.app_server import PROJECT, AppServer
from tests.e2e.conftest import TakeScreenshots
from tests.e2e.input_files import write_archive_with_copies
from tests.e2e.page_state import wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DATASET = "copied"
COPIES = 6
_LONG_MS = 120_000


@pytest.fixture(scope="module", autouse=True)
def imported(server: AppServer, ferplus_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import the archive with copies of validation images in the training split."""
    archive = write_archive_with_copies(ferplus_archive, tmp_path_factory.mktemp("copies") / "copied.zip", COPIES)
    command = [sys.executable, "-m", "fer_core", "datasets", "import", str(archive), "--id", DATASET]
    subprocess.run(command, cwd=PROJECT, env=server.environment, check=True, capture_output=True, timeout=120)


def test_a_click_on_a_bar_shows_its_faces(page: Page, take_screenshots: TakeScreenshots) -> None:
    page.goto(f"/datasets?dataset={DATASET}")
    wait_until_ready(page)
    expect(page.get_by_text("imbalanced").or_(page.get_by_text("alanced")).first).to_be_visible()
    bar = page.locator(".ferscope-drawing .part .shape").first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile("section=faces"), timeout=_LONG_MS)
    expect(page.get_by_role("option", name=re.compile("Neutral")).first).to_be_visible()
    take_screenshots("section-faces", f"/datasets?dataset={DATASET}&section=faces&label=contempt")


def test_a_bar_is_reached_and_opened_by_keyboard(page: Page) -> None:
    page.goto(f"/datasets?dataset={DATASET}")
    wait_until_ready(page)
    bars = page.locator(".ferscope-drawing .part")
    expect(page.locator('.ferscope-drawing .part[tabindex="0"]')).to_have_count(1)
    bars.first.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    last_but_one = bars.nth(bars.count() - 2)
    expect(last_but_one).to_be_focused()
    expect(page.locator(".ferscope-drawing .hint")).to_have_text(last_but_one.get_attribute("aria-label") or "?")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("section=faces.*label=contempt"), timeout=_LONG_MS)


def test_a_link_to_a_class_is_in_the_address_and_back_returns(page: Page) -> None:
    page.goto(f"/datasets?dataset={DATASET}")
    wait_until_ready(page)
    page.get_by_role("button", name="Contempt", exact=True).click()
    expect(page).to_have_url(re.compile("section=faces.*label=contempt"), timeout=_LONG_MS)
    page.reload()
    expect(page.get_by_role("option", name=re.compile("Contempt")).first).to_be_visible(timeout=_LONG_MS)
    page.go_back()
    expect(page).to_have_url(re.compile(f"dataset={DATASET}$"))
    expect(page.get_by_text("Class distribution").first).to_be_visible(timeout=_LONG_MS)


def test_copies_are_found_excluded_and_restored(page: Page, take_screenshots: TakeScreenshots) -> None:
    link = f"/datasets?dataset={DATASET}&section=quality"
    page.goto(link)
    finding = page.get_by_role("heading", name=re.compile("The same image in two splits"))
    expect(finding).to_be_visible(timeout=_LONG_MS)
    before = finding.inner_text()
    take_screenshots("section-quality", link)
    exclude_button = page.get_by_role("button", name=re.compile("Exclude copies, keep validation and test images"))
    number = int(re.findall(r"\((\d+) images\)", exclude_button.inner_text())[0])
    assert number >= COPIES, "the faces may also have other copies"
    exclude_button.click()
    expect(page.get_by_text(f"{number} images excluded").first).to_be_visible()
    expect(finding).to_have_count(0)
    page.goto(f"/datasets?dataset={DATASET}&section=corrections")
    wait_until_ready(page)
    take_screenshots("section-corrections", f"/datasets?dataset={DATASET}&section=corrections")
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("button", name="Redo").first).to_be_visible()
    page.goto(link)
    expect(finding).to_have_text(before, timeout=_LONG_MS)


def test_a_rebalancing_strategy_is_passed_to_training(page: Page, take_screenshots: TakeScreenshots) -> None:
    page.goto(f"/datasets?dataset={DATASET}&section=balance&rebalancing=square-root-sampling")
    wait_until_ready(page)
    take_screenshots("section-balance", f"/datasets?dataset={DATASET}&section=balance&rebalancing=square-root-sampling")
    page.get_by_role("link", name="Train with this strategy").click()
    expect(page).to_have_url(re.compile("/training.*rebalancing=square-root-sampling"))
    wait_until_ready(page)
    page.get_by_text("Command and config file").click()
    expect(page.get_by_text("rebalancing.sampling=square_root").first).to_be_visible()


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("votes", "Votes and labels by expression"),
        ("splits", "Leakage"),
        ("augmentation", "Augment again"),
        ("about", "License"),
    ],
)
def test_a_section_opens_by_its_link(page: Page, take_screenshots: TakeScreenshots, section: str, text: str) -> None:
    link = f"/datasets?dataset={DATASET}&section={section}"
    page.goto(link)
    expect(page.get_by_text(text).first).to_be_visible(timeout=_LONG_MS)
    take_screenshots(f"section-{section}", link)


def test_datasets_are_compared(page: Page, take_screenshots: TakeScreenshots) -> None:
    page.goto("/datasets?view=compare")
    wait_until_ready(page)
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    take_screenshots("datasets-compare", "/datasets?view=compare")
    take_screenshots("datasets-manifests", "/datasets?view=manifests")
