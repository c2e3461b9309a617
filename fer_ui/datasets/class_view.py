"""The section Classes: how many images each expression has, how unequal that is, and the way to the faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.data.balance import class_counts, class_totals
from fer_core.data.catalog import StoredDataset
from fer_core.data.counts import counts_by_part
from fer_core.labels import Expression
from fer_ui.datasets.class_table import show_class_table, show_published_against_local
from fer_ui.datasets.count_view import (
    ALL_PARTS,
    choose_part,
    judging_counts,
    of_part,
    show_counts_headline,
    show_distribution,
    show_verdict,
)
from fer_ui.datasets.faces_view import UNLABELLED, USED
from fer_ui.header import empty_state
from fer_ui.image_words import reason_words
from fer_ui.numbers import count, images, listed
from fer_ui.pages import Page, go_to, registered
from fer_ui.params import Param
from fer_ui.resources import index_of
from fer_ui.theme import expression_title
from fer_ui.words import plain

_FACES_ICON = ":material/grid_view:"


def show_classes(dataset: StoredDataset) -> None:
    """The numbers, the verdict, the chart, whose bars lead to their faces, and the tables."""
    index = index_of(dataset)
    counts = labelled_counts(index)
    if counts.empty:
        empty_state(
            "No image has an expression",
            f"The dataset has {images(len(index))}. Faces shows why; import it again to map its labels.",
        )
        _show_others(dataset, index)
        return
    part = choose_part(counts)
    shown = of_part(counts, part)
    totals = class_totals(shown)
    judge, judged = judging_counts(counts, part)
    if not any(totals.values()):
        empty_state("No image of this part has an expression", "Choose another part.")
        return
    show_counts_headline(totals)
    show_verdict(totals, judged, judge)
    address = _address(dataset, index)
    if asked := asked_bar(show_distribution(shown, dataset.id, selectable=True)):
        go_to(Page.DATASETS, **{**address, **asked})
    _link_to_faces(address, [name for name, number in totals.items() if number], part)
    _show_others(dataset, index)
    show_class_table(counts, judge, judged, dataset.id)
    if dataset.manifest.published:
        show_published_against_local(dataset.manifest.published, class_counts(index), dataset.id)


def labelled_counts(index: pd.DataFrame) -> pd.DataFrame:
    """The counts of an index, without the expressions that no image is labelled with in any part."""
    counts = class_counts(index)
    return counts[counts.groupby("expression")["count"].transform("sum") > 0].reset_index(drop=True)


def asked_bar(points: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What a click on the chart asks for, as an address has it: a label, and a part where one bar alone was hit."""
    bars = [tuple(point["customdata"]) for point in points if len(point.get("customdata") or ()) == 2]
    labels, parts = {str(label) for label, _ in bars}, {str(part) for _, part in bars}
    if len(labels) != 1:
        return {}
    asked = {str(Param.LABEL): labels.pop()}
    if len(parts) == 1 and (part := parts.pop()):
        asked[str(Param.PART)] = part
    return asked


def others_words(index: pd.DataFrame) -> list[str]:
    """Sentences on the images that do not count: those without an expression, by reason, and the excluded ones."""
    reasons = [str(reason) for reason in index["unlabelled"].dropna().unique() if reason]
    by_part = counts_by_part(index, "unlabelled", reasons)
    numbers = {reason: sum(part[reason] for part in by_part.values()) for reason in reasons}
    numbers = dict(sorted(((name, n) for name, n in numbers.items() if n), key=lambda each: -each[1]))
    words = []
    if numbers:
        each = listed([f"{count(number)} {reason_words(reason)}" for reason, number in numbers.items()])
        words.append(f"Without an expression: {images(sum(numbers.values()))} ({each}).")
    if _has_excluded(index):
        words.append(f"Excluded by corrections: {images(int(index['excluded'].sum()))}.")
    return words


def _show_others(dataset: StoredDataset, index: pd.DataFrame) -> None:
    words = others_words(index)
    if not words:
        st.caption("Every image has an expression, and none is excluded.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(plain(" ".join(words)), width="content")
        here = {str(Param.DATASET): dataset.id, str(Param.SECTION): "faces"}
        if index["label"].isna().any():
            _link("See those without", {**here, str(Param.LABEL): UNLABELLED})
        if _has_excluded(index):
            _link("See the excluded", {**here, str(Param.MARK): "excluded"})


def _address(dataset: StoredDataset, index: pd.DataFrame) -> dict[str, str]:
    """The section Faces, with as many faces as were counted."""
    address = {str(Param.DATASET): dataset.id, str(Param.SECTION): "faces"}
    if _has_excluded(index):
        address[str(Param.MARK)] = USED
    return address


def _has_excluded(index: pd.DataFrame) -> bool:
    return "excluded" in index and bool(index["excluded"].any())


def _link_to_faces(address: Mapping[str, str], expressions: Sequence[str], part: str) -> None:
    """The same as clicking a bar, for those who use no mouse."""
    within = {} if part == ALL_PARTS else {str(Param.PART): part}
    st.caption("Click a bar to see its faces, or choose a class:")
    with st.container(horizontal=True, gap="xsmall"):
        for name in expressions:
            _link(expression_title(Expression(name)), {**address, **within, str(Param.LABEL): name})


def _link(label: str, query: dict[str, str]) -> None:
    st.page_link(registered()[Page.DATASETS], label=label, icon=_FACES_ICON, query_params=query)
