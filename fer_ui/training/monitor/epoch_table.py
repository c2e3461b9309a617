"""Table of all epochs, newest first."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES
from fer_ui.charts.training.class_curves import find_classes
from fer_ui.charts.training.epoch_lines import known_columns
from fer_ui.formatting import NO_VALUE, format_count
from fer_ui.theme import expression_title
from fer_ui.training.monitor.monitored_run import MonitoredRun

_SPLITS = {"train": "training", "valid": "validation"}
_LOSSES = {f"{split}_loss": f"Loss, {title}" for split, title in _SPLITS.items()}
_SHARES = {
    f"{split}_{metric}": f"{METRIC_TITLES[metric]}, {title}"
    for metric in HEADLINE_METRICS
    for split, title in _SPLITS.items()
}
_AFFECT = {"valid_ccc_valence": "Concordance, valence", "valid_ccc_arousal": "Concordance, arousal"}
_OTHER = {"learning_rate": "Learning rate", "images_per_s": "Images/s", "seconds": "Seconds"}
_FORMATS = dict.fromkeys(_LOSSES.values(), "%.4f") | dict.fromkeys(_AFFECT.values(), "%.3f")
_FORMATS |= {"Learning rate": "%.3g", "Images/s": "%.0f", "Seconds": "%.1f"}
"""Formats of the columns that aren't shares."""

_ROW_PX = 35
_HEIGHT_MAX_PX = 440


def show_epochs(monitored: MonitoredRun) -> None:
    """Show the table, with a toggle for the F1 of each expression."""
    if monitored.metrics.empty:
        st.caption("The table appears after the first epoch.")
        return
    by_class = st.toggle("F1 of each expression", key=f"f1-columns-{monitored.run_id}")
    table = epoch_table(monitored.metrics, monitored.best_epoch, by_class=by_class)
    st.dataframe(
        table,
        key=f"epochs-{monitored.run_id}",
        hide_index=True,
        placeholder=NO_VALUE,
        height=min((len(table) + 1) * _ROW_PX + 2, _HEIGHT_MAX_PX),
        column_config={
            "Epoch": st.column_config.NumberColumn(width=70, pinned=True),
            "Mark": st.column_config.TextColumn(width=70, help="The epoch whose weights are kept."),
            **{
                name: st.column_config.NumberColumn(format=_FORMATS.get(name, "%.1f %%"))
                for name in table.columns
                if name not in ("Epoch", "Mark")
            },
        },
    )
    st.caption(f"{format_count(len(table))} {'epoch' if len(table) == 1 else 'epochs'}, newest first.")


def epoch_table(metrics: pd.DataFrame, best_epoch: int | None, *, by_class: bool) -> pd.DataFrame:
    """Build a table with column titles, shares in percent, newest epoch first; empty columns are left out."""
    ordered = metrics.sort_values("epoch", ascending=False)
    columns: dict[str, object] = {
        "Epoch": ordered["epoch"],
        "Mark": ["best" if epoch == best_epoch else "" for epoch in ordered["epoch"]],
    }
    f1 = {
        f"{split}_f1_{expression}": f"F1 of {expression_title(expression)}, {title}"
        for expression in (find_classes(ordered) if by_class else ())
        for split, title in _SPLITS.items()
    }
    shares = _SHARES | f1
    titles = _LOSSES | shares | _AFFECT | _OTHER
    for column in known_columns(ordered, *titles):
        columns[titles[column]] = ordered[column].astype(float) * (100 if column in shares else 1)
    return pd.DataFrame(columns).reset_index(drop=True)
