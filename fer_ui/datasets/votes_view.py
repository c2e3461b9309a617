"""The section Votes: annotator agreement, what it means for accuracies, and the faces behind the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.agreement import AnnotatorAgreement, get_votes
from fer_core.data.catalog import StoredDataset
from fer_core.data.record import Split
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import Expression
from fer_ui.chart_cache import draw_cached
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.agreement import agreement_by_expression, agreement_histogram_bars
from fer_ui.charts.vote_shares import vote_shares_bars, vote_shares_table
from fer_ui.datasets.bar_faces import store_clicked_bar
from fer_ui.datasets.faces.corrections_view import show_last_change
from fer_ui.datasets.faces.face_grid import show_faces
from fer_ui.datasets.split_choice import ALL_SPLITS, choose_split_in_header
from fer_ui.datasets.vote_summary import VoteSummary, describe_votes, vote_summary
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_images, format_interval, format_percent
from fer_ui.frame.header import Headline, empty_state, headline
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.query_params import QueryParam, get_param, param_segmented_control, param_selectbox
from fer_ui.resources import load_index
from fer_ui.theme import expression_title

_SCALES = {"count": "Counts", "share": "By expression"}
_AMBIGUOUS, _AMBIGUOUS_ANY = "ambiguous", "ambiguous-any"
_ANY = "any"


def show_votes(dataset: StoredDataset, header: DeltaGenerator) -> None:
    """Show agreement as a chart with its numbers, the faces of a bar or the most ambiguous ones, and the shares.

    Args:
        header: the page's header row.
    """
    with show_errors():
        if VOTE_COLUMNS[0] not in dataset.columns():
            empty_state(
                "This dataset has no votes",
                "Each image has only one label, so agreement is unknown. FER+ has ten votes for each image.",
            )
            return
        present = set(load_index(dataset)["split"].dropna().unique())
        split = choose_split_in_header(header, [split for split in Split if split in present])
        version = dataset.corrections().version
        summary = vote_summary(dataset, "" if split == ALL_SPLITS else split)
        if summary is None:
            empty_state("No images with votes", "Choose another split, or restore excluded images.")
            return
        _show_split(dataset, summary, version)


@st.fragment
def _show_split(dataset: StoredDataset, summary: VoteSummary, version: int) -> None:
    """Show the votes of a split; `version` is the one of the corrections that `summary` was computed with."""
    with show_errors():
        view = chart_and_numbers("votes")
        with view.numbers:
            _show_metrics(summary)
        with view.chart:
            _show_agreement(summary, dataset.id)
        _show_faces_of_votes(dataset, summary, version)
        shares = vote_shares_table(summary.shares)
        show_chart(draw_cached(vote_shares_bars, summary.shares), f"vote-shares-{dataset.id}", table=shares)


def describe_agreement_ceiling(ceiling: AnnotatorAgreement) -> str:
    """Describe what the agreement between people means for a model's accuracy."""
    return (
        f"A new panel of the same size would give {format_percent(ceiling.majority_panel_01)} of "
        f"{format_images(ceiling.n_images)} "
        f"the same label, so accuracies above {format_percent(ceiling.majority_panel_interval[1])} on these labels are "
        f"suspect. One person agrees with the majority of the others on {format_percent(ceiling.single_annotator_01)}; "
        "a model above that follows the majority more closely than one person does."
    )


def select_voted(summary: VoteSummary, label: str, votes: str) -> pd.Index:
    """Select the images of a bar: those whose winner is `label` and has `votes` votes.

    Args:
        label: an expression, else all.
        votes: a number, else any.
    Returns:
        row numbers of the dataset's index.
    """
    winners = summary.winners
    chosen = np.ones(len(winners.rows), bool)
    if label in list(Expression):
        chosen &= winners.codes == list(Expression).index(Expression(label))
    if votes.isdecimal():
        chosen &= winners.votes == int(votes)
    return pd.Index(winners.rows[chosen])


def _show_agreement(summary: VoteSummary, name: str) -> None:
    chart = st.container()
    scale = param_segmented_control("Scale", _SCALES, QueryParam.SCALE, in_header=True)
    draw = agreement_by_expression if scale == "share" else agreement_histogram_bars
    key = f"agreement-{scale}-{name}"
    with chart:
        on_click = store_clicked_bar((QueryParam.LABEL, QueryParam.VOTES))
        show_chart(draw_cached(draw, summary.histogram), key, table=summary.histogram, on_click=on_click)


