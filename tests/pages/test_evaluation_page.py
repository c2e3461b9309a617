"""The Evaluation page: which model it shows, what it says of it, and what it offers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.bundles.bundle import read_bundle_info
from fer_core.bundles.catalog import SHIPPED, SHIPPED_FOLDER
from fer_core.bundles.reports import read_report
from fer_core.evaluation.analysis.confusions import row_shares
from fer_core.evaluation.report_schema import StoredReport, write_reports
from fer_core.settings import Settings
from fer_ui.evaluation.describe_data import VALIDATION_AS_TEST
from fer_ui.formatting import format_percent
from fer_ui.model_choices import SAME_POINTS
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import charts, headlines, matrix_of, page_text
from tests.support.gallery import galleries
from tests.support.sample_store import DATASET, RUN

CHOICE = "evaluated-model"


def address(app: AppTest) -> dict[str, str]:
    """Which run or model the address names."""
    values = {name: app.query_params[name] for name in ("run", "model") if name in app.query_params}
    return {name: value if isinstance(value, str) else value[0] for name, value in values.items()}


@pytest.fixture
def equal_points(filled_store: Settings) -> Iterator[None]:
    """The run's balanced reports become equal to the accurate ones."""
    path = filled_store.runs_dir / RUN / "report.json"
    before = path.read_bytes()
    reports = read_report(path.parent)
    for each in reports.values():
        accurate = {report.protocol: report for report in each if report.point == "accurate"}
        each[:] = [accurate[report.protocol].model_copy(update={"point": report.point}) for report in each]
    write_reports(path, reports)
    yield
    path.write_bytes(before)


def test_an_empty_store_shows_the_shipped_model(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION)
    report = read_report(SHIPPED_FOLDER)["test"]
    best = next(each for each in report if (each.protocol, each.point) == ("majority", "accurate"))
    assert list(headlines(app))[:2] == ["Macro-F1", "Balanced accuracy"]
    assert headlines(app)["Macro-F1"] == format_percent(best.macro_f1)
    text = page_text(app)
    assert "87.9 % accuracy hides contempt: none of 12 images recognized" in text
    assert VALIDATION_AS_TEST in text
    assert not address(app)


def test_the_newest_run_comes_before_the_shipped_model(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION)
    choice = app.selectbox(key=CHOICE)
    assert choice.value == RUN
    assert choice.options[1] == f"{read_bundle_info(SHIPPED_FOLDER).title} (shipped)"
    report = json.loads((filled_store.runs_dir / RUN / "report.json").read_text())["test"][0]
    assert format_percent(report["macro_f1"]) in headlines(app)["Macro-F1"]
    assert charts(app) == ["Confusion matrix"]


def test_a_choice_is_in_the_address_as_run_or_as_model(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION, run=RUN)
    app.selectbox(key=CHOICE).set_value(SHIPPED).run()
    assert address(app) == {"model": SHIPPED}
    app.selectbox(key=CHOICE).set_value(RUN).run()
    assert address(app) == {"run": RUN}
    assert open_page(Page.EVALUATION, model=SHIPPED).selectbox(key=CHOICE).value == SHIPPED


@pytest.mark.parametrize(("param", "noun"), [("run", "finished run"), ("model", "model with an evaluation")])
def test_a_link_to_a_missing_one_says_so_and_offers_the_others(
    filled_store: Settings, open_page: OpenPage, param: str, noun: str
) -> None:
    app = open_page(Page.EVALUATION, **{param: "gone"})
    assert f"There is no {noun} 'gone'" in app.warning[0].value.replace("\\", "")
    assert not headlines(app), "no other model's numbers under this address"
    app.selectbox(key=f"{CHOICE}-instead").set_value(SHIPPED).run()
    assert headlines(app) and address(app) == {"model": SHIPPED}


def test_an_incomplete_run_is_reported_below_the_content(store: Settings, open_page: OpenPage) -> None:
    folder = store.runs_dir / "half"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("dataset: gone\n")
    (folder / "run.json").write_text("{}")
    app = open_page(Page.EVALUATION)
    assert not app.exception and not app.warning
    assert [expander.label for expander in app.expander][-1] == "1 incomplete run"
    assert "half is incomplete" in page_text(app)


