"""The section Votes: annotator agreement, what it means for accuracies, and the most ambiguous faces."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.agreement import AnnotatorAgreement, get_votes
from fer_core.data.catalog import StoredDataset
from fer_core.data.record import Split
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.intervals import Interval
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.agreement import agreement_by_expression, agreement_histogram_bars
from fer_ui.charts.vote_shares import vote_shares_bars, vote_shares_table
from fer_ui.datasets.faces.face_grid import show_faces
from fer_ui.datasets.split_choice import ALL_SPLITS, choose_published_split
from fer_ui.datasets.vote_summary import VoteSummary, describe_votes, vote_summary
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_images, format_interval, format_percent
from fer_ui.frame.header import Headline, empty_state, headline
from fer_ui.query_params import QueryParam, param_segmented_control
from fer_ui.resources import load_index

_LABELED = "labeled"
_KINDS = {_LABELED: "With a label", "any": "With and without"}
_SCALES = {"count": "Counts", "share": "By expression"}


def show_votes(dataset: StoredDataset) -> None:
    """Show the metrics with their intervals, the charts, and the most ambiguous faces."""
    with show_errors():
        if VOTE_COLUMNS[0] not in dataset.columns():
            empty_state(
                "This dataset has no votes",
                "Each image has only one label, so agreement is unknown. FER+ has ten votes for each image.",
            )
            return
        index = load_index(dataset)
        present = set(index["split"].dropna().unique())
        split = choose_published_split([split for split in Split if split in present])
        summary = vote_summary(dataset, "" if split == ALL_SPLITS else split)
        if summary is None:
            empty_state("No images with votes", "Choose another split, or restore excluded images.")
            return
        _show_metrics(summary)
        _show_charts(summary, dataset.id)
        _show_ambiguous(dataset, index, summary)


def describe_agreement_ceiling(ceiling: AnnotatorAgreement) -> str:
    """Describe what the agreement between people means for a model's accuracy."""
    return (
        f"A new panel of the same size would give {format_percent(ceiling.majority_panel_01)} of "
        f"{format_images(ceiling.n_images)} "
        f"the same label, so accuracies above {format_percent(ceiling.majority_panel_interval[1])} on these labels are "
        f"suspect. One person agrees with the majority of the others on {format_percent(ceiling.single_annotator_01)}; "
        "a model above that follows the majority more closely than one person does."
    )


def _show_metrics(summary: VoteSummary) -> None:
    numbers = [
        Headline("Median agreement", format_percent(summary.median_01, 0), _median_detail(summary.median_interval)),
        Headline(
            "Clear majority",
            format_percent(summary.clear_01),
            f"of {format_images(summary.images)}; 95 %: {format_interval(*summary.clear_interval)}",
        ),
    ]
    ceiling = summary.ceiling
    if ceiling is None:
        headline(numbers)
        return
    one, panel = format_interval(*ceiling.single_annotator_interval), format_interval(*ceiling.majority_panel_interval)
    numbers += [
        Headline("One annotator against the rest", format_percent(ceiling.single_annotator_01), f"95 %: {one}"),
        Headline("A new panel, same label", format_percent(ceiling.majority_panel_01), f"95 %: {panel}"),
    ]
    headline(numbers)
    st.markdown(escape_markdown(describe_agreement_ceiling(ceiling)))
    st.caption(
        escape_markdown(
            "Agreement is the share of an image's votes for its most voted expression; a clear majority is more than "
            f"half. {format_percent(ceiling.majority_panel_tie_01)} of the new panels tie and are not counted."
        )
    )


def _median_detail(ends: Interval) -> str:
    low, high = ends
    return "also both ends of the 95 % interval" if low == high else f"95 %: {format_interval(low, high)}"


def _show_charts(summary: VoteSummary, name: str) -> None:
    scale = param_segmented_control("Agreement", _SCALES, QueryParam.SCALE)
    draw = agreement_by_expression if scale == "share" else agreement_histogram_bars
    show_chart(draw(summary.histogram), f"agreement-{scale}-{name}", table=summary.histogram)
    show_chart(vote_shares_bars(summary.shares), f"vote-shares-{name}", table=vote_shares_table(summary.shares))


def _show_ambiguous(dataset: StoredDataset, index: pd.DataFrame, summary: VoteSummary) -> None:
    st.subheader("The most ambiguous faces", anchor=False)
    kind = param_segmented_control("Images", _KINDS, QueryParam.KIND)
    ambiguous = summary.ambiguous_labeled if kind == _LABELED else summary.ambiguous
    rows = index.iloc[ambiguous.index]
    if rows.empty:
        st.markdown("No expression has the most votes on any of these images.")
        return
    texts = [describe_votes(votes) for votes in get_votes(ambiguous)]
    st.markdown(
        escape_markdown(
            f"The {format_images(len(rows))} with the lowest agreement, lowest first. The first one has the votes "
            f"{texts[0]}. Training can exclude images that you mark as ambiguous."
        )
    )
    show_faces(dataset, rows, f"most-ambiguous-{kind}-{dataset.id}", reason="ambiguous")
    with st.expander("Votes as a table"):
        table = pd.DataFrame({"Image": rows["id"], "Label": rows["label"].astype("str"), "Votes": texts})
        st.dataframe(table, hide_index=True)
        show_csv_download(table, f"most-ambiguous-{kind}-{dataset.id}")
