"""The section Thresholds: curves of each class over the threshold of its probability, and a threshold for one class."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.record import Split
from fer_core.evaluation.analysis.curves import ClassCurves, ThresholdCurve, class_curves, threshold_curve
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.labels import Expression
from fer_ui.chart_view import show_chart
from fer_ui.charts.evaluation.threshold_curves import Kind, class_curves_chart, threshold_chart
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.evaluation import Evaluation, load_images
from fer_ui.formatting import format_count, format_percent
from fer_ui.frame.view_layout import verdict
from fer_ui.query_params import QueryParam, param_segmented_control, param_selectbox
from fer_ui.theme import expression_title

_KINDS: dict[Kind, str] = {"precision-recall": "Precision-recall", "roc": "ROC"}


@st.fragment
def show_thresholds(evaluation: Evaluation) -> None:
    """Show the curves of every class and, beside them, the scores of one class by its threshold."""
    images = evaluation.images
    assert images is not None
    curves = _curves(evaluation.version, images)
    present = [images.labels[curve.label] for curve in curves]
    left, right = st.columns(2, gap="large")
    with left:
        chart = st.container()
        kind = param_segmented_control("Curves", _KINDS, QueryParam.VIEW, in_header=True)
        with chart:
            show_chart(class_curves_chart(curves, images.labels, kind), f"{kind}-{evaluation.key}")
    with right:
        if present:
            _show_threshold(evaluation, present)
    _show_table(evaluation, curves)


def _show_threshold(evaluation: Evaluation, present: list[Expression]) -> None:
    """Show the scores of one class by threshold. The threshold is chosen on images that the scores are not of."""
    images = evaluation.images
    assert images is not None
    chart = st.container()
    titles = {str(label): expression_title(label) for label in present}
    label = Expression(param_selectbox("Expression", titles, QueryParam.LABEL, in_header=True))
    shown = threshold_curve(images.labeled_predictions, images.labels.index(label))
    chosen_on = _validation_curve(evaluation, label)
    best = shown.best if chosen_on is None else chosen_on.best
    with chart:
        show_chart(threshold_chart(shown, label, best), f"threshold-{evaluation.key}")
    verdict(describe_threshold(shown, chosen_on, label))
    if chosen_on is None:
        st.caption(
            "A threshold that is chosen on the images it is judged on looks better than it is. Choose it on validation "
            "images."
        )


def describe_threshold(shown: ThresholdCurve, chosen_on: ThresholdCurve | None, label: Expression) -> str:
    """Say which threshold has the best F1, on which images it was chosen, and what F1 it has on those shown."""
    if chosen_on is None:
        at, f1 = format_percent(float(shown.thresholds[shown.best]), 0), format_percent(float(shown.f1[shown.best]))
        return f"Best F1 of {label.value} on these very images: {f1}, from {at} on."
    at = format_percent(float(chosen_on.thresholds[chosen_on.best]), 0)
    f1 = format_percent(float(shown.f1[chosen_on.best]))
    return f"Threshold of {label.value} with the best F1 on validation images: {at}. On the images here its F1 is {f1}."


def _validation_curve(evaluation: Evaluation, label: Expression) -> ThresholdCurve | None:
    """Compute the curve on the run's validation images; None for those themselves, and where there are none."""
    predictions, dataset, report = evaluation.predictions, evaluation.dataset, evaluation.report
    if predictions is None or dataset is None or not predictions.of_run or evaluation.split == Split.VALID:
        return None
    if not any(split.name == Split.VALID for split in predictions.list_splits()):
        return None
    images = load_images(evaluation.model, dataset, str(Split.VALID), report.protocol, report.point)
    return None if images is None else threshold_curve(images.labeled_predictions, images.labels.index(label))


def _show_table(evaluation: Evaluation, curves: list[ClassCurves]) -> None:
    images = evaluation.images
    assert images is not None
    rows = [
        {
            "Expression": expression_title(images.labels[curve.label]),
            "Images": format_count(curve.positives),
            "Average precision": f"{curve.average_precision:.3f}",
            "ROC AUC": f"{curve.auc:.3f}",
            "95 % interval": "{:.3f} to {:.3f}".format(*curve.auc_interval),
        }
        for curve in curves
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key=f"curves-table-{evaluation.key}")
    st.caption(
        escape_markdown(
            "By chance, the average precision of a class is its share of the images, and ROC AUC is 0.5. The interval "
            "is that of the AUC (Hanley and McNeil 1982)."
        )
    )


@st.cache_data(show_spinner="Computing the curves", max_entries=16)
def _curves(version: str, _images: EvaluatedImages) -> list[ClassCurves]:
    del version  # cache key
    return class_curves(_images.labeled_predictions)