def test_equal_operating_points_are_no_choice(filled_store: Settings, equal_points: None, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION, run=RUN)
    assert SAME_POINTS in page_text(app)
    assert not [control for control in app.get("button_group") if control.label == "Operating point"]


def test_the_points_of_the_shipped_model_differ(store: Settings, open_page: OpenPage) -> None:
    assert SAME_POINTS not in page_text(open_page(Page.EVALUATION))


def test_a_shipped_model_that_is_missing_has_an_empty_state(
    store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.bundles.catalog.SHIPPED_FOLDER", Path("/nowhere"))
    assert "Nothing evaluated yet" in page_text(open_page(Page.EVALUATION))


def test_a_cell_shows_its_faces_beside_the_correct_ones(filled_store: Settings, open_page: OpenPage) -> None:
    report = read_report(filled_store.runs_dir / RUN)["test"][0]
    (label, predicted), number = _largest_confusion(report)
    app = open_page(Page.EVALUATION, run=RUN, cell=f"{label}~{predicted}")
    text = page_text(app)
    assert f"Labeled {label}, predicted as {predicted}" in text
    assert [len(each["faces"]) for each in galleries(app)] == [number]
    assert f"Predicted as {label}, as labeled" in text
    app.button(key="close-cell").click().run()
    assert not galleries(app) and "cell" not in app.query_params


def test_a_confused_pair_leads_to_its_cell(
    filled_store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.evaluation.analysis.confusions.RANKED_IMAGES_MIN", 1)
    report = read_report(filled_store.runs_dir / RUN)["test"][0]
    (label, predicted), number = _largest_confusion(report)
    app = open_page(Page.EVALUATION, run=RUN)
    app.button(key=f"pair-{label}-{predicted}").click().run()
    assert f"{label}~{predicted}" in app.query_params["cell"]
    assert [len(each["faces"]) for each in galleries(app)] == [number]


@pytest.mark.parametrize("cell", ["fear", "fear~joy", "<b>~fear"])
def test_an_unknown_cell_is_ignored(filled_store: Settings, open_page: OpenPage, cell: str) -> None:
    app = open_page(Page.EVALUATION, run=RUN, cell=cell)
    assert not app.exception and not galleries(app)


def test_classes_of_similar_confusion_can_stand_together(filled_store: Settings, open_page: OpenPage) -> None:
    usual, similar = (matrix_of(open_page(Page.EVALUATION, run=RUN, order=order)) for order in ("usual", "similar"))
    assert sorted(usual["columns"]) == sorted(similar["columns"])
    assert usual["columns"] != similar["columns"]
    cells = [
        {tuple(cell["id"]): cell["text"] for row in each["cells"] if row for cell in row} for each in (usual, similar)
    ]
    assert cells[0] == cells[1]


def test_a_dataset_that_is_not_predicted_is_offered(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION, model=SHIPPED, dataset=DATASET)
    assert "is not predicted by this model yet" in page_text(app)
    assert not headlines(app), "no figures of other images"
    assert app.button(key="predict-evaluation").label.startswith("Predict all 320 faces")


def test_a_stored_report_leads_nowhere_and_says_why(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION, cell="fear~surprise")
    assert not app.exception and not galleries(app)
    assert matrix_of(app)["clickable"] is False


def _largest_confusion(report: StoredReport) -> tuple[tuple[str, str], int]:
    shares = np.nan_to_num(row_shares(report.metrics.confusion))
    np.fill_diagonal(shares, 0)
    row, column = divmod(int(shares.argmax()), len(report.labels))
    return (str(report.labels[row]), str(report.labels[column])), report.confusion[row][column]


def _cell_texts(matrix: dict[str, Any]) -> dict[tuple[str, ...], str]:
    return {tuple(cell["id"]): cell["text"] for row in matrix["cells"] if row for cell in row}


def test_mean_activation_maps_are_computed_when_asked_for(filled_store: Settings, open_page: OpenPage) -> None:
    report = read_report(filled_store.runs_dir / RUN)["test"][0]
    (label, predicted), _ = _largest_confusion(report)
    app = open_page(Page.EVALUATION, run=RUN, cell=f"{label}~{predicted}")
    before = len(app.get("image"))
    app.toggle(key="mean-activation").set_value(True).run()
    assert not app.exception and not app.error
    assert len(app.get("image")) > before
    assert "Orange raises the score, blue lowers it" in page_text(app)