def _show_metrics(summary: VoteSummary) -> None:
    ceiling, median = summary.ceiling, format_interval(*summary.median_interval)
    numbers = [
        Headline("Median agreement", format_percent(summary.median_01), f"95 %: {median}"),
        Headline(
            "Clear majority",
            format_percent(summary.clear_01),
            f"of {format_images(summary.images)}; 95 %: {format_interval(*summary.clear_interval)}",
        ),
    ]
    if ceiling is None:
        verdict(f"{format_percent(summary.clear_01)} of the images have a clear majority")
        headline(numbers)
        return
    verdict(f"An accuracy above {format_percent(ceiling.majority_panel_interval[1])} on these labels is suspect")
    one, panel = format_interval(*ceiling.single_annotator_interval), format_interval(*ceiling.majority_panel_interval)
    numbers += [
        Headline("One annotator vs. the rest", format_percent(ceiling.single_annotator_01), f"95 %: {one}"),
        Headline("New panel, same label", format_percent(ceiling.majority_panel_01), f"95 %: {panel}"),
    ]
    headline(numbers)
    with st.expander("What this means for accuracies", icon=":material/info:"):
        st.markdown(escape_markdown(describe_agreement_ceiling(ceiling)))
        st.caption(
            escape_markdown(
                "Agreement is the share of an image's votes for its most voted expression; a clear majority is more "
                f"than half. {format_percent(ceiling.majority_panel_tie_01)} of the new panels tie and are not counted."
            )
        )


def _show_faces_of_votes(dataset: StoredDataset, summary: VoteSummary, version: int) -> None:
    """Show the faces of a clicked bar, which select boxes offer to the keyboard, or the most ambiguous ones."""
    st.subheader("Faces", anchor=False, help="Click a bar of the chart to see its faces.")
    found = set(summary.winners.codes.tolist())
    lists = {_AMBIGUOUS: "Most ambiguous, labeled", _AMBIGUOUS_ANY: "Most ambiguous, all", _ANY: "All expressions"}
    if get_param(QueryParam.KIND) == "any":  # a link of an earlier version
        lists = {_AMBIGUOUS_ANY: lists[_AMBIGUOUS_ANY], **lists}
    titles = {str(each): expression_title(each) for code, each in enumerate(Expression) if code in found}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        label = param_selectbox("Faces", lists | titles, QueryParam.LABEL, in_header=True)
        votes = _ANY
        if label not in (_AMBIGUOUS, _AMBIGUOUS_ANY):
            numbers = {
                str(n): f"{n} of {summary.winners.of} votes" for n in sorted(set(summary.winners.votes.tolist()))
            }
            votes = param_selectbox("Votes", {_ANY: "Any number of votes"} | numbers, QueryParam.VOTES, in_header=True)
    if label in (_AMBIGUOUS, _AMBIGUOUS_ANY):
        ambiguous = summary.ambiguous_labeled if label == _AMBIGUOUS else summary.ambiguous
        _show_ambiguous(dataset, ambiguous, f"most-{label}-{dataset.id}", version)
        return
    positions = select_voted(summary, label, votes).to_numpy(np.int64)
    _show_gallery(dataset, positions, f"voted-{label}-{votes}-{dataset.id}", version)


def _show_gallery(dataset: StoredDataset, positions: NDArray[np.int64], key: str, version: int) -> None:
    # The last correction may have emptied the list whose bar would offer to undo it.
    show_last_change(dataset, unless=(f"{key}-",) if len(positions) else ())
    index = load_index(dataset)
    show_faces(dataset, index, key, reason="ambiguous", positions=positions, drawn_version=version)


def _show_ambiguous(dataset: StoredDataset, ambiguous: pd.DataFrame, name: str, version: int) -> None:
    rows = load_index(dataset).iloc[ambiguous.index]
    if rows.empty:
        st.markdown("No expression has the most votes on any of these images.")
        return
    texts = [describe_votes(votes) for votes in get_votes(ambiguous)]
    st.caption(
        escape_markdown(
            f"The {format_images(len(rows))} with the lowest agreement, lowest first. Votes for the first one: "
            f"{texts[0]}. Training can exclude images that you mark as ambiguous."
        )
    )
    _show_gallery(dataset, rows.index.to_numpy(np.int64), name, version)
    with st.expander("Votes as a table"):
        table = pd.DataFrame({"Image": rows["id"], "Label": rows["label"].astype("str"), "Votes": texts})
        st.dataframe(table, hide_index=True)
        show_csv_download(table, name, type="tertiary")
