"""One click to a dataset: synthetic faces, for a store that has none."""

from __future__ import annotations

import streamlit as st

from fer_core.data.synthetic.dataset import SYNTHETIC_FACES
from fer_core.jobs.submit import submit_synthetic
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.formatting import format_count
from fer_ui.navigation import Page, go_to

SAMPLE_IMAGES = 4_000


def show_sample_button() -> None:
    """Show the button that generates the sample dataset; its job is then shown on Datasets."""
    help_text = f"{format_count(SAMPLE_IMAGES)} synthetic faces with eight expressions. They show no real person."
    if st.button("Generate sample dataset", key="generate-sample", icon=":material/add_reaction:", help=help_text):
        with show_errors():
            job = submit_synthetic(SYNTHETIC_FACES, SAMPLE_IMAGES, settings())
            go_to(Page.DATASETS, job=job.id)
