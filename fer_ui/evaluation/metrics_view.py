"""The table of each class's figures on a page."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from fer_core.labels import Expression
from fer_ui.formatting import interval
from fer_ui.theme import expression_title


def show_metrics_table(table: pd.DataFrame, key: str) -> None:
    """Show `fer_ui.charts.per_class.metrics_table` with its shares in percent; what is unknown stays blank."""
    st.dataframe(
        formatted_metrics(table),
        key=key,
        hide_index=True,
        column_config={
            "Images": st.column_config.NumberColumn(format="localized", width="small"),
            "Precision": _share("Of the images read as it, how many are it."),
            "Recall": _share("Of its images, how many are read as it."),
            "F1": _share("The harmonic mean of precision and recall."),
        },
    )


def formatted_metrics(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a title for each column, shares in percent, and the recall's interval in words."""
    return pd.DataFrame(
        {
            "Expression": [expression_title(Expression(value)) for value in table["expression"]],
            "Images": table["support"],
            "Precision": table["precision"] * 100,
            "Recall": table["recall"] * 100,
            "95 % interval": [
                "" if pd.isna(low) else interval(low, high)
                for low, high in zip(table["recall_low"], table["recall_high"], strict=True)
            ],
            "F1": table["f1"] * 100,
        }
    )


def _share(meaning: str) -> ColumnConfig:
    return st.column_config.NumberColumn(format="%.1f %%", width="small", help=meaning)
