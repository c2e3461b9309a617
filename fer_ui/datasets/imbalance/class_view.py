"""The section Classes: how many images each expression has, how unequal that is, and the way to the faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.imbalance.balance import class_counts, class_totals
from fer_core.data.imbalance.counts import counts_by_split
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.datasets.faces.faces_view import UNLABELED, USED
from fer_ui.datasets.imbalance.class_table import show_class_table, show_published_against_local
from fer_ui.datasets.imbalance.count_view import (
    ALL_SPLITS,
    choose_split_of_counts,
    find_test_counts,
    select_split,
    show_distribution,
    show_imbalance_metrics,
    show_imbalance_verdict,
)
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count, images
from fer_ui.header import empty_state
from fer_ui.image_labels import describe_reason
from fer_ui.navigation import Page, build_pages, go_to
from fer_ui.query_params import QueryParam
from fer_ui.resources import load_index
from fer_ui.theme import expression_title

_FACES_ICON = ":material/grid_view:"


def show_classes(dataset: StoredDataset) -> None:
    """The numbers, the verdict, the chart, whose bars lead to their faces, and the tables."""
    index = load_index(dataset)
    counts = labeled_counts(index)
    if counts.empty:
        empty_state(
            "No image has an expression",
            f"The dataset has {images(len(index))}. Faces shows why; import it again to map its labels.",
        )
        _show_others(dataset, index)
        return
    split = choose_split_of_counts(counts)
    shown = select_split(counts, split)
    totals = class_totals(shown)
    judge, judged = find_test_counts(counts, split)
    if not any(totals.values()):
        empty_state("No image of this part has an expression", "Choose another part.")
        return
    show_imbalance_metrics(totals)
    show_imbalance_verdict(totals, judged, judge)
    address = _address(dataset, index)
    if asked := get_clicked_bar(show_distribution(shown, dataset.id, selectable=True)):
        go_to(Page.DATASETS, **{**address, **asked})
    _link_to_faces(address, [name for name, number in totals.items() if number], split)
    _show_others(dataset, index)
    show_class_table(counts, judge, judged, dataset.id)
    if dataset.manifest.published:
        show_published_against_local(dataset.manifest.published, class_counts(index), dataset.id)


def labeled_counts(index: pd.DataFrame) -> pd.DataFrame:
    """The counts of an index, without the expressions that no image is labeled with in any part."""
    counts = class_counts(index)
    return counts[counts.groupby("expression")["count"].transform("sum") > 0].reset_index(drop=True)


def get_clicked_bar(points: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What a click on the chart asks for, as an address has it: a label, and a part where one bar alone was hit."""
    bars = [tuple(point["customdata"]) for point in points if len(point.get("customdata") or ()) == 2]
    labels, splits = {str(label) for label, _ in bars}, {str(split) for _, split in bars}
    if len(labels) != 1:
        return {}
    asked = {str(QueryParam.LABEL): labels.pop()}
    if len(splits) == 1 and (split := splits.pop()):
        asked[str(QueryParam.SPLIT)] = split
    return asked


def describe_other_images(index: pd.DataFrame) -> list[str]:
    """Sentences on the images that do not count: those without an expression, by reason, and the excluded ones."""
    reasons = [str(reason) for reason in index["unlabeled"].dropna().unique() if reason]
    by_part = counts_by_split(index, "unlabeled", reasons)
    numbers = {reason: sum(split[reason] for split in by_part.values()) for reason in reasons}
    numbers = dict(sorted(((name, n) for name, n in numbers.items() if n), key=lambda each: -each[1]))
    words = []
    if numbers:
        each = join_words([f"{count(number)} {describe_reason(reason)}" for reason, number in numbers.items()])
        words.append(f"Without an expression: {images(sum(numbers.values()))} ({each}).")
    if _has_excluded(index):
        words.append(f"Excluded by corrections: {images(int(index['excluded'].sum()))}.")
    return words


def _show_others(dataset: StoredDataset, index: pd.DataFrame) -> None:
    words = describe_other_images(index)
    if not words:
        st.caption("Every image has an expression, and none is excluded.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape_markdown(" ".join(words)), width="content")
        here = {str(QueryParam.DATASET): dataset.id, str(QueryParam.SECTION): "faces"}
        if index["label"].isna().any():
            _link("See those without", {**here, str(QueryParam.LABEL): UNLABELED})
        if _has_excluded(index):
            _link("See the excluded", {**here, str(QueryParam.MARK): "excluded"})


def _address(dataset: StoredDataset, index: pd.DataFrame) -> dict[str, str]:
    """The section Faces, with as many faces as were counted."""
    address = {str(QueryParam.DATASET): dataset.id, str(QueryParam.SECTION): "faces"}
    if _has_excluded(index):
        address[str(QueryParam.MARK)] = USED
    return address


def _has_excluded(index: pd.DataFrame) -> bool:
    return "excluded" in index and bool(index["excluded"].any())


def _link_to_faces(address: Mapping[str, str], expressions: Sequence[str], split: str) -> None:
    """The same as clicking a bar, for those who use no mouse."""
    within = {} if split == ALL_SPLITS else {str(QueryParam.SPLIT): split}
    st.caption("Click a bar to see its faces, or choose a class:")
    with st.container(horizontal=True, gap="xsmall"):
        for name in expressions:
            _link(expression_title(Expression(name)), {**address, **within, str(QueryParam.LABEL): name})


def _link(label: str, query: dict[str, str]) -> None:
    st.page_link(build_pages()[Page.DATASETS], label=label, icon=_FACES_ICON, query_params=query)
