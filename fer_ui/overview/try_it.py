"""Sample photos, one click away from their prediction."""

from __future__ import annotations

import streamlit as st

from fer_ui.frame.card import link_card
from fer_ui.navigation import Page
from fer_ui.predict.sample_photos import SAMPLE_PHOTOS, sample_thumbnail
from fer_ui.query_params import QueryParam


def show_try_it() -> None:
    """Show a card for each sample photo, which opens its prediction."""
    st.markdown("**Try a sample photo**")
    grid = st.grid(len(SAMPLE_PHOTOS), min_column_width=120, gap="small")
    for name, photo in SAMPLE_PHOTOS.items():
        with grid, link_card(f"sample-{name}", Page.PREDICT, photo.title, **{str(QueryParam.SAMPLE): name}):
            st.image(sample_thumbnail(name), width="stretch", alt=photo.title)
