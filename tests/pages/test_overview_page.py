"""The Overview page on an empty and on a filled store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.bundles.catalog import SHIPPED, SHIPPED_FOLDER, set_active_model
from fer_core.bundles.reports import read_report, reports_by_split
from fer_core.data.imbalance.published import published_distributions
from fer_core.data.manifest import builtin_manifests
from fer_core.doctor import CheckResult
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_ui.formatting import format_interval, format_percent, format_ratio
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import component_data, headlines, page_html, page_text
from tests.support.sample_store import DATASET, RUN
from tests.support.texts import assert_mentions


def links(app: AppTest) -> dict[str, str]:
    """The query strings of the page's links, by their label."""
    protos = [element.proto for element in app.get("page_link")]  # type: ignore[union-attr]
    return {proto.label.replace("\\", ""): f"{proto.page}?{proto.query_string}" for proto in protos}


def test_an_empty_store_shows_what_accuracy_hides(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.OVERVIEW)
    report = reports_by_split(read_report(SHIPPED_FOLDER))[0].headline
    contempt = report.per_class[min(report.labels, key=lambda label: report.per_class[label].recall)]
    numbers = headlines(app)
    assert numbers["Accuracy"] == format_percent(report.accuracy)
    assert numbers["Recall of contempt"] == format_percent(contempt.recall)
    assert_mentions(page_text(app), f"{format_percent(report.accuracy)} accuracy hides contempt")
    assert format_interval(*contempt.recall_interval).replace(" %", "&nbsp;%") in page_html(app)
    assert any(isinstance(data, dict) and "cells" in data for data in component_data(app)), "the confusion matrix"


def test_published_distributions_are_links_to_their_counts(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.OVERVIEW)
    text = page_text(app).replace("\xa0", " ")
    for each in published_distributions(builtin_manifests().values()):
        assert format_ratio(each.imbalance.ratio).replace("\xa0", " ") in text
    assert_mentions(links(app)["AffectNet-8"], "datasets", "view=published", "manifest=affectnet-8")


def test_a_sample_and_the_webcam_are_one_click_away(store: Settings, open_page: OpenPage) -> None:
    known = links(open_page(Page.OVERVIEW))
    assert "sample=astronaut" in known["Astronaut"]
    assert "live" in known["Try the webcam"]


def test_datasets_and_the_best_run_are_cards(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.OVERVIEW)
    known = links(app)
    assert any(f"dataset={DATASET}" in link for link in known.values())
    best = next(link for label, link in known.items() if label.startswith("Best run on"))
    assert f"run={RUN}" in best
    assert_mentions(page_text(app), "Macro-F1, 95 %:", "Test split", "The only run: Tiny network")


def test_jobs_that_run_or_wait_are_cards_with_bars(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.OVERVIEW)
    assert "Running now" in page_text(app)
    protos = [element.proto for element in app.get("page_link")]  # type: ignore[union-attr]
    assert any("job=waiting" in proto.query_string for proto in protos)
    assert page_html(app).count('aria-label="Tiny network"') == 2, "one in the sidebar, one on the page"


def test_ended_jobs_say_when_they_ended(filled_store: Settings, open_page: OpenPage) -> None:
    text = page_text(open_page(Page.OVERVIEW))
    assert re.search(r"Tiny network\*\*: succeeded (just now|\d+ minutes? ago)", text)
    assert "Recently finished" in text


def test_an_empty_store_shows_no_empty_sections(store: Settings, open_page: OpenPage) -> None:
    text = page_text(open_page(Page.OVERVIEW))
    for title in ("Your datasets", "Running now", "Recently finished"):
        assert title not in text


@contextmanager
def active(model: str, settings: Settings) -> Iterator[None]:
    """Use another model for a while."""
    set_active_model(model, settings)
    try:
        yield
    finally:
        set_active_model(SHIPPED, settings)


def test_another_active_model_is_named_at_once(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.OVERVIEW)
    assert "Residual network for webcams" in page_text(app)
    with active(RUN, filled_store):
        app.run()
        text = page_text(app)
        assert "Residual network for webcams" not in text
        assert_mentions(text, "Tiny network, on", "synthetic")


@pytest.mark.parametrize(
    ("status", "title", "is_open"),
    [("good", "System check: all good", False), ("warning", "1 warning", False), ("bad", "1 problem", True)],
)
def test_the_system_check_opens_only_where_something_is_bad(
    store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, status: str, title: str, is_open: bool
) -> None:
    findings = [CheckResult("good", "fine", name="One"), CheckResult(status, "so so", "Do this.", name="Two")]  # type: ignore[arg-type]
    monkeypatch.setattr("fer_ui.overview.system_check.doctor_findings", lambda: findings)
    app = open_page(Page.OVERVIEW)
    (expander,) = [each for each in app.expander if each.label.startswith("System check")]
    assert title in expander.label
    assert expander.proto.expanded is is_open


def test_a_job_counts_from_the_end(store: Settings, open_page: OpenPage) -> None:
    with JobStore(store) as jobs:
        jobs.submit(JobKind.IMPORT, "Waits", (), "x", job_id="waits")
    assert "Recently finished" not in page_text(open_page(Page.OVERVIEW))
