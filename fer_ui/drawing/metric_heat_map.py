"""Precision, recall and F1 of each class as a heat map, drawn like the confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.labels import Expression
from fer_ui.chart_view import get_chart_key, show_titles
from fer_ui.charts.layout import Titles
from fer_ui.drawing.confusion_matrix import matrix_component
from fer_ui.formatting import NO_VALUE, format_images, format_percent
from fer_ui.theme import expression_title

_METRICS = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
_TITLE = "Classes and metrics at a glance"


def show_metric_heat_map(table: pd.DataFrame, key: str) -> None:
    """Show the result of `charts.per_class.metrics_table` with a row for each class.

    Args:
        key: of the element; with hyphens, as it also names the downloaded files.
    """
    better = "brighter" if st.context.theme.type == "dark" else "darker"
    titles = Titles(_TITLE, f"The {better}, the better; each number is a percentage.")
    with st.container(gap="xsmall"):
        show_titles(titles, key, table)
        data = {
            **heat_map_data(table),
            "title": f"{titles.title}. {titles.subtitle}",
            "theme": st.context.theme.type,
            "axes": ["", ""],
        }
        matrix_component(key=get_chart_key(key), data=data)


def heat_map_data(table: pd.DataFrame) -> dict[str, Any]:
    """Build what the browser draws: rows, columns and cells."""
    rows = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    return {
        "rows": [
            {"name": expression_title(Expression(row["expression"])), "support": format_images(int(row["support"]))}
            for row in rows
        ],
        "columns": list(_METRICS.values()),
        "cells": [[_cell(row, metric) for metric in _METRICS] for row in rows],
    }


def _cell(row: dict[str, Any], metric: str) -> dict[str, Any]:
    value = float(row[metric])
    known = not np.isnan(value)
    text = format_percent(value) if known else NO_VALUE
    return {
        "text": f"{value * 100:.1f}" if known else NO_VALUE,
        "hint": f"{_METRICS[metric]} of {row['expression']}: {text if known else 'not defined'}",
        "share": round(value, 4) if known else 0.0,
        "faint": not known,
    }
