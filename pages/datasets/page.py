"""Datasets: contents, quality, imbalance, splits and imports."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.catalog import StoredDataset, list_datasets
from fer_core.settings import settings
from fer_ui.datasets.about_view import show_about
from fer_ui.datasets.affect_view import show_affect
from fer_ui.datasets.augmentation_view import show_augmentation
from fer_ui.datasets.faces.correction_history import show_history
from fer_ui.datasets.faces.faces_view import show_faces_section
from fer_ui.datasets.imbalance.class_view import show_classes
from fer_ui.datasets.imbalance.compare_view import show_compare
from fer_ui.datasets.imbalance.published_view import show_published
from fer_ui.datasets.imbalance.rebalancing_view import show_rebalancing
from fer_ui.datasets.imports.import_view import show_import
from fer_ui.datasets.imports.manifest_view import show_manifests
from fer_ui.datasets.imports.sample_dataset import show_sample_button
from fer_ui.datasets.preparation import prepare_dataset
from fer_ui.datasets.quality_view import show_quality
from fer_ui.datasets.remembered_view import note_section, remember_view, switch_section
from fer_ui.datasets.split_view import show_splits
from fer_ui.datasets.votes_view import show_votes
from fer_ui.errors import show_errors
from fer_ui.formatting import format_images
from fer_ui.frame.header import SYNTHETIC_DATA_NOTE, notice, page_header
from fer_ui.jobs.job_view import show_job_panel
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param, param_segmented_control, param_tabs
from fer_ui.record_choice import choose_record, describe_missing_record
from fer_ui.resources import load_index

_VIEWS = {"store": "My datasets", "compare": "Compare", "published": "Published", "import": "Import"}
_SECTIONS = {
    "classes": "Classes",
    "faces": "Faces",
    "votes": "Votes",
    "affect": "Valence and arousal",
    "quality": "Quality",
    "corrections": "Corrections",
    "splits": "Splits",
    "balance": "Rebalancing",
    "augmentation": "Augmentation",
    "about": "About",
}
_REQUIRED_COLUMNS = {"votes": "votes_neutral", "affect": "valence"}
"""Sections that are shown only for datasets with the column."""


def main() -> None:
    header = page_header("Datasets", "Explore, check, correct and import face datasets.")
    datasets = {dataset.id: dataset for dataset in list_datasets(settings())}
    with header, st.container(key="datasets-views", width="content"):
        view = param_segmented_control("View", _views(bool(datasets)), QueryParam.VIEW, in_header=True)
    show_job_panel()
    if not datasets and view != "import":
        _show_first_steps()
    shown = {
        "store": lambda: _show_stored(datasets, header),
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


def _show_stored(datasets: Mapping[str, StoredDataset], header: DeltaGenerator) -> None:
    titles = {dataset_id: _title(dataset) for dataset_id, dataset in datasets.items()}
    given = get_param(QueryParam.DATASET)
    with header if not given or given in datasets else st.container():
        dataset_id = choose_record("Dataset", titles, QueryParam.DATASET, "dataset", in_header=True)
    if dataset_id is None:
        return
    dataset = datasets[dataset_id]
    columns = dataset.columns()
    sections = {name: title for name, title in _SECTIONS.items() if _REQUIRED_COLUMNS.get(name, "id") in columns}
    switch_section(sections)
    section = param_tabs("Section", sections, QueryParam.SECTION)
    if dataset.manifest.synthetic:
        notice("info", SYNTHETIC_DATA_NOTE)
    with show_errors():
        _show_section(section, dataset, header)
    prepare_dataset(dataset)


def _show_section(section: str, dataset: StoredDataset, header: DeltaGenerator) -> None:
    note_section(section)
    shown = {
        "faces": show_faces_section,
        "votes": lambda chosen: show_votes(chosen, header),
        "affect": show_affect,
        "quality": show_quality,
        "corrections": show_history,
        "splits": show_splits,
        "balance": show_rebalancing,
        "augmentation": lambda chosen: show_augmentation(chosen, load_index(chosen)),
        "about": show_about,
    }.get(section, lambda chosen: show_classes(chosen, header))
    shown(dataset)
    remember_view(section)


def _title(dataset: StoredDataset) -> str:
    return f"{dataset.title}, {format_images(dataset.n)}"


main()
