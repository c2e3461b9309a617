"""Downloads of an evaluation: the report as HTML and PDF, and the predictions as CSV and Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.errors import FerscopeError
from fer_core.evaluation.analysis.paired_comparison import compare_on_same_images
from fer_core.evaluation.analysis.slices import read_attributes, slice_images
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.export import predictions_as_table
from fer_core.evaluation.html_report.document import ReportContext, build_html_report, print_pdf
from fer_core.files.csv_file import csv_bytes
from fer_ui.downloads import show_download
from fer_ui.evaluation.compare_view import load_chosen
from fer_ui.evaluation.describe_data import describe_evaluated_images
from fer_ui.evaluation.evaluation import Evaluation


def show_downloads(evaluation: Evaluation) -> None:
    """Show a popover with the downloads; each is built when its button is clicked, outside of the page's script."""
    name = f"ferscope-evaluation-{evaluation.key}"
    where, others = describe_evaluated_images(evaluation), load_chosen(evaluation)
    html = partial(_build_html, evaluation, where, others)
    with st.popover("Report", icon=":material/download:", key=f"report-{evaluation.key}"):
        st.caption("Every figure and table in one file; it is built when you click, and has no pictures of faces.")
        show_download("Report as HTML", lambda: html().encode(), f"{name}.html", "text/html")
        show_download("Report as PDF", lambda: print_pdf(html()), f"{name}.pdf", "application/pdf")
        if evaluation.images is not None:
            predictions = f"ferscope-predictions-{evaluation.key}"
            show_download("Predictions as CSV", partial(_csv, evaluation), f"{predictions}.csv", "text/csv")
            show_download(
                "Predictions as Parquet",
                partial(_parquet, evaluation),
                f"{predictions}.parquet",
                "application/vnd.apache.parquet",
            )


def _build_html(evaluation: Evaluation, where: str, others: Mapping[str, EvaluatedImages]) -> str:
    images, dataset = evaluation.images, evaluation.dataset
    model = evaluation.model.info.title or evaluation.model.id
    slices, comparison = [], None
    if images is not None and dataset is not None:
        sliced = [(each.title, slice_images(images, each)) for each in read_attributes(dataset)]
        slices = [(title, found) for title, found in sliced if len(found) > 1]
        with suppress(FerscopeError):  # no common images
            comparison = compare_on_same_images({model: images, **others}) if others else None
    context = ReportContext(
        model=model,
        dataset=dataset.title if dataset is not None else "its own test images",
        images=f"{where} {_describe_corrections(dataset)}".rstrip(),
        confidence_threshold=_threshold(evaluation),
        slices=slices,
        comparison=comparison,
    )
    return build_html_report(context, evaluation.report, images)


def _describe_corrections(dataset: StoredDataset | None) -> str:
    version = dataset.corrections().version if dataset is not None else 0
    return f"Labels by version {version} of the dataset's corrections." if version else ""


def _threshold(evaluation: Evaluation) -> float:
    if evaluation.predictions is None:
        return 0.0
    return evaluation.predictions.calibration.points[evaluation.report.point].confidence_threshold


def _csv(evaluation: Evaluation) -> bytes:
    assert evaluation.images is not None
    return csv_bytes(predictions_as_table(evaluation.images, _threshold(evaluation)))


def _parquet(evaluation: Evaluation) -> bytes:
    assert evaluation.images is not None
    content = io.BytesIO()
    predictions_as_table(evaluation.images, _threshold(evaluation)).to_parquet(content, index=False)
    return content.getvalue()
