"""Faces of a dataset in pages: a gallery, and a bar of corrections for the selected ones.

Only the current page is read. A tick, a page turn and a correction rerun only their own list, whose faces keep their
places: a corrected face is marked where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_ui.datasets.faces.corrections_view import (
    CONFIRM_ABOVE,
    Correction,
    apply_correction,
    show_corrections_bar,
    tell,
    undo_last_change,
)
from fer_ui.datasets.faces.face_dialog import open_face, show_open_face
from fer_ui.datasets.faces.gallery_cells import Describe, gallery_faces
from fer_ui.datasets.faces.gallery_component import Command, GalleryEvent, show_gallery
from fer_ui.datasets.faces.pagination import current_slice, show_pagination
from fer_ui.datasets.faces.selection import Selection
from fer_ui.errors import show_errors
from fer_ui.formatting import format_count, format_images
from fer_ui.frame.view_layout import sticky_actions
from fer_ui.query_params import QueryParam, get_param
from fer_ui.resources import load_index

FACES_PER_PAGE = 72
"""Fills whole rows of 2, 3, 4, 6, 8, 9, 12 and 18 faces; see `gallery.css`."""

PHONE_FACES_PER_PAGE = 24
"""Four of a phone's screens."""

PAIRS_PER_PAGE = 12

_KEYS = """
| Key or click | What it does |
| --- | --- |
| Click a picture | open the face |
| Click its label | select it; with Shift a range |
| Arrow keys | move; with Shift select a range |
| S or Space | select |
| Enter | open |
| 1 to 8 | relabel: neutral, happiness, sadness, surprise, fear, disgust, anger, contempt |
| X | exclude |
| A | mark as ambiguous |
| U | undo |

Without a selection, a key corrects the face that has the focus, and the focus moves on to the next one.
"""


@st.fragment
def show_faces(
    dataset: StoredDataset,
    rows: pd.DataFrame,
    key: str,
    *,
    reason: str = "",
    positions: NDArray[np.int64] | None = None,
    in_query: bool = False,
    slot: str = "",
    summary: str = "",
    describe: Describe | None = None,
    fix: Callable[[], None] = lambda: None,
    drawn_version: int | None = None,
) -> None:
    """Show faces in pages, and the corrections bar for the selected ones.

    Args:
        rows: of the index from `resources.load_index`, in display order.
        key: of the list; each list of rows needs its own.
        reason: of corrections made here, such as a finding's kind.
        positions: the shown rows; all by default. Avoids copying a large table.
        in_query: store the page number in the query string; for one list on a page.
        slot: the gallery's place on the page, where lists follow one another; by default that of `key`.
        summary: Markdown above the faces.
        describe: see `gallery_cells.gallery_faces`.
        fix: shows a button that corrects all of them, first in the bar.
        drawn_version: of the corrections, which the page beside the faces shows; a newer one reruns the page.
    """
    with show_errors():
        _rerun_if_corrected(dataset, drawn_version)
        numbers = _row_numbers(rows) if positions is None else positions
        if not len(numbers):
            st.markdown("There are no faces to show.")
            return
        here = current_slice(key, len(numbers), _faces_per_page(), in_query=in_query)
        index = load_index(dataset)
        shown = index.iloc[numbers[here]]
        ids = shown["id"].tolist()
        selection = Selection(key, dataset.corrections().version)
        _show_selection_row(selection, ids, lambda: index["id"].iloc[numbers].tolist(), len(numbers), summary)
        show_gallery(
            gallery_faces(dataset, shown, describe),
            f"{slot or key}-gallery",
            partial(_receive, dataset, selection, ids, key, reason),
            title="Faces",
            selected=selection.on_page(ids),
            revision=_revision(selection, here),
        )
        _show_actions(dataset, selection, key, reason, fix)
        show_open_face(dataset, numbers, key, reason=reason, is_main=in_query)


