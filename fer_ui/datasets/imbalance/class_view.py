"""The section Classes: the class distribution, its imbalance, and links to the faces of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.catalog import StoredDataset
from fer_core.data.imbalance.counts import class_counts, class_totals, excluded_rows
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.datasets.bar_faces import read_clicked_bar
from fer_ui.datasets.faces.face_filter import UNLABELED, USED
from fer_ui.datasets.imbalance.class_table import show_class_table, show_published_against_local
from fer_ui.datasets.imbalance.count_view import (
    choose_split_of_counts,
    find_test_counts,
    select_split,
    show_distribution,
    show_imbalance,
)
from fer_ui.datasets.split_choice import ALL_SPLITS
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images
from fer_ui.frame.header import empty_state
from fer_ui.frame.view_layout import chart_and_numbers
from fer_ui.image_labels import describe_reason
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam
from fer_ui.resources import load_index
from fer_ui.theme import expression_title


def show_classes(dataset: StoredDataset, header: DeltaGenerator) -> None:
    """Show the chart, whose bars link to their faces, the imbalance beside it, and the tables.

    Args:
        header: the page's header row.
    """
    index = load_index(dataset)
    counts = labeled_counts(index)
    if counts.empty:
        empty_state(
            "No image has an expression",
            f"{format_images(len(index))} without a label. See Faces for the reasons, or import again to map labels.",
        )
        _show_other_images(dataset, index)
        return
    split = choose_split_of_counts(header, counts)
    shown = select_split(counts, split)
    totals = class_totals(shown)
    test_split, test_counts = find_test_counts(counts, split)
    if not any(totals.values()):
        empty_state("No image of this split has an expression", "Choose another split.")
        return
    query = _faces_query(dataset, index)
    view = chart_and_numbers("classes")
    with view.numbers:
        show_imbalance(totals, test_counts, test_split)
    with view.chart:
        _show_chart(shown, dataset.id, query)
        present = [name for name, number in totals.items() if number]
        _link_to_faces(query, present, split, several=shown["split"].nunique() > 1)
    _show_other_images(dataset, index)
    show_class_table(counts, test_split, test_counts, dataset.id)
    if dataset.manifest.published:
        show_published_against_local(dataset.manifest.published, class_counts(index), dataset.id)


@st.fragment
def _show_chart(counts: pd.DataFrame, name: str, query: Mapping[str, str]) -> None:
    if clicked := show_distribution(counts, name, clickable=True):
        go_to(Page.DATASETS, **{**query, **read_clicked_bar(clicked, (QueryParam.LABEL, QueryParam.SPLIT))})


def labeled_counts(index: pd.DataFrame) -> pd.DataFrame:
    """Count an index by class, without expressions that no image of any split has."""
    counts = class_counts(index)
    return counts[counts.groupby("expression")["count"].transform("sum") > 0].reset_index(drop=True)


def describe_other_images(index: pd.DataFrame) -> list[str]:
    """Describe the images that are not counted: those without an expression, by reason, and excluded ones."""
    unlabeled = index.loc[~excluded_rows(index), "unlabeled"].dropna()
    numbers = unlabeled[unlabeled != ""].value_counts()
    texts = []
    if len(numbers):
        reasons = join_words(
            [f"{format_count(n)} {describe_reason(str(reason))}" for reason, n in numbers.items() if n]
        )
        texts.append(f"Without an expression: {format_images(int(numbers.sum()))} ({reasons}).")
    if _has_excluded(index):
        texts.append(f"Excluded by corrections: {format_images(int(index['excluded'].sum()))}.")
    return texts


def _show_other_images(dataset: StoredDataset, index: pd.DataFrame) -> None:
    texts = describe_other_images(index)
    if not texts:
        st.caption("Every image has an expression, and none is excluded.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape_markdown(" ".join(texts)), width="content")
        query = {str(QueryParam.DATASET): dataset.id, str(QueryParam.SECTION): "faces"}
        if index["label"].isna().any():
            link_to(Page.DATASETS, "Show those without", **query, label=UNLABELED)
        if _has_excluded(index):
            link_to(Page.DATASETS, "Show the excluded", **query, mark="excluded")


def _faces_query(dataset: StoredDataset, index: pd.DataFrame) -> dict[str, str]:
    """Build the query of the section Faces that shows exactly the counted images."""
    query = {str(QueryParam.DATASET): dataset.id, str(QueryParam.SECTION): "faces"}
    if _has_excluded(index):
        query[str(QueryParam.MARK)] = USED
    return query


def _has_excluded(index: pd.DataFrame) -> bool:
    return "excluded" in index and bool(index["excluded"].any())


def _link_to_faces(query: Mapping[str, str], expressions: Sequence[str], split: str, *, several: bool) -> None:
    """Link to the faces of each class: of all splits, while a bar is of one, and large enough for a finger.

    Args:
        several: the chart has bars of several splits.
    """
    within = {} if split == ALL_SPLITS else {str(QueryParam.SPLIT): split}
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        choice = "choose a class of all splits" if several else "choose a class"
        st.caption(f"Click a bar to see its faces, or {choice}:", width="content")
        for name in expressions:
            link_to(Page.DATASETS, expression_title(Expression(name)), **query, **within, label=name)
