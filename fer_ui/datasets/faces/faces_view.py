"""The section Faces: the images of a dataset in pages, with filters in the query string."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.data.record import Split
from fer_core.labels import Expression
from fer_ui.datasets.faces.corrections_view import show_last_change
from fer_ui.datasets.faces.face_grid import show_faces
from fer_ui.datasets.split_choice import ALL_SPLITS, choose_published_split
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.frame.header import empty_state
from fer_ui.image_labels import CORRECTION_COLUMNS, NO_SPLIT, describe_reason
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_selectbox, param_text_input
from fer_ui.resources import load_index
from fer_ui.theme import expression_title

ALL = "all"
UNLABELED = "unlabeled"
USED = "used"
PROBLEM = "problem"
SHUFFLES = tuple(str(seed) for seed in range(1, 6))

_MARKS = {
    ALL: "Any",
    USED: "Not excluded",
    **{mark: mark.capitalize() for mark in CORRECTION_COLUMNS},
    PROBLEM: "Image problem",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """The filters. `label` is an expression, a reason for having none, `UNLABELED` or `ALL`."""

    label: str = ALL
    split: str = ALL_SPLITS
    mark: str = ALL
    find: str = ""


def show_faces_section(dataset: StoredDataset) -> None:
    """Show the filters, the number of matching images, and the images."""
    index = load_index(dataset)
    filters, order = _choose_filter(index)
    positions = sort_rows(find_matching(index, filters), order)
    if not len(positions):
        show_last_change(dataset)
        empty_state(
            "No images match",
            f"The dataset has {format_images(len(index))}. Widen the filters above, or reset them.",
            links=lambda: link_to(Page.DATASETS, "Show all faces", dataset=dataset.id, section="faces"),
        )
        return
    found, total = len(positions), len(index)
    share = "" if found == total else f" of {format_count(total)} ({format_percent(found / total)})"
    st.markdown(f"**{format_images(found)}**{share}")
    key = f"faces-{dataset.id}-{filters.label}-{filters.split}-{filters.mark}-{order}-{filters.find}"
    show_faces(dataset, index, key, positions=positions, in_query=True)


def find_matching(index: pd.DataFrame, filters: Filter) -> NDArray[np.int64]:
    """Find the positions of the rows that match a filter, in the index's order."""
    mask = np.ones(len(index), bool)
    if filters.label == UNLABELED:
        mask &= index["label"].isna().to_numpy(bool)
    elif filters.label in list(Expression):
        mask &= _equals(index["label"], filters.label)
    elif filters.label != ALL:
        mask &= _equals(index["unlabeled"], filters.label)
    if filters.split != ALL_SPLITS:
        without = filters.split == NO_SPLIT
        mask &= index["split"].isna().to_numpy(bool) if without else _equals(index["split"], filters.split)
    if filters.mark == PROBLEM:
        mask &= ~_equals(index["problem"], "")
    elif filters.mark == USED:
        mask &= ~index["excluded"].to_numpy(bool)
    elif filters.mark != ALL:
        mask &= index[filters.mark].to_numpy(bool)
    positions = np.flatnonzero(mask)
    if filters.find:
        paths = index["path"] if len(positions) == len(index) else index["path"].iloc[positions]
        positions = positions[paths.str.contains(filters.find, case=False, regex=False).to_numpy(bool)]
    return positions


def sort_rows(positions: NDArray[np.int64], order: str) -> NDArray[np.int64]:
    """Shuffle the positions if `order` is one of `SHUFFLES`, else keep their order."""
    return np.random.default_rng(int(order)).permutation(positions) if order in SHUFFLES else positions


def _equals(column: pd.Series, value: str) -> NDArray[np.bool_]:
    return (column == value).fillna(False).to_numpy(bool)


def _choose_filter(index: pd.DataFrame) -> tuple[Filter, str]:
    labels = _label_options(index)
    orders = {ALL: "Dataset order", **{seed: f"Shuffled, seed {seed}" for seed in SHUFFLES}}
    split = choose_published_split(_split_options(index))
    columns = st.columns(4)
    with columns[0]:
        label = param_selectbox("Expression", labels, QueryParam.LABEL)
    with columns[1]:
        mark = param_selectbox("Corrections", _MARKS, QueryParam.MARK)
    with columns[2]:
        order = param_selectbox("Order", orders, QueryParam.ORDER)
    with columns[3]:
        find = param_text_input("File name", QueryParam.FIND, placeholder="contains")
    return Filter(label, split, mark, find), order


def _label_options(index: pd.DataFrame) -> dict[str, str]:
    """Build the label options that occur: expressions in the fixed order, then the reasons for having none."""
    present = set(index["label"].dropna().unique())
    options = {ALL: "Any"} | {str(each): expression_title(each) for each in Expression if str(each) in present}
    reasons = sorted(str(reason) for reason in index["unlabeled"].dropna().unique() if reason)
    if index["label"].isna().any():
        options[UNLABELED] = "No expression"
        options |= {reason: escape_markdown(f"No expression: {describe_reason(reason)}") for reason in reasons}
    return options


def _split_options(index: pd.DataFrame) -> list[str]:
    present = set(index["split"].dropna().unique())
    without = [NO_SPLIT] if index["split"].isna().any() else []
    return [*(str(split) for split in Split if split in present), *without]
