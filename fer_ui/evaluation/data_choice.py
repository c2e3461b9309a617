"""The choice of the data of an evaluation: dataset, split, labels and operating point, in the page's header."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.model_comparison import evaluated_on
from fer_core.bundles.reports import read_report
from fer_core.calibration import OperatingPoint
from fer_core.data.catalog import StoredDataset, list_datasets
from fer_core.data.dataset_title import dataset_title
from fer_core.errors import InputError
from fer_core.evaluation.dataset_predictions import ALL_IMAGES, DatasetPredictions
from fer_core.evaluation.predictions import Protocol
from fer_core.runs.folder import Run
from fer_core.settings import settings
from fer_ui.evaluation.evaluation import (
    Evaluation,
    find_own_dataset,
    load_dataset_predictions,
    load_images,
    predictions_version,
)
from fer_ui.evaluation.report_view import have_same_predictions, load_reports
from fer_ui.image_labels import split_title
from fer_ui.model_choices import choose_operating_point, choose_protocol
from fer_ui.query_params import QueryParam, chosen_param, param_selectbox

_REPORT = "report"
"""In place of a dataset that is not in the store: the model's stored report."""

_ALL_TITLE = "All unseen images"
_DATASET_PX, _SPLIT_PX = 200, 180


def choose_evaluation(model: ModelEntry, header: DeltaGenerator) -> Evaluation | StoredDataset:
    """Show the choices in the header.

    Returns:
        the evaluation; the dataset if the model has neither predictions of it nor a report on it.
    Raises:
        InputError: no image of the split has a label that the model knows.
    """
    own = find_own_dataset(model)
    has_report = model.kind == "run" or bool(read_report(model.folder))
    datasets = {each.id: each for each in list_datasets(settings())}
    options = _dataset_options(model, own, datasets, has_report=has_report)
    with header:
        name = param_selectbox("Dataset", options, QueryParam.DATASET, in_header=True, width_px=_DATASET_PX)
    dataset = datasets.get(name)
    is_own = dataset is None or (own is not None and own.id == dataset.id)
    predictions = None if dataset is None else load_dataset_predictions(model, dataset)
    with header:
        if dataset is not None and predictions is not None and predictions.list_splits():
            return _choose_images(model, dataset, predictions, is_own=is_own)
        if is_own and has_report:
            return _choose_report(model, dataset)
    assert dataset is not None
    return dataset


def _dataset_options(
    model: ModelEntry, own: StoredDataset | None, datasets: dict[str, StoredDataset], *, has_report: bool
) -> dict[str, str]:
    """Title the datasets, the one of the model's own report first."""
    titles = {each.id: each.title for each in datasets.values()}
    if own is not None:
        return {own.id: titles[own.id], **titles}
    if not has_report:
        return titles
    title = dataset_title(evaluated_on(model), settings()) or "Unknown data"
    return {_REPORT: f"{title} (stored report)", **titles}


def _choose_images(
    model: ModelEntry, dataset: StoredDataset, predictions: DatasetPredictions, *, is_own: bool
) -> Evaluation:
    titles = {
        each.name: _ALL_TITLE if each.name == ALL_IMAGES else split_title(each.name)
        for each in predictions.list_splits()
    }
    if not (protocols := predictions.protocols()):
        raise InputError(
            f"{dataset.title} has no labels, so nothing can be evaluated on it. Choose another dataset, or label its "
            "images."
        )
    split = _choose_split(titles)
    points = predictions.calibration.points
    same = len({points[point].tau for point in OperatingPoint}) == 1
    protocol, point = _choose_labels_and_point(protocols, list(OperatingPoint), same=same)
    images = load_images(model, dataset, split, protocol, point)
    assert images is not None
    return Evaluation(
        model=model,
        dataset=dataset,
        is_own=is_own,
        split=split,
        report=images.report,
        predictions=predictions,
        images=images,
        version=f"{predictions_version(model, dataset)}-{split}-{protocol}-{point}",
    )


def _choose_report(model: ModelEntry, dataset: StoredDataset | None) -> Evaluation:
    splits = {reports.split: reports for reports in load_reports(Run(model.folder))}
    reports = splits[_choose_split({name: split_title(name) for name in splits})]
    by_choice = {(report.protocol, report.point): report for report in reports.reports}
    protocols: list[Protocol] = list(dict.fromkeys(report.protocol for report in reports.reports))
    protocol = chosen_param(protocols, QueryParam.PROTOCOL)
    of_protocol = [report for report in reports.reports if report.protocol == protocol]
    points = [report.point for report in of_protocol]
    protocol, point = _choose_labels_and_point(protocols, points, same=have_same_predictions(of_protocol))
    report = by_choice.get((protocol, point), reports.headline)
    version = f"{model.id}-report-{reports.split}-{report.protocol}-{report.point}"
    return Evaluation(model, dataset, True, reports.split, report, stored=reports, version=version)


def _choose_split(titles: dict[str, str]) -> str:
    if len(titles) > 1:
        return param_selectbox("Split", titles, QueryParam.SPLIT, in_header=True, width_px=_SPLIT_PX)
    return next(iter(titles))


def _choose_labels_and_point(
    protocols: list[Protocol], points: list[OperatingPoint], *, same: bool
) -> tuple[Protocol, OperatingPoint]:
    """Show the rarer choices in a popover. A choice that would change nothing is not offered."""
    if len(protocols) < 2 and len(points) < 2:
        return protocols[0], points[0]
    with st.popover("Labels", icon=":material/tune:"):
        protocol = choose_protocol(protocols) if len(protocols) > 1 else protocols[0]
        point = choose_operating_point(points, same=same) if len(points) > 1 else points[0]
    return protocol, OperatingPoint(point)