@st.fragment
def show_pairs(
    dataset: StoredDataset,
    left: pd.DataFrame,
    right: pd.DataFrame,
    notes: Sequence[str],
    key: str,
    *,
    reason: str = "",
    slot: str = "",
    fix: Callable[[], None] = lambda: None,
    drawn_version: int | None = None,
) -> None:
    """Show pairs of faces in pages, and the corrections bar for the selected ones.

    Args:
        left, right: rows of the index from `resources.load_index`, paired by position.
        notes: a plain text for each pair.
        key, reason, slot, fix, drawn_version: as for `show_faces`.
    Raises:
        ValueError: the lengths differ.
    """
    if not len(left) == len(right) == len(notes):
        raise ValueError(f"{len(left)} left faces, {len(right)} right ones and {len(notes)} notes make no pairs.")
    with show_errors():
        _rerun_if_corrected(dataset, drawn_version)
        if not notes:
            st.markdown("There are no pairs to show.")
            return
        here = current_slice(key, len(notes), PAIRS_PER_PAGE)
        numbers = np.stack([_row_numbers(left), _row_numbers(right)], axis=1)
        index = load_index(dataset)
        shown = index.iloc[numbers[here].ravel()]
        ids = list(dict.fromkeys(shown["id"]))
        selection = Selection(key, dataset.corrections().version)
        _show_selection_row(selection, ids, None, len(notes), "")
        show_gallery(
            gallery_faces(dataset, shown),
            f"{slot or key}-pair-gallery",
            partial(_receive, dataset, selection, ids, key, reason),
            title="Pairs of faces",
            selected=selection.on_page(ids),
            revision=_revision(selection, here),
            notes=notes[here],
        )
        _show_actions(dataset, selection, key, reason, fix)
        show_open_face(dataset, pd.unique(numbers.ravel()), key, reason=reason)


def _faces_per_page() -> int:
    """The number of faces on a page; browsers of phones have "Mobi" in their name."""
    return PHONE_FACES_PER_PAGE if "Mobi" in st.context.headers.get("User-Agent", "") else FACES_PER_PAGE


def _rerun_if_corrected(dataset: StoredDataset, drawn_version: int | None) -> None:
    """Rerun the page if a correction has changed what it shows beside the faces; an open face stays open until then."""
    if drawn_version not in (None, dataset.corrections().version) and not get_param(QueryParam.FACE):
        st.rerun()


def _row_numbers(rows: pd.DataFrame) -> NDArray[np.int64]:
    """Get the positions in the index of rows that were selected from it."""
    return rows.index.to_numpy(np.int64)


def _revision(selection: Selection, here: slice) -> str:
    return f"{selection.revision}-{here.start}"


def _show_selection_row(
    selection: Selection, ids: Sequence[str], all_ids: Callable[[], list[str]] | None, total: int, summary: str
) -> None:
    """Show the summary, and buttons that select: the page, all that match, none."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if summary:
            st.markdown(summary, width="content")
        complete = len(selection.on_page(ids)) == len(ids)
        st.button(
            "Select page",
            key=f"{selection.key}-page-all",
            type="tertiary",
            disabled=complete,
            on_click=selection.select,
            args=(tuple(ids),),
        )
        selected = selection.ids()
        if all_ids is not None and total > len(ids):
            st.button(
                f"Select all {format_count(total)}",
                key=f"{selection.key}-all",
                type="tertiary",
                disabled=len(selected) >= total,
                on_click=lambda: selection.select(all_ids()),
            )
        st.button(
            "Clear",
            key=f"{selection.key}-none",
            type="tertiary",
            disabled=not selected,
            on_click=selection.clear,
        )
        with st.popover("Keys", icon=":material/keyboard:", type="tertiary", key=f"keys-{selection.key}"):
            st.markdown(_KEYS)


def _receive(
    dataset: StoredDataset, selection: Selection, ids: Sequence[str], key: str, reason: str, event: GalleryEvent
) -> None:
    """Take over what was selected in the browser, and do what was asked for there."""
    if event.revision.startswith(f"{selection.revision}-"):
        selection.replace_page(ids, [image_id for image_id in event.selected if image_id in set(ids)])
    for command in event.commands:
        _do(command, dataset, selection, key, reason)


def _do(command: Command, dataset: StoredDataset, selection: Selection, key: str, reason: str) -> None:
    origin = _bar(key)
    if command.name == "open":
        open_face(command.id, key)
    elif command.name == "undo":
        undo_last_change(dataset, origin)
    elif command.name in (Action.EXCLUDE, Action.RELABEL, Action.AMBIGUOUS):
        ids = selection.ids() or [command.id]
        if len(ids) > CONFIRM_ABOVE:
            tell(origin, f"{format_images(len(ids))} are selected. Use the buttons of this bar, which ask first.")
            return
        correction = Correction(Action(command.name), ids, reason, label=command.label)
        apply_correction(dataset, correction, origin)


def _show_actions(dataset: StoredDataset, selection: Selection, key: str, reason: str, fix: Callable[[], None]) -> None:
    with sticky_actions(f"faces-{key}"):
        fix()
        show_corrections_bar(
            dataset,
            selection.ids(),
            reason=reason,
            key=_bar(key),
            also_from=("fix",),
            extra=partial(show_pagination, key),
        )


def _bar(key: str) -> str:
    return f"{key}-corrections"
