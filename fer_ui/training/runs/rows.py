"""The table of runs: its columns with titles and help texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from fer_core.comparison.run_summary import RunSummary
from fer_core.comparison.table import RunTable, display_names
from fer_core.data.imbalance.rebalancing import STRATEGIES
from fer_core.data.record import SPLIT_TITLES
from fer_core.evaluation.predictions import PROTOCOLS, describe_protocol
from fer_core.runs.folder import RunState
from fer_core.settings import settings
from fer_ui.formatting import format_count, format_interval
from fer_ui.navigation import Page
from fer_ui.query_params import QueryParam

_TITLE_PX = 300
_NATURAL = STRATEGIES["natural"].title
_PROTOCOL_TITLES: dict[str, str] = dict(PROTOCOLS.items())
"""By any text: a stored report can name a protocol of another version."""


@st.cache_resource(show_spinner=False)
def run_table() -> RunTable:
    """Summaries of all runs, shared between sessions (thread-safe); reread when their files change."""
    return RunTable(settings())


def describe_evaluation(row: RunSummary) -> str:
    """Describe on what a run was evaluated: "FER+, test, 3,573 images, labels by majority"."""
    if row.metrics is None:
        return row.dataset_name
    images = f"{format_count(row.metrics.n)} images" if row.metrics.n else ""
    split, protocol = SPLIT_TITLES.get(row.metrics.split, ""), describe_protocol(row.metrics.protocol)
    return ", ".join(filter(None, (row.dataset_name, split, images, describe_label_set(row), protocol)))


def describe_test_set(row: RunSummary) -> str:
    """Name the dataset, split and label set of a run's metrics: "FER+, test"."""
    split = SPLIT_TITLES.get(row.metrics.split, "") if row.metrics else ""
    return ", ".join(filter(None, (row.dataset_name, split, describe_label_set(row))))


def describe_label_set(row: RunSummary) -> str:
    """Describe the label set of a run: "four expressions"; "" for all eight."""
    return f"{row.labels} expressions" if row.labels != "eight" else ""


def format_runs(rows: Sequence[RunSummary], active: Mapping[str, str]) -> pd.DataFrame:
    """Build the table, with shares in percent and intervals as text.

    Args:
        active: job states by run id: "training", "queued".
    """
    names = display_names(rows)
    return pd.DataFrame(
        {
            "Run": [names[row.id] for row in rows],
            "Page": [f"{Page.TRAINING}?{QueryParam.RUN}={row.id}" for row in rows],
            "Test set": [describe_test_set(row) for row in rows],
            "Images": pd.array([row.metrics.n or None if row.metrics else None for row in rows], "Int64"),
            "Macro-F1": [_percent(row, "macro_f1") for row in rows],
            "95 % interval": [_interval(row) for row in rows],
            "State": [_state(row, active) for row in rows],
            "Balanced accuracy": [_percent(row, "balanced_accuracy") for row in rows],
            "Accuracy": [_percent(row, "accuracy") for row in rows],
            "Labels": [_protocol(row) for row in rows],
            "Epochs": [row.epochs_done for row in rows],
            "Planned": pd.array([row.epochs_planned for row in rows], "Int64"),
            "Best epoch": pd.array([row.best_epoch for row in rows], "Int64"),
            "Network": [row.network for row in rows],
            "Rebalancing": [row.rebalancing if row.rebalancing != _NATURAL else "" for row in rows],
            "Settings": [row.hyperparameters for row in rows],
            "Tags": [list(row.tags) for row in rows],
            "Images/s": [row.images_per_s for row in rows],
            "Started": pd.Series([row.created for row in rows], dtype="datetime64[us, UTC]"),
            "ID": [row.id for row in rows],
            **({"Problem": [row.problem for row in rows]} if any(row.problem for row in rows) else {}),
        }
    )


def column_config() -> dict[str, ColumnConfig]:
    """Build the formats and help texts of the columns of `format_runs`."""
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    return {
        "Run": text(pinned=True, width=_TITLE_PX),
        "Page": st.column_config.LinkColumn(display_text="Open", width="small"),
        "Macro-F1": number(format="%.1f %%", help="The mean F1 of all expressions."),
        "95 % interval": text(help="Of the macro-F1."),
        "Balanced accuracy": number(
            "Balanced", format="%.1f %%", help="Balanced accuracy: the mean recall of all expressions."
        ),
        "Accuracy": number(format="%.1f %%", help="The share of correct predictions; hides the rare expressions."),
        "Test set": text(help="Metrics on different datasets or splits can't be compared."),
        "Images": number(format="localized", width="small", help="How many images the metrics are of."),
        "Labels": text(help="How votes became labels for the metrics: by majority, or by the most frequent vote."),
        "Planned": number(help="The number of epochs in the config."),
        "Best epoch": number(help="The epoch whose weights are kept."),
        "Rebalancing": text(help="The strategy against class imbalance."),
        "Images/s": number(format="%.0f", width="small", help="Training images per second in the last epoch."),
        "Started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
    }


def _percent(row: RunSummary, name: str) -> float | None:
    value = row.score(name)
    return None if value is None else 100 * value


def _protocol(row: RunSummary) -> str:
    return _PROTOCOL_TITLES.get(row.metrics.protocol, row.metrics.protocol) if row.metrics else ""


def _interval(row: RunSummary) -> str:
    bounds = row.interval("macro_f1")
    return format_interval(*bounds) if bounds else ""


def _state(row: RunSummary, active: Mapping[str, str]) -> str:
    if row.state is RunState.UNFINISHED and row.id in active:
        return active[row.id]
    return str(row.state)
