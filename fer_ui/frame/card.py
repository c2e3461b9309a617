"""A card whose whole area is a link."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_ui.escaping import escape_markdown
from fer_ui.navigation import Page, build_pages


def link_card(name: str, page: Page, title: str, **query: str) -> DeltaGenerator:
    """Open a card with a link as its title; a click anywhere on the card follows it.

    Args:
        name: of the card, unique on the page.
        title: plain text in one line.
        page: where the link leads, with `query`; another page than the current one (see `link_to`).
    """
    card = st.container(border=True, gap="xsmall", height="stretch", key=f"card-{name}")
    card.page_link(build_pages()[page], label=escape_markdown(title), query_params=query or None, width="stretch")
    return card
