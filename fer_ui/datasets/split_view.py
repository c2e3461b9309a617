"""The section Splits: published, seeded or k-fold splits, their class distributions and leakage."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.augmented_copies import copy_search_limits
from fer_core.data.quality.messages import FindingKind
from fer_core.data.record import Split
from fer_core.data.splits.report import REASONS, SplitReport, split_table
from fer_core.data.splits.split import EXCLUDED, SplitConfig, describe_published_roles
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.chart_cache import draw_cached
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.splits import split_share_bars
from fer_ui.datasets.bar_faces import store_clicked_bar
from fer_ui.datasets.faces.face_grid import show_faces, show_pairs
from fer_ui.datasets.quality_view import pair_notes
from fer_ui.datasets.reports import load_leakage, load_quality, load_split
from fer_ui.datasets.split_choice import (
    ALL_SPLITS,
    choose_split,
    describe_split_config,
    has_published_split,
    split_to_query,
)
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_html, escape_markdown
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.frame.header import Headline, empty_state, headline
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.image_labels import split_title
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_selectbox
from fer_ui.resources import load_index
from fer_ui.theme import MUTED, expression_title

_LEAKING = (FindingKind.DUPLICATE_ACROSS_SPLITS, FindingKind.IDENTITY_ACROSS_SPLITS)
_NO_CLASS = "none"
_CHOICE_PX = 150
_CELL = "padding:0.25rem 0.375rem;text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap"
_NAME = "padding:0.25rem 0.375rem 0.25rem 0;text-align:left;font-weight:400"
_LINE = "border-bottom:1px solid color-mix(in srgb, currentColor 18%, transparent)"
_SMALL = f"font-size:0.75rem;{MUTED}"


@st.fragment
def show_splits(dataset: StoredDataset) -> None:
    """Show the choice of a split, its class distributions, the faces of a bar, and its leakage."""
    with show_errors():
        _show_splits(dataset)


def _show_splits(dataset: StoredDataset) -> None:
    index = load_index(dataset)
    if index.empty or index["excluded"].all():
        empty_state("There are no images to split", "Every image is excluded. Restore some in Corrections.")
        return
    present = set(index["split"].dropna().unique())
    default = SplitConfig(kind="published" if has_published_split(present) else "seeded")
    config = choose_split(default, present)
    report = load_split(dataset, config)
    view = chart_and_numbers("splits")
    with view.numbers:
        _show_summary(report, present)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            link_to(Page.TRAINING, "Train with this split", dataset=dataset.id, split_config=split_to_query(config))
            table = partial(split_table, index, report.splits)
            show_csv_download(table, f"split-{dataset.id}", "Split as CSV", type="tertiary")
    with view.chart:
        key = f"split-shares-{dataset.id}"
        on_click = store_clicked_bar((QueryParam.LABEL, QueryParam.SPLIT))
        figure = draw_cached(split_share_bars, report.counts)
        show_chart(figure, key, table=report.counts.reset_index(), on_click=on_click)
        label, split = _choose_bar(report.counts)
    if label:
        positions = rows_of_bar(index, report.splits, label, split)
        show_faces(dataset, index, f"split-{label}-{split}-{dataset.id}", positions=positions)
    _show_leakage(dataset, report)
    st.subheader("Images by class and split", anchor=False)
    st.html(counts_html(report.counts))


def rows_of_bar(index: pd.DataFrame, splits: pd.Series, label: str, split: str) -> NDArray[np.int64]:
    """Find the images of a class in a split, or in all; row numbers of the index.

    Args:
        splits: the split of each row, from `SplitReport`.
    """
    rows = index["label"].eq(label).fillna(False).to_numpy(bool)
    if split != ALL_SPLITS:
        rows = rows & splits.eq(split).to_numpy(bool)
    return np.flatnonzero(rows)


def _choose_bar(counts: pd.DataFrame) -> tuple[str, str]:
    """Offer the bars' faces to the keyboard; "" where no class is chosen."""
    classes = {str(each): expression_title(each) for each in Expression if counts[str(each)].any()}
    splits = {str(split): _title(str(split)) for split in counts.index[counts["total"] > 0]}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Click a bar to see its faces, or choose:", width="content")
        none = {_NO_CLASS: "No class"}
        label = param_selectbox("Class", none | classes, QueryParam.LABEL, in_header=True, width_px=_CHOICE_PX)
        titles = {ALL_SPLITS: "All splits"} | splits
        split = param_selectbox("Split", titles, QueryParam.SPLIT, in_header=True, width_px=_CHOICE_PX)
    return "" if label == _NO_CLASS else label, split


