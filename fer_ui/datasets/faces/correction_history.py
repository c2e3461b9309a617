"""The section Corrections: what is corrected, every change with undo, and a download."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action, Change
from fer_core.data.corrections.corrections import Corrections, correction_counts
from fer_core.data.quality.report import describe_reason
from fer_ui.chart_view import show_csv_download
from fer_ui.datasets.faces.corrections_view import describe_change, show_last_change, show_undo_button
from fer_ui.datasets.faces.face_grid import show_faces
from fer_ui.datasets.faces.pagination import current_slice, show_pagination
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_age, format_count, format_images
from fer_ui.frame.header import Headline, empty_state, headline, notice
from fer_ui.navigation import Page, link_to
from fer_ui.resources import load_index
from fer_ui.training.retrain_view import show_retraining_link

CHANGES_PER_PAGE = 10

_ORIGIN = "history"
_EXPLANATION = (
    "Corrections are stored beside the dataset and never change its source files. Each one is a version; a run records "
    "the version it was trained on, and every version can be restored."
)


def show_history(dataset: StoredDataset) -> None:
    """Show the corrections by version, the newest first."""
    corrections = dataset.corrections()
    if not corrections.version:
        empty_state("No corrections yet", _EXPLANATION, links=lambda: _show_first_links(dataset))
        return
    index = load_index(dataset)
    history = corrections.history()
    _show_summary(index, history)
    missing = corrections.count_missing(index)
    if missing:
        notice("info", f"The index lacks {format_images(missing)} named by corrections; these are skipped.")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _show_download(dataset, corrections)
        show_retraining_link(dataset)
        show_last_change(dataset)
    _show_changes(dataset, index, history)


def _show_first_links(dataset: StoredDataset) -> None:
    link_to(Page.DATASETS, "Find problems in Quality", dataset=dataset.id, section="quality")
    link_to(Page.DATASETS, "Browse faces", dataset=dataset.id, section="faces")


def _show_summary(index: pd.DataFrame, history: list[Change]) -> None:
    counts = correction_counts(index)
    marked = int((index["excluded"] | index["relabeled"] | index["ambiguous"]).sum())
    st.markdown(
        escape_markdown(
            f"{format_images(marked)} of {format_count(len(index))} {'is' if marked == 1 else 'are'} corrected, in "
            f"{len(history)} {'version' if len(history) == 1 else 'versions'}. {_EXPLANATION}"
        )
    )
    details = {
        "excluded": "not used",
        "relabeled": "with a new label",
        "ambiguous": "used unless training excludes them",
    }
    headline([Headline(name.capitalize(), format_count(number), details[name]) for name, number in counts.items()])


def _show_download(dataset: StoredDataset, corrections: Corrections) -> None:
    def table() -> pd.DataFrame:
        return corrections.export(dataset.raw_index(["id", "path", "label"]), corrections.version)

    show_csv_download(table, f"corrections-{dataset.id}", "Corrected images as CSV", type="tertiary")


def _show_changes(dataset: StoredDataset, index: pd.DataFrame, history: list[Change]) -> None:
    key = f"{dataset.id}-history"
    for change in history[current_slice(key, len(history), CHANGES_PER_PAGE)]:
        with st.container(border=True, gap="xsmall"):
            _show_change(dataset, index, change, history)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_pagination(key)


def _show_change(dataset: StoredDataset, index: pd.DataFrame, change: Change, history: list[Change]) -> None:
    description = escape_markdown(describe_change(change))
    key = f"{_ORIGIN}-{dataset.id}-{change.version}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**Version {change.version}:** {f'~~{description}~~ undone' if change.undone else description}",
            width="stretch",
        )
        show_undo_button(dataset, change, history, key=f"{key}-back", origin=_ORIGIN)
    st.caption(escape_markdown(describe_origin(change)))
    if change.action is Action.UNDO:
        return
    if st.toggle("Show the images", key=f"{key}-shown"):
        positions = pd.Index(index["id"]).get_indexer(pd.Index(change.ids, dtype=object)).astype(np.int64)
        show_faces(dataset, index, f"{key}-faces", reason=change.reason, positions=positions[positions >= 0])


def describe_origin(change: Change) -> str:
    """Describe when and why a change was made."""
    moment = datetime.fromisoformat(change.time)
    when = f"{format_age(moment)} ({moment:%Y-%m-%d %H:%M} UTC)"
    reason = f"reason: {describe_reason(change.reason)}" if change.reason else ""
    note = f"“{change.note}”" if change.note else ""
    return "; ".join(filter(None, (when, reason, note)))
