"""Overview: what runs, the store, the model in use and what its accuracy hides, and published datasets."""

from __future__ import annotations

import streamlit as st

from fer_ui.errors import show_errors
from fer_ui.frame.header import page_header
from fer_ui.navigation import Page, link_to
from fer_ui.overview.activity import show_active_jobs, show_ended_jobs
from fer_ui.overview.model_view import show_model
from fer_ui.overview.published_cards import show_published_cards
from fer_ui.overview.store_cards import show_store_cards
from fer_ui.overview.system_check import show_system_check
from fer_ui.resources import active_model


def main() -> None:
    header = page_header(
        "FERscope", "Facial expression recognition from dataset to live video, with the rare expressions in view."
    )
    with header:
        link_to(Page.LIVE, "Try the webcam")
        link_to(Page.PREDICT, "Predict your photos")
        link_to(Page.DATASETS, "Import a dataset", view="import")
    for show in (show_active_jobs, show_store_cards, lambda: show_model(active_model()), show_published_cards):
        with show_errors():
            show()
    with show_errors():
        show_ended_jobs()
    with st.container(key="system-check"), show_errors():
        show_system_check()


main()
