"""An analyst's way through one dataset, in a real browser: from a bar to its faces, from a finding to a correction."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.app_server import PROJECT, AppServer
from tests.e2e.conftest import Shoot, settle
from tests.e2e.input_files import with_copies

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DATASET = "copied"
COPIES = 6
_LONG_MS = 120_000


@pytest.fixture(scope="module", autouse=True)
def imported(server: AppServer, material: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The journey's faces, some of the judged ones copied into the training part."""
    archive = with_copies(material / "ferplus.zip", tmp_path_factory.mktemp("copies") / "copied.zip", COPIES)
    command = [sys.executable, "-m", "fer_core", "datasets", "import", str(archive), "--id", DATASET]
    subprocess.run(command, cwd=PROJECT, env=server.environment, check=True, capture_output=True, timeout=120)


def test_a_bar_leads_to_its_faces(page: Page, shoot: Shoot) -> None:
    page.goto(f"/datasets?dataset={DATASET}")
    settle(page)
    expect(page.get_by_text("imbalanced").or_(page.get_by_text("alanced")).first).to_be_visible()
    bar = page.locator(".js-plotly-plot .bars .point path").first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile("section=faces"), timeout=_LONG_MS)
    expect(page.get_by_role("img", name=re.compile("Neutral")).first).to_be_visible()
    shoot("section-faces", f"/datasets?dataset={DATASET}&section=faces&label=contempt")


def test_copies_are_found_excluded_and_taken_back(page: Page, shoot: Shoot) -> None:
    address = f"/datasets?dataset={DATASET}&section=quality"
    page.goto(address)
    found = page.get_by_role("heading", name=re.compile("The same image in two splits"))
    expect(found).to_be_visible(timeout=_LONG_MS)
    before = found.inner_text()
    shoot("section-quality", address)
    remedy = page.get_by_role("button", name=re.compile("Exclude copies, keep validation and test images"))
    number = int(re.findall(r"\((\d+) images\)", remedy.inner_text())[0])
    assert number >= COPIES, "the faces may have copies of their own as well"
    remedy.click()
    expect(page.get_by_text(f"{number} images excluded").first).to_be_visible()
    expect(found).to_have_count(0)
    page.goto(f"/datasets?dataset={DATASET}&section=corrections")
    settle(page)
    shoot("section-corrections", f"/datasets?dataset={DATASET}&section=corrections")
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("button", name="Redo").first).to_be_visible()
    page.goto(address)
    expect(found).to_have_text(before, timeout=_LONG_MS)


def test_a_remedy_is_handed_to_training(page: Page, shoot: Shoot) -> None:
    page.goto(f"/datasets?dataset={DATASET}&section=balance&rebalancing=square-root-sampling")
    settle(page)
    shoot("section-balance", f"/datasets?dataset={DATASET}&section=balance&rebalancing=square-root-sampling")
    page.get_by_role("link", name="Train with this").click()
    expect(page).to_have_url(re.compile("/training.*rebalancing=square-root-sampling"))
    settle(page)
    page.get_by_text("Command and config file").click()
    expect(page.get_by_text("rebalancing.sampling=square_root").first).to_be_visible()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("votes", "Votes and labels by expression"),
        ("splits", "Leakage"),
        ("augmentation", "Augment again"),
        ("about", "License"),
    ],
)
def test_a_section_opens_by_its_address(page: Page, shoot: Shoot, section: str, said: str) -> None:
    address = f"/datasets?dataset={DATASET}&section={section}"
    page.goto(address)
    expect(page.get_by_text(said).first).to_be_visible(timeout=_LONG_MS)
    shoot(f"section-{section}", address)


def test_datasets_are_compared(page: Page, shoot: Shoot) -> None:
    page.goto("/datasets?view=compare")
    settle(page)
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    shoot("datasets-compare", "/datasets?view=compare")
    shoot("datasets-manifests", "/datasets?view=manifests")
