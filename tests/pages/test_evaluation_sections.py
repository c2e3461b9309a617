"""The sections of the Evaluation page: what each shows, and what it needs."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from fer_core.bundles.catalog import SHIPPED, find_model
from fer_core.bundles.reports import read_report
from fer_core.calibration import OperatingPoint
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.evaluation.dataset_predictions import load_predictions
from fer_core.evaluation.prediction_cache import write_predictions
from fer_core.inference.embedding_map import map_path
from fer_core.runs.folder import open_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, dump_config
from fer_core.training.retraining import retraining_config
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import charts, headlines, matrix_of, page_text
from tests.support.gallery import galleries
from tests.support.sample_store import DATASET, RUN

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
    matrix = matrix_of(open_page(Page.EVALUATION, run=RUN, view="difference", **{"with": SHIPPED}))
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


@pytest.fixture
def corrected(filled_store: Settings) -> Iterator[StoredDataset]:
    """The dataset with a corrected test image of the run."""
    dataset = open_dataset(DATASET, filled_store)
    split = open_run(RUN, filled_store).read_split()
    dataset.corrections().mark(Action.EXCLUDE, split.loc[split["split"] == "test", "id"].head(1))
    yield dataset
    (dataset.folder / "corrections.jsonl").unlink()


def test_without_corrections_nothing_is_offered(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.EVALUATION, run=RUN)
    assert "corrected since this run" not in page_text(app)
    assert not [button for button in app.button if button.label.startswith("Retrain")]


def test_corrections_can_be_trained_with(
    filled_store: Settings, corrected: StoredDataset, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[TrainConfig] = []
    monkeypatch.setattr("fer_ui.training.retrain_view.submit_training", lambda config, _: queued.append(config))
    app = open_page(Page.EVALUATION, run=RUN)
    text = page_text(app)
    assert "1 image corrected since this run was trained (1 excluded); of its split: 1 test" in text
    app.button(key=f"retrain-{RUN}").click().run()
    assert queued[0].split_from == RUN and queued[0].corrections == 1


def test_the_corrections_of_a_dataset_link_to_the_run_that_lacks_them(
    filled_store: Settings, corrected: StoredDataset, open_page: OpenPage
) -> None:
    def links() -> dict[str, str]:
        app = open_page(Page.DATASETS, dataset=DATASET, section="corrections")
        assert not app.exception
        return {link.proto.label: link.proto.query_string for link in app.get("page_link")}

    found = {label: query for label, query in links().items() if label.startswith("Retrain")}
    assert list(found.values()) == [f"run={RUN}"] and next(iter(found)).endswith("with 1 corrected image")
    corrected.corrections().undo(1)
    assert not any(label.startswith("Retrain") for label in links())


def test_a_retrained_run_leads_to_what_the_corrections_bought(
    filled_store: Settings, corrected: StoredDataset, open_page: OpenPage
) -> None:
    run = open_run(RUN, filled_store)
    config = retraining_config(run, corrected, filled_store)
    again = filled_store.runs_dir / "20260102-000000-again-0002"
    shutil.copytree(run.folder, again)
    (again / "config.yaml").write_text(dump_config(config))
    data = json.loads((again / "data.json").read_text())
    fingerprint = corrected.corrections().fingerprint(1)
    (again / "data.json").write_text(json.dumps({**data, "corrections": 1, "corrections_fingerprint": fingerprint}))
    try:
        app = open_page(Page.EVALUATION, run=RUN)
        assert not [button for button in app.button if button.label.startswith("Retrain")], "it has them all"
        assert any(button.label.startswith("What it bought") for button in app.button)
        app = open_page(Page.EVALUATION, run=RUN, section="compare", **{"with": again.name})
        assert "The corrections bought 0.0 points of macro-F1" in page_text(app).replace("+", "")
    finally:
        shutil.rmtree(again)


def test_report_and_predictions_can_be_downloaded(filled_store: Settings, open_page: OpenPage) -> None:
    labels = [button.label for button in open_page(Page.EVALUATION, run=RUN).get("download_button")]
    assert {"Report as HTML", "Report as PDF", "Predictions as CSV", "Predictions as Parquet"} <= set(labels)


def test_downloads_are_built_from_what_the_page_shows(filled_store: Settings) -> None:
    from fer_ui.evaluation.download_view import _build_html, _csv, _parquet

    model, dataset = find_model(RUN, filled_store), open_dataset(DATASET, filled_store)
    predictions = load_predictions(model.folder, dataset, filled_store)
    images = predictions.evaluate("test", "majority", OperatingPoint.ACCURATE)
    shown = Evaluation(model, dataset, True, "test", images.report, predictions=predictions, images=images)
    html = _build_html(shown, "The test images.", {})
    assert "The test images." in html and "<h2>Slices</h2>" in html
    assert len(_csv(shown).splitlines()) == len(images.ids) + 1
    assert len(pd.read_parquet(io.BytesIO(_parquet(shown)))) == len(images.ids)


def test_the_map_is_offered_then_shown(
    filled_store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[str] = []
    monkeypatch.setattr("fer_ui.evaluation.embedding_view.submit_embedding", lambda *args: queued.append(args[0]))
    app = open_page(Page.EVALUATION, run=RUN, section="map")
    assert "The map is not computed yet" in page_text(app) and not charts(app)
    app.button(key="compute-map").click().run()
    assert queued == [DATASET]
    dataset = open_dataset(DATASET, filled_store)
    path = map_path(dataset.fingerprint, filled_store.runs_dir / RUN, filled_store)
    ids = dataset.raw_index(["id"])["id"]
    places = np.random.default_rng(0).uniform(size=(len(ids), 2)).astype(np.float32)
    write_predictions(pd.DataFrame({"id": ids, "x": places[:, 0], "y": places[:, 1]}), path)
    try:
        app = open_page(Page.EVALUATION, run=RUN, section="map", scale="error")
        assert charts(app) == ["Map of the faces"] and not app.exception
        figure = json.loads(app.get("plotly_chart")[0].proto.spec)
        assert {trace["name"] for trace in figure["data"]} <= {"right", "wrong", "no label"}
        assert figure["layout"]["dragmode"] == "lasso"
    finally:
        path.unlink()
