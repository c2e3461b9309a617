"""My datasets: the sections of a dataset of the store."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.catalog import StoredDataset
from fer_ui.datasets.about_view import show_about
from fer_ui.datasets.affect_view import show_affect
from fer_ui.datasets.augmentation_view import show_augmentation
from fer_ui.datasets.faces.correction_history import show_history
from fer_ui.datasets.faces.faces_view import show_faces_section
from fer_ui.datasets.imbalance.class_view import show_classes
from fer_ui.datasets.imbalance.rebalancing_view import show_rebalancing
from fer_ui.datasets.preparation import prepare_dataset
from fer_ui.datasets.quality_view import show_quality
from fer_ui.datasets.remembered_view import note_section, remember_view, switch_section
from fer_ui.datasets.split_view import show_splits
from fer_ui.datasets.votes_view import show_votes
from fer_ui.errors import show_errors
from fer_ui.formatting import format_images
from fer_ui.frame.header import SYNTHETIC_DATA_NOTE, notice
from fer_ui.query_params import QueryParam, get_param, param_tabs
from fer_ui.record_choice import choose_record
from fer_ui.resources import load_index

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


def show_stored(datasets: Mapping[str, StoredDataset], header: DeltaGenerator) -> None:
    """Show a section of the dataset in the query string.

    Args:
        datasets: those of the store, by id.
        header: the page's header row, for the choice of the dataset.
    """
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
