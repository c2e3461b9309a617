"""The offer to predict a dataset, where a section needs predictions of every image, and the job that does it."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.catalog import ModelEntry
from fer_core.data.catalog import StoredDataset
from fer_ui.datasets.faces.prediction_choice import show_prediction_offer
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.evaluation import Evaluation, load_dataset_predictions
from fer_ui.frame.header import empty_state
from fer_ui.navigation import Page, link_to


def show_offer(model: ModelEntry, dataset: StoredDataset, what: str) -> None:
    """Offer to predict a dataset.

    Args:
        what: is shown once it is predicted, as a sentence; plain text.
    """
    predictions = load_dataset_predictions(model, dataset)
    if predictions is not None:
        empty_state(
            "Every image was used to train this model",
            f"{dataset.title} has no image that the model has not seen, or they are excluded. Choose another dataset.",
        )
        return
    with st.container(border=True, gap="small"):
        st.subheader(escape_markdown(f"{dataset.title} is not predicted by this model yet"), anchor=False)
        st.markdown(escape_markdown(what))
        show_prediction_offer(dataset, model, where="evaluation")


def show_needs_predictions(evaluation: Evaluation) -> None:
    """Say that a section needs the predictions of every image, and how to get them."""
    what = "This section needs the prediction of each image; the stored report has only the totals."
    if evaluation.dataset is not None:
        show_offer(evaluation.model, evaluation.dataset, what)
        return
    empty_state(
        "The images of this report are not in the store",
        f"{what} Import the dataset, or choose one that is in the store above.",
        links=lambda: link_to(Page.DATASETS, "Import a dataset", view="import"),
    )
