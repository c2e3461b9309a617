"""One face, large, in a dialog: what is known about it, corrections, and the way to the next one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.labels import Expression
from fer_ui.datasets.faces.corrections_view import (
    Correction,
    apply_correction,
    show_corrections_bar,
    undo_last_change,
)
from fer_ui.datasets.faces.dialog_keys import show_key_watch
from fer_ui.datasets.faces.face_details import show_facts, show_neighbors, show_picture, show_votes_and_prediction
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.frame.header import notice
from fer_ui.image_labels import describe_split, get_marks, get_text, label_title
from fer_ui.query_params import QueryParam, get_param
from fer_ui.resources import load_index

_OPENED_BY = "face-opened-by"
_BAR = "face-corrections"
_KEYS = (
    "Keys: ← and → show the previous and next face, 1 to 8 relabel, X excludes, A marks as ambiguous, U undoes, Esc "
    "closes."
)
_MARK_KEYS = {"x": Action.EXCLUDE, "a": Action.AMBIGUOUS}


def open_face(image_id: str, opened_by: str) -> None:
    """Put a face into the address, in a callback; the list `opened_by` then shows it."""
    st.query_params[QueryParam.FACE] = image_id
    st.session_state[_OPENED_BY] = opened_by


def show_open_face(
    dataset: StoredDataset, numbers: NDArray[np.int64], key: str, *, reason: str = "", is_main: bool = False
) -> None:
    """Show the face of the address, if this list opened it, or is the first with it after a reload.

    Args:
        numbers: rows of the index, in the order of the list.
        reason: of corrections made in the dialog.
        is_main: show any face of the dataset, also one that is not in the list.
    """
    image_id, opened_by = get_param(QueryParam.FACE), st.session_state.get(_OPENED_BY)
    if not image_id:
        if opened_by == key:
            del st.session_state[_OPENED_BY]
        return
    if opened_by not in (None, key):
        return
    row = find_row(load_index(dataset), image_id)
    if row is None and is_main:
        notice("warning", f"There is no image {image_id!r} in this dataset.")
    if row is None or not (is_main or opened_by == key or row in numbers):
        return
    st.session_state[_OPENED_BY] = key
    _show_dialog(dataset, numbers, reason)


def find_row(index: pd.DataFrame, image_id: str) -> int | None:
    """Find the row of an image; None if there is none."""
    rows = np.flatnonzero(index["id"].to_numpy(object) == image_id)
    return int(rows[0]) if len(rows) else None


def neighbors_in(numbers: NDArray[np.int64], row: int) -> tuple[int | None, int | None, int | None]:
    """Find the place of a row in a list, and the rows before and after it; None for each that there is not."""
    places = np.flatnonzero(numbers == row)
    if not len(places):
        return None, None, None
    place = int(places[0])
    before = int(numbers[place - 1]) if place else None
    after = int(numbers[place + 1]) if place + 1 < len(numbers) else None
    return place, before, after


def _close() -> None:
    st.query_params.pop(QueryParam.FACE, None)
    st.session_state.pop(_OPENED_BY, None)


@st.dialog("Face", width="large", on_dismiss=_close)
def _show_dialog(dataset: StoredDataset, numbers: NDArray[np.int64], reason: str) -> None:
    with show_errors():
        index = load_index(dataset)
        row = find_row(index, get_param(QueryParam.FACE))
        if row is None:
            notice("warning", "There is no such image in this dataset.")
            return
        face = {str(name): value for name, value in index.iloc[row].items()}
        place, before, after = neighbors_in(numbers, row)
        left, right = st.columns((5, 6), gap="medium")
        with left:
            show_picture(dataset, index.iloc[[row]])
            _show_steps(index, place, before, after, len(numbers))
        with right:
            _show_heading(face)
            with st.container(key="face-corrections", horizontal=True, vertical_alignment="center", gap="small"):
                show_corrections_bar(dataset, [str(face["id"])], reason=reason, key=_BAR, show_last=True)
            show_votes_and_prediction(dataset, row, face)
            show_facts(dataset, row)
            show_neighbors(dataset, index, row, _go_to)
        steps = {"ArrowLeft": before, "ArrowRight": after}
        show_key_watch(lambda name: _press(name, dataset, str(face["id"]), index, steps, reason))


def _show_heading(face: dict[str, object]) -> None:
    marks = "".join(f" :gray-badge[{mark}]" for mark in get_marks(face))
    split = describe_split(get_text(face, "split"))
    st.subheader(f"{escape_markdown(label_title(face))}{marks}", anchor=False)
    st.caption(escape_markdown(f"{split}; {get_text(face, 'path')}"))


def _show_steps(index: pd.DataFrame, place: int | None, before: int | None, after: int | None, total: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        for label, icon, target in (("Previous", "chevron_left", before), ("Next", "chevron_right", after)):
            st.button(
                label,
                key=f"face-{label}",
                icon=f":material/{icon}:",
                disabled=target is None,
                on_click=_go_to,
                args=("" if target is None else str(index["id"].iloc[target]),),
            )
        text = "not in this list" if place is None else f"{format_count(place + 1)} of {format_count(total)}"
        st.caption(
            text,
            width="content",
            help=_KEYS,
        )


def _go_to(image_id: str) -> None:
    st.query_params[QueryParam.FACE] = image_id


def _press(
    name: str, dataset: StoredDataset, image_id: str, index: pd.DataFrame, steps: dict[str, int | None], reason: str
) -> None:
    """Do what a key stands for, in a callback."""
    expressions = list(Expression)
    if name in steps:
        if (target := steps[name]) is not None:
            _go_to(str(index["id"].iloc[target]))
    elif name in _MARK_KEYS:
        apply_correction(dataset, Correction(_MARK_KEYS[name], [image_id], reason), _BAR)
    elif name == "u":
        undo_last_change(dataset, _BAR)
    elif name.isdecimal() and 1 <= int(name) <= len(expressions):
        label = str(expressions[int(name) - 1])
        apply_correction(dataset, Correction(Action.RELABEL, [image_id], reason, label=label), _BAR)
