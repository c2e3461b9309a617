"""The section About: the facts of a dataset, and its deletion."""

from __future__ import annotations

import streamlit as st

from fer_core.data.catalog import StoredDataset, delete_dataset
from fer_core.jobs.deletion import assert_dataset_unused
from fer_core.settings import settings
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.datasets.imbalance.published_view import show_manifest
from fer_ui.navigation import Page, go_to
from fer_ui.resources import job_store


def show_about(dataset: StoredDataset) -> None:
    """Show the facts of the dataset, and the form that deletes it."""
    show_manifest(dataset.manifest)
    st.caption(f"Imported {dataset.created[:10]}, corrections version {dataset.corrections().version}.")

    def delete() -> None:
        assert_dataset_unused(dataset.id, job_store(), settings())
        delete_dataset(dataset.id, settings())
        go_to(Page.DATASETS)

    removed = "its images, index and corrections" if dataset.source_in_store else "its index and corrections"
    outside = "" if dataset.source_in_store else " The image files stay where they are."
    consequences = f"Removes {removed}.{outside} Runs trained on it stay."
    show_deletion_form(dataset.id, "Delete this dataset", consequences, delete)
