"""The table of runs: its columns with titles and help texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from fer_core.comparison.run_summary import RunSummary
from fer_core.comparison.table import RunTable
from fer_core.data.record import SPLIT_TITLES
from fer_core.evaluation.predictions import describe_protocol
from fer_core.runs.folder import RunState
from fer_core.settings import settings
from fer_ui.formatting import format_count, format_interval
from fer_ui.navigation import Page
from fer_ui.query_params import QueryParam

_TITLE_PX = 180


@st.cache_resource(show_spinner=False)
def run_table() -> RunTable:
    """Summaries of all runs, shared between sessions (thread-safe); reread when their files change."""
    return RunTable(settings())


def describe_evaluation(row: RunSummary) -> str:
    """On what a run was evaluated: "ferplus, test, 3,573 images, labels by majority"."""
    if row.metrics is None:
        return row.dataset
    images = f"{format_count(row.metrics.n)} images" if row.metrics.n else ""
    split, protocol = SPLIT_TITLES.get(row.metrics.split, ""), describe_protocol(row.metrics.protocol)
    return ", ".join(each for each in (row.dataset, split, images, describe_label_set(row), protocol) if each)


def describe_label_set(row: RunSummary) -> str:
    """The label set of a run: "four expressions"; "" for all eight."""
    return f"{row.labels} expressions" if row.labels != "eight" else ""


def format_runs(rows: Sequence[RunSummary], active: Mapping[str, str]) -> pd.DataFrame:
    """Build the table, with shares in percent and intervals as text."""
    return pd.DataFrame(
        {
            "title": [row.title for row in rows],
            "open": [f"{Page.TRAINING}?{QueryParam.RUN}={row.id}" for row in rows],
            "macro_f1": [_percent(row, "macro_f1") for row in rows],
            "interval": [_interval(row) for row in rows],
            "balanced_accuracy": [_percent(row, "balanced_accuracy") for row in rows],
            "accuracy": [_percent(row, "accuracy") for row in rows],
            "evaluated": [describe_evaluation(row) for row in rows],
            "state": [_state(row, active) for row in rows],
            "epochs_done": [row.epochs_done for row in rows],
            "epochs_asked": pd.array([row.epochs_planned for row in rows], "Int64"),
            "best_epoch": pd.array([row.best_epoch for row in rows], "Int64"),
            "network": [row.network for row in rows],
            "rebalancing": [row.rebalancing for row in rows],
            "facts": [row.facts for row in rows],
            "tags": [list(row.tags) for row in rows],
            "speed": [row.images_per_s for row in rows],
            "created": pd.Series([row.created for row in rows], dtype="datetime64[us, UTC]"),
            "id": [row.id for row in rows],
            **({"problem": [row.problem for row in rows]} if any(row.problem for row in rows) else {}),
        }
    )


def column_config() -> dict[str, ColumnConfig]:
    """Titles and formats of the columns of `format_runs`."""
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    return {
        "title": text("Run", pinned=True, width=_TITLE_PX),
        "open": st.column_config.LinkColumn("Page", display_text="Open", width="small"),
        "macro_f1": _share("Macro-F1", "The mean F1 of all expressions."),
        "interval": text("95 % interval", help="Of the macro-F1."),
        "balanced_accuracy": _share("Balanced accuracy", "The mean recall of all expressions."),
        "accuracy": _share("Accuracy", "The share of correct predictions; hides the rare expressions."),
        "evaluated": text("Evaluated on", help="Metrics on different datasets or splits can't be compared."),
        "state": text("State"),
        "epochs_done": number("Epochs"),
        "epochs_asked": number("Planned", help="The number of epochs in the config."),
        "best_epoch": number("BestRun", help="The epoch whose weights are kept."),
        "network": text("Network"),
        "rebalancing": text("Rebalancing", help="The strategy against class imbalance."),
        "facts": text("Settings"),
        "tags": st.column_config.ListColumn("Tags"),
        "speed": number("Images/s", format="%.0f", width="small", help="Training images per second in the last epoch."),
        "created": st.column_config.DatetimeColumn("Started", format="YYYY-MM-DD HH:mm"),
        "id": text("ID"),
        "problem": text("Problem"),
    }


def _share(title: str, meaning: str) -> ColumnConfig:
    return st.column_config.NumberColumn(title, format="%.1f %%", help=meaning)


def _percent(row: RunSummary, name: str) -> float | None:
    value = row.score(name)
    return None if value is None else 100 * value


def _interval(row: RunSummary) -> str:
    bounds = row.interval("macro_f1")
    return format_interval(*bounds) if bounds else ""


def _state(row: RunSummary, active: Mapping[str, str]) -> str:
    if row.state is RunState.UNFINISHED and row.id in active:
        return active[row.id]
    return str(row.state)
