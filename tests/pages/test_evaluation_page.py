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
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.catalog import open_dataset
from fer_core.evaluation.prediction_cache import PredictionKey, logit_table, write_predictions
from fer_core.evaluation.report_schema import StoredReport, write_reports
from fer_core.settings import Settings
from fer_ui.charts.confusion import row_shares
from fer_ui.evaluation.describe_data import VALIDATION_AS_TEST
from fer_ui.formatting import format_percent
from fer_ui.model_choices import SAME_POINTS
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import charts, component_data, headlines, page_text
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
    assert "88.0 % accuracy hides contempt: only 3 of 16 images recognized" in text
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
    monkeypatch.setattr("fer_ui.charts.confusion.RANKED_IMAGES_MIN", 1)
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
    usual, similar = (_matrix(open_page(Page.EVALUATION, run=RUN, order=order)) for order in ("usual", "similar"))
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
    assert _matrix(app)["clickable"] is False


def _largest_confusion(report: StoredReport) -> tuple[tuple[str, str], int]:
    shares = np.nan_to_num(row_shares(report.metrics.confusion))
    np.fill_diagonal(shares, 0)
    row, column = divmod(int(shares.argmax()), len(report.labels))
    return (str(report.labels[row]), str(report.labels[column])), report.confusion[row][column]


def _cell_texts(matrix: dict[str, Any]) -> dict[tuple[str, ...], str]:
    return {tuple(cell["id"]): cell["text"] for row in matrix["cells"] if row for cell in row}


def _matrix(app: AppTest) -> dict[str, Any]:
    return next(data for data in component_data(app) if isinstance(data, dict) and "cells" in data)


_CHARTS = {
    "scores": ["Scores with 95 % intervals"],
    "classes": ["Precision, recall and F1 by class", "Classes and metrics at a glance"],
    "thresholds": ["Precision by recall", "Neutral: precision, recall and F1 by threshold"],
    "calibration": ["Reliability diagram", "Right and wrong predictions by confidence", "Accuracy by coverage"],
}


@pytest.mark.parametrize("section", _CHARTS)
def test_a_section_shows_its_charts(filled_store: Settings, open_page: OpenPage, section: str) -> None:
    app = open_page(Page.EVALUATION, run=RUN, section=section)
    assert not app.exception
    assert charts(app) == _CHARTS[section]


@pytest.mark.parametrize("section", ["scores", "thresholds"])
def test_a_section_of_a_stored_report_says_what_it_needs(store: Settings, open_page: OpenPage, section: str) -> None:
    app = open_page(Page.EVALUATION, section=section)
    assert "The images of this report are not in the store" in page_text(app)


def test_scores_compare_with_annotators(filled_store: Settings, open_page: OpenPage) -> None:
    text = page_text(open_page(Page.EVALUATION, run=RUN, section="scores"))
    assert "than a single annotator" in text and "Against the votes of" in text


def test_a_threshold_is_chosen_on_validation_images(filled_store: Settings, open_page: OpenPage) -> None:
    text = page_text(open_page(Page.EVALUATION, run=RUN, section="thresholds", label="fear"))
    assert "Threshold of fear with the best F1 on validation images" in text
    text = page_text(open_page(Page.EVALUATION, run=RUN, section="thresholds", label="fear", split="valid"))
    assert "on these very images" in text and "looks better than it is" in text


@pytest.fixture
def predicted_by_shipped(filled_store: Settings) -> Iterator[None]:
    """Predictions of the dataset that the shipped model would have made: random ones."""
    dataset = open_dataset(DATASET, filled_store)
    contract = Contract.load(SHIPPED_FOLDER / CONTRACT_FILE)
    logits = np.random.default_rng(0).normal(size=(dataset.n, len(contract.labels))).astype(np.float32)
    path = PredictionKey.of(dataset.fingerprint, SHIPPED_FOLDER).path(filled_store)
    write_predictions(logit_table(dataset.raw_index(["id"])["id"], logits, contract), path)
    yield
    path.unlink()


def test_two_models_are_compared_on_the_same_images(
    filled_store: Settings, predicted_by_shipped: None, open_page: OpenPage
) -> None:
    query = {"run": RUN, "section": "compare"}
    app = open_page(Page.EVALUATION, **query)
    assert not charts(app) and "Choose one to five models" in page_text(app)
    app = open_page(Page.EVALUATION, **query, **{"with": SHIPPED})
    assert not app.exception
    assert charts(app) == ["Difference in F1 by class"]
    text = page_text(app)
    assert "McNemar's test" in text and "that all of them are evaluated on" in text
    assert len(galleries(app)) == 1
    models = app.dataframe[0].value["Model"].tolist()
    assert len(models) == 2
    matrix = _matrix(open_page(Page.EVALUATION, run=RUN, view="difference", **{"with": SHIPPED}))
    texts = [text for row in matrix["cells"] if row for text in [cell["text"] for cell in row]]
    assert any(text.startswith("+") for text in texts) and any(text.startswith("\N{MINUS SIGN}") for text in texts)


def test_a_model_without_predictions_is_offered_for_comparison(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION, run=RUN, section="compare", **{"with": SHIPPED})
    assert "has no predictions of" in page_text(app) and not charts(app)
    assert app.button(key=f"predict-compare-{SHIPPED}").label.startswith("Predict all")


def test_any_dataset_can_be_evaluated_with_a_shown_label_mapping(
    filled_store: Settings, predicted_by_shipped: None, open_page: OpenPage
) -> None:
    app = open_page(Page.EVALUATION, model=SHIPPED, dataset=DATASET)
    assert "Label mapping" in [expander.label for expander in app.expander]
    assert "Every label of the dataset" in page_text(app) or "left out" in page_text(app)
    assert headlines(app)


def test_label_errors_are_listed_wrong_and_disputed_apart(
    filled_store: Settings, predicted_by_shipped: None, open_page: OpenPage
) -> None:
    query = {"model": SHIPPED, "dataset": DATASET, "split": "all", "section": "label-errors"}
    app = open_page(Page.EVALUATION, **query)
    text = page_text(app)
    assert "are likely wrong; annotators dispute" in text and "not trained on" in text
    wrong = {face["id"] for each in galleries(app) for face in each["faces"]}
    disputed = {
        face["id"] for each in galleries(open_page(Page.EVALUATION, **query, kind="disputed")) for face in each["faces"]
    }
    assert wrong and disputed and not wrong & disputed
    app = open_page(Page.EVALUATION, **query, label="fear")
    assert any(button.label.startswith("Relabel all") and "fear" in button.label for button in app.button)


def test_slices_are_compared_and_lead_to_their_errors(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION, run=RUN, section="slices")
    assert not app.exception and charts(app) == ["Accuracy by brightness"]
    assert "near-duplicate" in page_text(app)
    report = read_report(filled_store.runs_dir / RUN)["test"][0]
    counts = app.dataframe[0].value["Images"]
    assert sum(map(int, counts)) == report.n
    assert not galleries(app)
    app = open_page(Page.EVALUATION, run=RUN, section="slices", axis="agreement", find="0")
    assert charts(app) == ["Accuracy by agreement of the annotators"] and galleries(app)
