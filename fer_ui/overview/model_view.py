"""The confusion matrix of the model in use, and what its accuracy hides."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.reports import SplitReports, read_report, reports_by_split, split_caveat
from fer_core.data.dataset_title import short_dataset_title
from fer_core.evaluation.weakest_class import WeakestClass, find_weakest_class
from fer_core.settings import settings
from fer_ui.drawing.confusion_matrix import show_confusion_matrix
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.verdict import describe_hidden_errors
from fer_ui.formatting import format_images, format_interval, format_percent
from fer_ui.frame.header import SYNTHETIC_NOTE, Headline, headline, notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.navigation import Page, link_to
from fer_ui.overview.try_it import show_try_it


def show_model(model: ModelEntry) -> None:
    """Show the model's confusion matrix on its test split, what its accuracy hides, and sample photos to try it."""
    splits = reports_by_split(read_report(model.folder))
    if not splits:
        notice("info", f"{model.info.title} has no report on labeled images: nothing is known about its errors.")
        show_try_it()
        return
    reports = splits[0]
    confusion, labels = reports.headline.metrics.confusion, reports.headline.labels
    view = chart_and_numbers("model")
    with view.numbers:
        weakest = find_weakest_class(reports.headline)
        verdict(describe_hidden_errors(reports.headline.metrics, labels))
        headline(build_headlines(reports, weakest))
        st.caption(escape_markdown(_describe_evaluation(model, reports)))
        if model.info.synthetic:
            notice("info", SYNTHETIC_NOTE)
        link_to(Page.MODELS, "All metrics of this model", model=model.id)
        show_try_it()
    with view.chart:
        show_confusion_matrix(confusion, labels, "overview-confusion")


def build_headlines(reports: SplitReports, weakest: WeakestClass | None) -> list[Headline]:
    """Build accuracy and macro-F1, and the recall of the weakest class at each operating point."""
    report = reports.headline
    intervals = {name: f"95 %: {format_interval(*bounds)}" for name, bounds in report.intervals.items()}
    numbers = [
        Headline("Accuracy", format_percent(report.accuracy), intervals["accuracy"]),
        Headline("Macro-F1", format_percent(report.macro_f1), intervals["macro_f1"]),
    ]
    if weakest is None:
        return numbers
    for each in reports.headline_by_point:
        scores = each.per_class[weakest.label]
        name = f"Recall of {weakest.label}" if each is report else f"Recall, {each.point} point"
        detail = f"95 %: {format_interval(*scores.recall_interval)}"
        numbers.append(Headline(name, format_percent(scores.recall), detail))
    return numbers


def _describe_evaluation(model: ModelEntry, reports: SplitReports) -> str:
    dataset = f" of {short_dataset_title(model.info.dataset, settings())}" if model.info.dataset else ""
    caveat = split_caveat(reports.split, model.info.origin)
    return f"{model.info.title}, on {format_images(reports.headline.n)} of the {reports.title}{dataset}, {caveat}."