def _show_summary(report: SplitReport, present: Collection[str]) -> None:
    total = report.counts["total"]
    names = [*map(str, Split), *([EXCLUDED] if total[EXCLUDED] else [])]
    shares = total / int(total.sum())
    as_test = report.kind == "published" and Split.TEST not in present
    details = {str(Split.TEST): ", published as validation"} if as_test else {}
    verdict(f"Split {describe_split_config(report.config)}")
    headline(
        [
            Headline(
                _title(name), format_count(int(total[name])), f"{format_percent(shares[name])}{details.get(name, '')}"
            )
            for name in names
        ]
    )
    if roles := describe_published_roles(present, report.config):
        st.markdown(escape_markdown(roles))
    if skipped := describe_excluded(report):
        st.caption(escape_markdown(skipped))


def describe_excluded(report: SplitReport) -> str:
    """Describe how many images are in no split, and why; "" for none."""
    number = sum(report.excluded.values())
    if not number:
        return ""
    reasons = [f"{format_count(each)} {REASONS[reason]}" for reason, each in report.excluded.items()]
    return f"{format_images(number)} {'is' if number == 1 else 'are'} skipped: {join_words(reasons)}."


def _show_leakage(dataset: StoredDataset, report: SplitReport) -> None:
    """Show the leakage of this split and, beside it, of the published one."""
    st.subheader("Leakage check", anchor=False)
    published = report.published_leakage
    verdicts = [("This split", load_leakage(dataset, report.config))]
    if published:
        verdicts.append(("The published split", published))
    for column, (subject, leakage) in zip(st.columns(len(verdicts), border=True), verdicts, strict=True):
        icon = ":material/check_circle:" if leakage.clean else ":material/warning:"
        column.markdown(f"{icon} **{subject}**")
        column.markdown(escape_markdown(leakage.describe(subject)))
    with st.expander("What the check finds", icon=":material/info:"):
        st.markdown(escape_markdown(copy_search_limits(dataset.columns(), load_index(dataset)["split"])))
    if published and not published.clean:
        _show_pairs(dataset)


def _show_pairs(dataset: StoredDataset) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        shown = st.toggle("Show images that leak between published splits", key=f"{dataset.id}-leaking")
        link_to(
            Page.DATASETS,
            "Fix in Quality",
            dataset=dataset.id,
            section="quality",
            finding=str(FindingKind.DUPLICATE_ACROSS_SPLITS),
        )
    if not shown:
        return
    report, _ = load_quality(dataset)
    index = load_index(dataset)
    for kind in _LEAKING:
        finding = report.get(kind)
        if finding is not None and finding.pairs is not None:
            st.markdown(f"**{escape_markdown(finding.message.title)}**, {format_images(len(finding.rows))}")
            left, right = (index.iloc[finding.pairs[end]] for end in ("a", "b"))
            notes = pair_notes(finding, left)
            show_pairs(dataset, left, right, notes, f"{dataset.id}-leaking-{kind}", reason=str(kind))


def counts_html(counts: pd.DataFrame) -> str:
    """Build an HTML table of counts and their shares of the split's labeled images.

    Args:
        counts: as `SplitReport.counts` has them; splits without images are skipped.
    """
    columns = {str(split): row.astype(int).to_dict() for split, row in counts.iterrows() if row["total"]}
    names = [name for name in counts.columns if name != "total" and counts[name].any()]
    heads = "".join(
        f'<th scope="col" style="{_CELL};{_LINE};font-weight:600;width:19%">{_title(split)}</th>' for split in columns
    )
    body = "".join(
        _row_html(name, [(each[name], each["total"] - each["unlabeled"]) for each in columns.values()])
        for name in names
    )
    totals = [format_count(each["total"]) for each in columns.values()]
    foot = "".join(f'<td style="{_CELL};font-weight:600">{total}</td>' for total in totals)
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;width:100%;max-width:44rem;'
        f'font-size:0.875rem"><thead><tr><th style="{_LINE}"></th>{heads}</tr></thead><tbody>{body}'
        f'<tr><th scope="row" style="{_NAME};font-weight:600">All</th>{foot}</tr></tbody></table></div>'
    )


def _row_html(name: str, cells: list[tuple[int, int]]) -> str:
    labeled = name in list(Expression)
    numbers = ""
    for number, total in cells:
        share = (
            f'<br><span style="{_SMALL}">{escape_html(format_percent(number / total))}</span>'
            if labeled and total
            else ""
        )
        numbers += f'<td style="{_CELL};{_LINE}">{format_count(number)}{share}</td>'
    title = expression_title(Expression(name)) if labeled else "No label"
    return f'<tr><th scope="row" style="{_NAME};{_LINE}">{title}</th>{numbers}</tr>'


def _title(split: str) -> str:
    return "Skipped" if split == EXCLUDED else split_title(split)
