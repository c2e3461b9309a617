"""Datasets: contents, quality, imbalance, splits and imports."""

from __future__ import annotations

import streamlit as st

from fer_core.data.catalog import list_datasets
from fer_core.settings import settings
from fer_ui.datasets.imbalance.compare_view import show_compare
from fer_ui.datasets.imbalance.published_view import show_published
from fer_ui.datasets.imports.import_view import show_import
from fer_ui.datasets.imports.manifest_view import show_manifests
from fer_ui.datasets.imports.sample_dataset import show_sample_button
from fer_ui.datasets.stored_view import show_stored
from fer_ui.frame.header import notice, page_header
from fer_ui.jobs.job_view import show_job_panel
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param, param_segmented_control
from fer_ui.record_choice import describe_missing_record

_VIEWS = {"store": "My datasets", "compare": "Compare", "published": "Published", "import": "Import"}


def main() -> None:
    header = page_header("Datasets", "Explore, check, correct and import face datasets.")
    datasets = {dataset.id: dataset for dataset in list_datasets(settings())}
    with header, st.container(key="datasets-views", width="content"):
        view = param_segmented_control("View", _views(bool(datasets)), QueryParam.VIEW, in_header=True)
    show_job_panel()
    if not datasets and view != "import":
        _show_first_steps()
    shown = {
        "store": lambda: show_stored(datasets, header),
        "compare": show_compare,
        "published": lambda: show_published(header),
        "import": show_import,
        "manifests": show_manifests,
    }
    shown[view]()


def _views(has_data: bool) -> dict[str, str]:
    """The views in the header: without a dataset, the first is the published counts; Manifests is below Import."""
    views = {name: title for name, title in _VIEWS.items() if has_data or name != "store"}
    if not has_data:
        views = {"published": views["published"], **views}
    return {**views, "manifests": "Manifests"} if get_param(QueryParam.VIEW) == "manifests" else views


def _show_first_steps() -> None:
    """Say that the store is empty, or that a link's dataset is gone, and offer the ways to a first dataset."""
    if gone := get_param(QueryParam.DATASET):
        notice("warning", describe_missing_record("dataset", gone))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("No dataset is imported yet. These are published counts of known datasets.", width="content")
        show_sample_button("generate-sample")
        link_to(Page.DATASETS, "Import a dataset", view="import")


main()
