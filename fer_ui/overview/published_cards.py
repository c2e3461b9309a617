"""The published class distributions of the known datasets as small multiples."""

from __future__ import annotations

import streamlit as st

from fer_core.data.imbalance.published import published_distributions
from fer_core.data.manifest_store import all_manifests
from fer_core.settings import settings
from fer_ui.formatting import format_count
from fer_ui.overview.distribution_card import show_distribution_card
from fer_ui.overview.sparkline import legend_html

_CARDS_A_ROW, _CARD_PX = 6, 148


def show_published_cards() -> None:
    """Show a card for each dataset with published counts, which links to these."""
    distributions = published_distributions(all_manifests(settings()).values())
    if not distributions:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        number = format_count(len(distributions))
        st.subheader(f"How unequal {number} published datasets are", anchor=False, width="content")
        st.html(legend_html())
    grid = st.grid(_CARDS_A_ROW, min_column_width=_CARD_PX, gap="small")
    for each in distributions:
        with grid:
            manifest = each.manifest
            query = {"view": "published", "manifest": manifest.id}
            title = short_title(manifest.title)
            show_distribution_card(f"published-{manifest.id}", title, each.n, each.totals, **query)


def short_title(title: str) -> str:
    """Shorten a dataset's title for a card: "AffectNet-8 (as in study A)" is "AffectNet-8"."""
    return title.partition(" (")[0] or title
