"""The datasets that an import recognizes: where to get each, and under which terms."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.manifest_store import all_manifests
from fer_core.settings import settings
from fer_ui.navigation import Page, link_to


def show_known_datasets() -> None:
    """Show a folded table of the known datasets, and a link to the editor of manifests for others."""
    with st.expander("Known datasets: recognized by their files, with labels and license", icon=":material/menu_book:"):
        st.dataframe(
            _tabulate(),
            hide_index=True,
            column_config={
                "Homepage": st.column_config.LinkColumn(display_text="Open", width="small"),
                "Published images": st.column_config.NumberColumn(format="localized"),
            },
        )
        st.markdown("Another dataset with unusual files or label names? Describe it once in a manifest.")
        link_to(Page.DATASETS, "Write a manifest", view="manifests")


def _tabulate() -> pd.DataFrame:
    """One row per known dataset that has files to import."""
    known = [manifest for manifest in all_manifests(settings()).values() if manifest.layout and not manifest.synthetic]
    published = [manifest.published.splits if manifest.published else {} for manifest in known]
    totals = [sum(sum(counts.values()) for counts in splits.values()) for splits in published]
    return pd.DataFrame(
        {
            "Dataset": [manifest.title for manifest in known],
            "Published images": pd.Series([total or None for total in totals], dtype="Int64"),
            "License": [manifest.license for manifest in known],
            "Homepage": [manifest.homepage or None for manifest in known],
        }
    )
