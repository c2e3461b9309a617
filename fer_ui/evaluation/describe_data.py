"""Which images an evaluation is of, in words."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.bundle import read_bundle_info
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.model_comparison import evaluated_on
from fer_core.bundles.published_split import published_validation_is_test
from fer_core.bundles.reports import SplitReports, split_caveat
from fer_core.data.dataset_title import dataset_title
from fer_core.data.record import SPLIT_TITLES, Split
from fer_core.errors import FerscopeError
from fer_core.evaluation.dataset_predictions import ALL_IMAGES
from fer_core.evaluation.predictions import describe_protocol
from fer_core.evaluation.report_schema import StoredReport
from fer_core.runs.folder import Run
from fer_core.settings import settings
from fer_core.text import capitalize_first
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.formatting import format_images

NO_TEST_SPLIT = "The dataset has no test split: its published validation split serves as test."
VALIDATION_AS_TEST = (
    "The dataset has no test split: its published validation split serves as test, and validation images were taken "
    "from training."
)


def describe_images(model: ModelEntry, reports: SplitReports, report: StoredReport) -> str:
    """Describe the images of a report: how many, by which labels, how they were used, and what serves as test split."""
    caveat = capitalize_first(split_caveat(reports.split, model.info.origin))
    labels = describe_protocol(report.protocol)
    text = f"{format_images(report.n)} of the {reports.title}, {labels}. {caveat}."
    return f"{text} {VALIDATION_AS_TEST}" if reports.split == Split.TEST and _validation_is_test(model) else text


def describe_evaluated_images(evaluation: Evaluation) -> str:
    """Describe the images of an evaluation, and which of the split are left out as the model has seen them."""
    if evaluation.stored is not None:
        return describe_images(evaluation.model, evaluation.stored, evaluation.report)
    predictions, images, dataset = evaluation.predictions, evaluation.images, evaluation.dataset
    assert predictions is not None and images is not None and dataset is not None
    count, title = format_images(evaluation.report.n), dataset.title
    labels = describe_protocol(evaluation.report.protocol)
    if predictions.of_run and evaluation.split != ALL_IMAGES:
        text = f"{count} of the {SPLIT_TITLES[evaluation.split]} split of {title}, {labels}."
        caveat = capitalize_first(split_caveat(evaluation.split, evaluation.model.info.origin))
        as_test = (
            f" {VALIDATION_AS_TEST}" if evaluation.split == Split.TEST and _validation_is_test(evaluation.model) else ""
        )
        return f"{text} {caveat}.{as_test}"
    split = "" if evaluation.split == ALL_IMAGES else f" published as {SPLIT_TITLES[evaluation.split]} split"
    return f"{count} of {title}{split}, {labels}. {images.excluded.describe()}"


def describe_test_set(model: ModelEntry, reports: SplitReports) -> str:
    """Name the images of a model's headline metrics: "faces, test", "FER+, published validation"."""
    dataset = dataset_title(evaluated_on(model), settings()) or "unknown data"
    if reports.split == Split.TEST and _validation_is_test(model):
        return f"{dataset}, published validation"
    return f"{dataset}, {SPLIT_TITLES.get(reports.split, reports.split)}"


def run_validation_is_test(run: Run) -> bool:
    """Whether the published validation split served a finished run as test split."""
    try:
        return _validation_is_test(ModelEntry(run.id, "run", run.folder, read_bundle_info(run.folder)))
    except FerscopeError:  # the dataset is gone, or a file is damaged
        return False


def _validation_is_test(model: ModelEntry) -> bool:
    changed = tuple(path.stat().st_mtime_ns for path in sorted(model.folder.glob("*.json")))
    return _cached_validation_is_test(model.id, str(settings().store), changed, model)


@st.cache_data(show_spinner=False, max_entries=100, ttl=600)
def _cached_validation_is_test(model_id: str, store: str, changed: tuple[int, ...], _model: ModelEntry) -> bool:
    del model_id, store, changed  # cache key; reading the dataset's index takes a while
    return published_validation_is_test(_model, settings())
