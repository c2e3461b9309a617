"""Every view: it stays still while it opens, fits the window, reloads to itself; Back goes one step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from tests.e2e.app_server import AppServer
from tests.e2e.conftest import OUTPUT
from tests.e2e.page_state import (
    RECORD_SHIFTS,
    SHIFT_MAX,
    Messages,
    bottom_of_first_picture,
    cumulative_shift,
    describe_shifts,
    read_shifts,
    read_state,
    scrolls_sideways,
    wait_until_settled,
)
from tests.support.sample_store import DATASET, RUN, copy_filled_store

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_DESKTOP = {"width": 1400, "height": 900}
_PHONE = {"width": 390, "height": 844}
_SECTION = f"/datasets?dataset={DATASET}&section="

VIEWS = {
    "overview": "/",
    "classes": f"/datasets?dataset={DATASET}",
    "classes-of-a-split": f"/datasets?dataset={DATASET}&split=train&scale=share",
    "faces": f"{_SECTION}faces",
    "faces-filtered": f"{_SECTION}faces&label=fear&split=train",
    "votes": f"{_SECTION}votes",
    "quality": f"{_SECTION}quality",
    "corrections": f"{_SECTION}corrections",
    "splits": f"{_SECTION}splits",
    "rebalancing": f"{_SECTION}balance&rebalancing=square-root-sampling",
    "about": f"{_SECTION}about",
    "compare": "/datasets?view=compare",
    "published": "/datasets?view=published&manifest=affectnet",
    "import": "/datasets?view=import",
    "training-form": f"/training?dataset={DATASET}",
    "runs": "/training?view=runs",
    "run": f"/training?run={RUN}",
    "jobs": "/jobs",
    "job": "/jobs?job=done",
    "evaluation": f"/evaluation?run={RUN}",
    "evaluation-shares": f"/evaluation?run={RUN}&view=ratios",
    "evaluation-scores": f"/evaluation?run={RUN}&section=scores",
    "evaluation-thresholds": f"/evaluation?run={RUN}&section=thresholds",
    "evaluation-calibration": f"/evaluation?run={RUN}&section=calibration",
    "evaluation-cell": f"/evaluation?run={RUN}&cell=happiness~happiness",
    "predict": "/predict",
    "live": "/live",
    "models": "/models",
    "model": "/models?model=default",
}
_CHARTS_FIRST = ("classes", "classes-of-a-split", "published", "evaluation", "evaluation-shares")
"""Views that are about one chart, which is to be seen whole without scrolling."""

_STEPS = {
    "section": (f"/datasets?dataset={DATASET}", "Votes", "section=votes"),
    "scale": (f"/datasets?dataset={DATASET}", "Shares", "scale=share"),
    "datasets": (f"/datasets?dataset={DATASET}", "Compare", "view=compare"),
    "training": ("/training", "Runs", "view=runs"),
    "cells": (f"/evaluation?run={RUN}", "By row", "view=ratios"),
}


@pytest.fixture(scope="module")
def stocked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app on a store with a dataset, a run and jobs."""
    store = tmp_path_factory.mktemp("views") / "store"
    copy_filled_store(store, tmp_path_factory)
    with JobStore(Settings(home=store)) as jobs:  # nothing changes while the views are compared
        jobs.request_cancel("waiting")
    app = AppServer(store, {})
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def view_context(browser: Browser, stocked_server: AppServer) -> Iterator[BrowserContext]:
    """A browser context that records shifts; its cache keeps the scripts that earlier views have loaded."""
    context = browser.new_context(base_url=stocked_server.url, viewport=_DESKTOP)
    context.add_init_script(RECORD_SHIFTS)
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def view_page(view_context: BrowserContext) -> Iterator[Page]:
    """A page at desktop size."""
    page = view_context.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_stays_still_fits_the_window_and_reloads_to_itself(view_page: Page, name: str) -> None:
    messages = Messages()
    messages.listen(view_page)
    view_page.goto(VIEWS[name])
    wait_until_settled(view_page)
    OUTPUT.mkdir(exist_ok=True)
    view_page.screenshot(path=OUTPUT / f"view-{name}.png")
    _assert_still(view_page)
    if name in _CHARTS_FIRST:
        bottom = bottom_of_first_picture(view_page)
        assert bottom is not None and bottom <= _DESKTOP["height"], f"its chart ends at {bottom} px"
    opened = read_state(view_page)
    view_page.set_viewport_size(_PHONE)
    view_page.reload()
    wait_until_settled(view_page)
    view_page.screenshot(path=OUTPUT / f"view-{name}-phone.png")
    assert read_state(view_page) == opened, "a reload shows something else"
    _assert_still(view_page)
    assert not scrolls_sideways(view_page)
    assert view_page.get_by_test_id("stException").count() == 0
    assert messages.errors == []


@pytest.mark.parametrize("step", _STEPS)
def test_a_change_of_view_is_in_the_address_and_back_goes_one_step(view_page: Page, step: str) -> None:
    link, title, query = _STEPS[step]
    view_page.goto(link)
    wait_until_settled(view_page)
    before = read_state(view_page)
    option = view_page.get_by_test_id("stMain").get_by_role("radio", name=title, exact=True)
    option.click()
    expect(view_page).to_have_url(re.compile(query))
    wait_until_settled(view_page)
    expect(option).to_be_checked()
    changed = read_state(view_page)
    view_page.reload()
    wait_until_settled(view_page)
    assert read_state(view_page) == changed
    view_page.go_back()
    expect(option).not_to_be_checked()
    wait_until_settled(view_page)
    assert read_state(view_page) == before


def test_another_view_starts_at_its_top_and_another_option_keeps_its_place(view_page: Page) -> None:
    view_page.set_viewport_size({"width": 1400, "height": 500})
    view_page.goto(VIEWS["classes"])
    wait_until_settled(view_page)
    main = view_page.get_by_test_id("stMain")
    main.evaluate("element => element.scrollTo(0, 300)")
    view_page.get_by_role("radio", name="Shares", exact=True).click()
    wait_until_settled(view_page)
    assert main.evaluate("element => element.scrollTop") > 200
    view_page.get_by_test_id("stSidebarNav").get_by_role("link", name="Models").click()
    expect(view_page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    wait_until_settled(view_page)
    assert main.evaluate("element => element.scrollTop") == 0


def _assert_still(page: Page) -> None:
    """Assert that little moved while the page opened; a busy machine gets a second try, with the files in its cache."""
    shifts = read_shifts(page)
    if cumulative_shift(shifts) >= SHIFT_MAX:
        page.reload()
        wait_until_settled(page)
        shifts = read_shifts(page)
    assert cumulative_shift(shifts) < SHIFT_MAX, describe_shifts(shifts)
