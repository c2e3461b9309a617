"""Votes on a page: how far voters agree, what that means for a model's figures, and the faces they disagree on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.agreement import HumanCeiling
from fer_core.data.catalog import StoredDataset
from fer_core.data.record import Split
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.intervals import Interval
from fer_ui.chart_view import offer_csv, show_chart
from fer_ui.charts.agreement import agreement_bars, agreement_by_expression
from fer_ui.charts.vote_shares import vote_shares_bars, vote_shares_table
from fer_ui.datasets.face_pages import show_faces
from fer_ui.datasets.vote_summary import VoteSummary, vote_summary, votes_in_words
from fer_ui.errors import shown_errors
from fer_ui.header import Headline, empty_state, headline
from fer_ui.image_words import part_title
from fer_ui.numbers import images, interval, percent
from fer_ui.params import Param, switch
from fer_ui.resources import index_of
from fer_ui.words import plain

_ALL = "all"
_LABELLED = "labelled"
_KINDS = {_LABELLED: "With a label", "any": "With and without"}
_SCALES = {"count": "All expressions", "share": "Each expression"}


def show_votes(dataset: StoredDataset) -> None:
    """The figures with their intervals and what they mean, the two charts, and the most disputed faces."""
    with shown_errors():
        if VOTE_COLUMNS[0] not in dataset.columns():
            empty_state(
                "This dataset has no votes",
                "Each of its images has one label, so nobody can know how far people agree on it. FER+ has the votes "
                "of ten people on each image.",
            )
            return
        index = index_of(dataset)
        part = _part(index)
        seen = vote_summary(dataset, "" if part == _ALL else part)
        if seen is None:
            empty_state("There is no image with a vote here", "Choose another part, or restore excluded images.")
            return
        _say(seen)
        _charts(seen, dataset.id)
        _disputed(dataset, index, seen)


def ceiling_words(ceiling: HumanCeiling) -> str:
    """What the agreement between people means for a model's figures."""
    return (
        f"A new panel of as many people would give {percent(ceiling.panel_01)} of {images(ceiling.images)} the label "
        f"they have: accuracies above {percent(ceiling.panel_interval[1])} on these labels are suspect, as the labels "
        "themselves are no surer than that. One person agrees with the majority of the others on "
        f"{percent(ceiling.one_voter_01)}: a model above that follows the majority more closely than a single person "
        "does, which is not the same as seeing more."
    )


def _part(index: pd.DataFrame) -> str:
    there = set(index["split"].dropna().unique())
    names = {_ALL: "All", **{str(part): part_title(part) for part in Split if part in there}}
    return switch("Part", list(names), Param.PART, format_func=names.__getitem__) if len(names) > 2 else _ALL


def _say(seen: VoteSummary) -> None:
    numbers = [
        Headline("Median agreement", percent(seen.median_01, 0), _median_detail(seen.median_interval)),
        Headline(
            "Clear majority",
            percent(seen.clear_01),
            f"of {images(seen.images)}; 95 %: {interval(*seen.clear_interval)}",
        ),
    ]
    if seen.ceiling is not None:
        one, panel = seen.ceiling.one_voter_interval, seen.ceiling.panel_interval
        numbers += [
            Headline("One voter against the rest", percent(seen.ceiling.one_voter_01), f"95 %: {interval(*one)}"),
            Headline("A new panel, same label", percent(seen.ceiling.panel_01), f"95 %: {interval(*panel)}"),
        ]
    headline(numbers)
    if seen.ceiling is not None:
        st.markdown(plain(ceiling_words(seen.ceiling)))
        st.caption(
            plain(
                "Agreement: the share of an image's votes that its commonest expression holds; a clear majority is "
                f"more than half. Of the new panels {percent(seen.ceiling.panel_tied_01)} tie, and are not counted."
            )
        )


def _median_detail(ends: Interval) -> str:
    low, high = ends
    return "at both ends of the 95 % interval" if low == high else f"95 %: {interval(low, high)}"


def _charts(seen: VoteSummary, name: str) -> None:
    scale = switch("Agreement on", list(_SCALES), Param.SCALE, format_func=_SCALES.__getitem__)
    draw = agreement_by_expression if scale == "share" else agreement_bars
    show_chart(draw(seen.histogram), f"agreement-{scale}-{name}", table=seen.histogram)
    show_chart(vote_shares_bars(seen.shares), f"vote-shares-{name}", table=vote_shares_table(seen.shares))


def _disputed(dataset: StoredDataset, index: pd.DataFrame, seen: VoteSummary) -> None:
    st.subheader("The most disputed faces", anchor=False)
    kind = switch("Of the images", list(_KINDS), Param.KIND, format_func=_KINDS.__getitem__)
    disputed = seen.disputed_labelled if kind == _LABELLED else seen.disputed
    rows = index.iloc[disputed.rows]
    if rows.empty:
        st.markdown("On none of these images did an expression come first.")
        return
    words = [votes_in_words(votes) for votes in disputed.votes]
    st.markdown(
        plain(
            f"The {images(len(rows))} on which voters agree least, the worst first. The first one has the votes "
            f"{words[0]}. Mark as disputed what has no right label, and a training can leave it out."
        )
    )
    show_faces(dataset, rows, f"most-disputed-{kind}-{dataset.id}", reason="disputed")
    with st.expander("Their votes as a table"):
        table = pd.DataFrame({"Image": rows["id"], "Label": rows["label"].astype("str"), "Votes": words})
        st.dataframe(table, hide_index=True)
        offer_csv(table, f"most-disputed-{kind}-{dataset.id}")
