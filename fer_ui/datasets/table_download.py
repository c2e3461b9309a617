"""A large table to take away: it is made when it is asked for, not each time that the page runs."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from fer_core.files.csv_file import csv_bytes


def show_table_download(make: Callable[[], pd.DataFrame], key: str, label: str) -> None:
    """A button that makes a table and downloads it as CSV.

    Args:
        make: makes the table, on another thread than the page's; its index is left out.
        key: of the element; also names the file.
    """
    st.download_button(
        label,
        lambda: csv_bytes(make()),
        f"ferscope-{key}.csv",
        "text/csv",
        key=f"table-{key}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
