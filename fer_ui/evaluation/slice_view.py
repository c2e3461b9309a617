"""The section Slices: where the model is worse than the expressions alone explain, and near-duplicates of training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.catalog import open_dataset
from fer_core.errors import FerscopeError
from fer_core.evaluation.analysis.comparison_text import format_p
from fer_core.evaluation.analysis.slices import (
    ROLL,
    Attribute,
    Slice,
    read_attributes,
    significant,
    slice_images,
    without_near_duplicates,
)
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.scores import Score, ScoreName, score_with_intervals
from fer_core.metrics import FEW_IMAGES
from fer_core.settings import settings
from fer_core.text import format_points
from fer_ui.chart_view import show_chart
from fer_ui.charts.evaluation.slices import slices_chart
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.cell_view import show_list
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.formatting import NO_VALUE, format_count, format_images, format_interval, format_percent
from fer_ui.frame.header import notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.query_params import QueryParam, param_selectbox

_NOT_SHOWN = "none"
_METHOD = (
    "Compared with what the same expressions reach in all other images, so that hard expressions alone make no slice "
    f"hard. Slices of fewer than {FEW_IMAGES} images are not compared. P values are corrected for their number (Holm)."
)
_COMPARED: tuple[ScoreName, ...] = ("macro_f1", "balanced_accuracy", "accuracy")


@st.fragment
def show_slices(evaluation: Evaluation) -> None:
    """Show the scores by one attribute, the faces of a slice, and the scores without near-duplicates."""
    images, dataset = evaluation.images, evaluation.dataset
    assert images is not None and dataset is not None
    attributes = {each.key: each for each in _attributes(dataset.id, dataset.fingerprint)}
    if not attributes:
        notice("info", "The images of this dataset do not differ in any measured attribute.")
        return
    titles = {key: each.title for key, each in attributes.items()}
    chosen = param_selectbox("Attribute", titles, QueryParam.AXIS, in_header=True)
    slices = _slices(f"{evaluation.version}-{chosen}", images, attributes[chosen])
    if len(slices) < 2:
        notice("info", "All of these images are in one slice. Choose another attribute or split.")
        return
    view = chart_and_numbers("slices")
    with view.numbers:
        verdict(describe_slices(slices, titles[chosen]))
        st.caption(_METHOD)
        _show_duplicates(evaluation)
        if ROLL not in attributes:
            st.caption("The roll of the head needs landmarks, which this dataset does not have.")
    with view.chart:
        chart = slices_chart(slices, f"Accuracy by {titles[chosen].lower()}", "Whiskers are 95 % intervals.")
        show_chart(chart, f"slices-{chosen}-{evaluation.key}", table=slice_table(slices))
    st.dataframe(_format(slices), hide_index=True, key=f"slices-table-{evaluation.key}")
    _show_faces(evaluation, slices, chosen)


def describe_slices(slices: list[Slice], title: str) -> str:
    """Name the slice that is furthest below what its expressions reach elsewhere."""
    found = significant(slices)
    worse = [each for each in found if each.difference < 0]
    if not worse:
        return f"{title}: no slice is worse than its expressions are elsewhere, as far as these images can show."
    each = worse[0]
    more = f", and {len(worse) - 1} more" if len(worse) > 1 else ""
    return (
        f"{title} {each.name}: {format_points(each.difference)} points of accuracy from what its expressions reach "
        f"elsewhere ({format_p(each.p)}){more}."
    )


def slice_table(slices: list[Slice]) -> pd.DataFrame:
    """Tabulate slices for a download."""
    columns = ["slice", "images", "accuracy", "low", "high", "expected", "difference", "p", "macro_f1"]
    rows = [
        (each.name, each.n, each.accuracy, *each.interval, each.expected, each.difference, each.p, each.macro_f1)
        for each in slices
    ]
    return pd.DataFrame(rows, columns=columns)


def _format(slices: list[Slice]) -> pd.DataFrame:
    def share(value: float) -> str:
        return NO_VALUE if np.isnan(value) else format_percent(value)

    return pd.DataFrame(
        {
            "Slice": [each.name for each in slices],
            "Images": [format_count(each.n) for each in slices],
            "Macro-F1": [share(each.macro_f1) for each in slices],
            "Accuracy": [f"{share(each.accuracy)} ({format_interval(*each.interval)})" for each in slices],
            "Expected": [share(each.expected) for each in slices],
            "Difference": [
                NO_VALUE if np.isnan(each.difference) else f"{format_points(each.difference)} points" for each in slices
            ],
            "P value": [NO_VALUE if np.isnan(each.difference) else format_p(each.p) for each in slices],
        }
    )


def _show_duplicates(evaluation: Evaluation) -> None:
    """Say how many images have a near-duplicate in training, and what the scores are without them."""
    predictions, images, dataset = evaluation.predictions, evaluation.images, evaluation.dataset
    assert predictions is not None and images is not None and dataset is not None
    if predictions.seen is None:
        st.markdown("Near-duplicates of training images are unknown: the model does not list its training images.")
        return
    text = describe_duplicates(*_near_duplicates(evaluation.version, evaluation))
    left_out = " All other figures are without them." if images.excluded.copied else ""
    st.markdown(escape_markdown(f"{text}{left_out}"))


def describe_duplicates(duplicates: int, raw: dict[ScoreName, Score], without: dict[ScoreName, Score] | None) -> str:
    """Compare the scores with and without the images that have a near-duplicate in training."""
    if not duplicates:
        return "No image has a near-duplicate among the training images, as far as they are in this dataset."
    count = f"{format_images(duplicates)} {'has' if duplicates == 1 else 'have'} a near-duplicate in training"
    if without is None:
        return f"{count}: all of them, so there is nothing else to judge by."
    parts = [
        f"{name} {format_percent(without[key].value)} ({format_interval(*without[key].interval)}) instead of "
        f"{format_percent(raw[key].value)} ({format_interval(*raw[key].interval)})"
        for key, name in zip(_COMPARED, ("macro-F1", "balanced accuracy", "accuracy"), strict=True)
    ]
    return f"{count}. Without them: {'; '.join(parts)}."


def _show_faces(evaluation: Evaluation, slices: list[Slice], attribute: str) -> None:
    """Show the wrong predictions of one slice."""
    images = evaluation.images
    assert images is not None
    options = {_NOT_SHOWN: "Show errors of a slice"} | {
        str(place): f"Errors: {each.name}" for place, each in enumerate(slices)
    }
    place = param_selectbox("Errors of a slice", options, QueryParam.FIND, in_header=True, width_px=320)
    if place == _NOT_SHOWN:
        return
    labeled = np.flatnonzero(images.truth >= 0)
    numbers = labeled[slices[int(place)].numbers]
    wrong = numbers[images.predicted[numbers] != images.truth[numbers]]
    ordered = wrong[np.argsort(-images.confidence[wrong], kind="stable")]
    show_list(evaluation, ordered, f"slice-{attribute}-{place}")


@st.cache_resource(show_spinner=False, max_entries=2)
def _attributes(dataset_id: str, fingerprint: str) -> list[Attribute]:
    del fingerprint  # cache key
    return read_attributes(open_dataset(dataset_id, settings()))


@st.cache_data(show_spinner=False, max_entries=32)
def _slices(version: str, _images: EvaluatedImages, _attribute: Attribute) -> list[Slice]:
    del version  # cache key
    return slice_images(_images, _attribute)


@st.cache_data(show_spinner="Looking for near-duplicates", max_entries=8)
def _near_duplicates(
    version: str, _evaluation: Evaluation
) -> tuple[int, dict[ScoreName, Score], dict[ScoreName, Score] | None]:
    del version  # cache key
    predictions, dataset, report = _evaluation.predictions, _evaluation.dataset, _evaluation.report
    assert predictions is not None and predictions.seen is not None and dataset is not None
    images = predictions.evaluate(_evaluation.split, report.protocol, report.point, with_copied=True)
    found = without_near_duplicates(images, dataset.pairs(), predictions.seen.trained_on)
    raw = score_with_intervals(images.labeled_predictions) if found.duplicates else {}
    try:
        without = score_with_intervals(found.images.labeled_predictions) if found.duplicates else None
    except FerscopeError:  # no image is left
        without = None
    return found.duplicates, raw, without
