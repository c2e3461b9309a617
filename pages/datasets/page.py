"""Datasets: how unequal the classes are, in datasets of the store and in published counts."""

from __future__ import annotations

import streamlit as st

from fer_core.data.catalog import StoredDataset, delete_dataset, list_datasets
from fer_core.data.manifest import Manifest, known_manifests
from fer_core.settings import settings
from fer_ui.class_view import show_class_counts, show_manifest, stored_counts
from fer_ui.dataset_import import show_import
from fer_ui.deletion import offer_deletion
from fer_ui.errors import shown_errors
from fer_ui.face_grid import show_samples
from fer_ui.header import empty_state, notice, page_header
from fer_ui.job_panel import show_job_panel
from fer_ui.pages import Page, go_to, link_to
from fer_ui.params import Param, choose, switch
from fer_ui.resources import index_of

_VIEWS = {"store": "In the store", "published": "Published counts", "import": "Import"}


def main() -> None:
    page_header("Datasets", "What a dataset holds, and how unequal its classes are.")
    show_job_panel(Page.DATASETS)
    datasets = {dataset.id: dataset for dataset in list_datasets(settings())}
    view = switch("View", list(_VIEWS), Param.VIEW, format_func=_VIEWS.__getitem__)
    if view == "import":
        show_import()
    elif view == "published":
        _published(known_manifests())
    else:
        _stored(datasets)


def _stored(datasets: dict[str, StoredDataset]) -> None:
    if not datasets:
        empty_state(
            "There is no dataset in the store yet",
            "Draw faces to begin with, import FER+ from a zip archive, or explore the counts that others published.",
            links=_ways_to_begin,
        )
        return
    dataset = datasets[choose("Dataset", list(datasets), Param.DATASET)]
    if dataset.manifest.drawn:
        notice("info", "These faces are drawings. Figures on them say nothing about people.")
    with shown_errors():
        index = index_of(dataset)
        show_class_counts(stored_counts(index), dataset.id)
        problems = int((index["problem"] != "").sum())
        if problems:
            notice("warning", f"{problems:,} of {dataset.n:,} files have a problem; they are left out of training.")
        st.subheader("Sample faces", anchor=False)
        draw = st.number_input("Draw", 1, 1_000, 1, help="Another number shows other faces.", width=160)
        show_samples(dataset.id, dataset.fingerprint, index, 9, int(draw))
        show_manifest(dataset.manifest)
    _delete(dataset)


def _ways_to_begin() -> None:
    link_to(Page.DATASETS, "Draw or import", view="import")
    link_to(Page.DATASETS, "Published counts", view="published")


def _published(manifests: dict[str, Manifest]) -> None:
    counted = {name: manifest for name, manifest in manifests.items() if manifest.published}
    others = {name: manifest for name, manifest in manifests.items() if not manifest.published}
    ids = [*counted, *others]
    manifest = manifests[choose("Dataset", ids, Param.MANIFEST, format_func=lambda name: manifests[name].title)]
    show_manifest(manifest, opened=True)


def _delete(dataset: StoredDataset) -> None:
    def delete() -> None:
        delete_dataset(dataset.id, settings())
        go_to(Page.DATASETS)

    kept = "its images and its index" if dataset.kept_in_store else "its index; the images stay where they are"
    consequences = f"Removes {kept}. Runs that were trained on it stay."
    offer_deletion(dataset.id, "Delete this dataset", consequences, delete)


main()
