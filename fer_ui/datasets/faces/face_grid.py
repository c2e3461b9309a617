"""Faces of a dataset in pages: images with labels, checkboxes, and corrections for the selected ones.

Only the current page is read, and a checkbox reruns only its own list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.text import shorten
from fer_ui.datasets.faces.corrections_view import show_corrections_bar
from fer_ui.datasets.faces.pagination import current_slice, show_pagination
from fer_ui.datasets.faces.selection import Selection
from fer_ui.datasets.faces.thumbnails import SHOWN_PX, load_thumbnails
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_html, escape_markdown
from fer_ui.formatting import format_count
from fer_ui.image_labels import describe_split, get_marks, get_text, label_title
from fer_ui.theme import MUTED

FACES_PER_PAGE = 36
PAIRS_PER_PAGE = 12

_CELL_PX = 108
_NAME_CHARACTERS = 16
_CAPTION = f"font-size:0.75rem;line-height:1.3;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;{MUTED}"
_PLACEHOLDER = (
    f"box-sizing:border-box;width:{SHOWN_PX}px;height:{SHOWN_PX}px;padding:6px;overflow:hidden;"
    "display:flex;align-items:center;justify-content:center;text-align:center;overflow-wrap:anywhere;"
    f"font-size:0.6875rem;line-height:1.25;border:1px dashed currentColor;border-radius:0.375rem;{MUTED}"
)
_MARKS = "color:currentColor;font-weight:600"
_UNREADABLE = "can't be read any more"


@st.fragment
def show_faces(
    dataset: StoredDataset,
    rows: pd.DataFrame,
    key: str,
    *,
    reason: str = "",
    positions: NDArray[np.int64] | None = None,
    in_query: bool = False,
) -> None:
    """Show faces in pages, and the corrections bar for the selected ones.

    Args:
        rows: of the index from `resources.load_index`, in display order.
        key: of the elements; each list of rows needs its own.
        reason: of corrections made here, such as a finding's kind.
        positions: the shown rows; all by default. Avoids copying a large table.
        in_query: store the page number in the query string; for one list on a page.
    """
    with show_errors():
        total = len(rows) if positions is None else len(positions)
        if not total:
            st.markdown("There are no faces to show.")
            return
        here = current_slice(key, total, FACES_PER_PAGE, caption="Faces", in_query=in_query)
        shown = rows.iloc[here] if positions is None else rows.iloc[positions[here]]
        selection = Selection(key, dataset.corrections().version)
        with st.container(horizontal=True, gap="small"):
            for index, (row, picture) in enumerate(_cells(dataset, shown)):
                _show_cell(row, picture, selection, str(index))
        _show_actions(dataset, shown["id"].tolist(), selection, key, reason)


@st.fragment
def show_pairs(
    dataset: StoredDataset,
    left: pd.DataFrame,
    right: pd.DataFrame,
    notes: Sequence[str],
    key: str,
    *,
    reason: str = "",
) -> None:
    """Show pairs of faces in pages, and the corrections bar for the selected ones.

    Args:
        left, right: rows of the index, paired by position.
        notes: a plain text for each pair.
        key, reason: as for `show_faces`.
    Raises:
        ValueError: the lengths differ.
    """
    if not len(left) == len(right) == len(notes):
        raise ValueError(f"{len(left)} left faces, {len(right)} right ones and {len(notes)} notes make no pairs.")
    with show_errors():
        if not notes:
            st.markdown("There are no pairs to show.")
            return
        here = current_slice(key, len(notes), PAIRS_PER_PAGE, caption="Pairs")
        selection = Selection(key, dataset.corrections().version)
        _show_pair_cells(dataset, left.iloc[here], right.iloc[here], notes[here], selection)
        ids = [*left["id"].iloc[here], *right["id"].iloc[here]]
        _show_actions(dataset, ids, selection, key, reason)


def caption_html(row: dict[str, Any]) -> str:
    """Build the HTML below a face's label: corrections and split, then the file name."""
    split = get_text(row, "split")
    marks = ", ".join(get_marks(row))
    details = [
        f'<b style="{_MARKS}">{escape_html(marks)}</b>' if marks else "",
        escape_html(describe_split(split)) if split else "",
    ]
    path = get_text(row, "path")
    name = shorten(path.rsplit("/", 1)[-1], _NAME_CHARACTERS)
    return (
        f'<div style="{_CAPTION}">{", ".join(filter(None, details)) or "&nbsp;"}</div>'
        f'<div style="{_CAPTION}" title="{escape_html(path)}">{escape_html(name)}</div>'
    )


def placeholder_html(reason: str) -> str:
    """Build the HTML in place of an unreadable image."""
    return f'<div role="img" style="{_PLACEHOLDER}">{escape_html(reason)}</div>'


def _cells(dataset: StoredDataset, rows: pd.DataFrame) -> list[tuple[dict[str, Any], bytes | None]]:
    named = [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]
    return list(zip(named, load_thumbnails(dataset, rows), strict=True))


def _show_pair_cells(
    dataset: StoredDataset, left: pd.DataFrame, right: pd.DataFrame, notes: Sequence[str], selection: Selection
) -> None:
    pairs = zip(_cells(dataset, left), _cells(dataset, right), notes, strict=True)
    with st.container(horizontal=True, gap="small"):
        for index, (one, other, note) in enumerate(pairs):
            with st.container(border=True, width=2 * _CELL_PX + 56, gap="xsmall"):
                with st.container(horizontal=True, gap="small"):
                    _show_cell(*one, selection, f"{index}-left")
                    _show_cell(*other, selection, f"{index}-right")
                if note:
                    st.caption(escape_markdown(note))


def _show_cell(row: dict[str, Any], picture: bytes | None, selection: Selection, position: str) -> None:
    with st.container(width=_CELL_PX, gap="xsmall"):
        if picture is None:
            st.html(placeholder_html(get_text(row, "problem") or _UNREADABLE))
        else:
            st.image(picture, width=SHOWN_PX, alt=f"{label_title(row)}: {get_text(row, 'path')}")
        selection.show_checkbox(str(row["id"]), escape_markdown(label_title(row)), position=position)
        st.html(caption_html(row))


def _show_actions(dataset: StoredDataset, ids: Sequence[str], selection: Selection, key: str, reason: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_pagination(key)
        selection.show_buttons(ids)
    selected = selection.ids()
    elsewhere = len(selected) - len(set(selected) & set(ids))
    if elsewhere:
        st.caption(
            f"{format_count(elsewhere)} of the selected faces {'is' if elsewhere == 1 else 'are'} on other pages."
        )
    show_corrections_bar(dataset, selected, reason=reason, key=f"{key}-corrections")
