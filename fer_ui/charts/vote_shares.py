"""What is lost when votes become labels: each expression's share of the votes against its share of the labels."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.charts.layout import empty_figure
from fer_ui.charts.paired_bars import Bars, paired_bars
from fer_ui.formatting import hover, percent
from fer_ui.theme import expression_title

TITLE = "Share of the votes against share of the labels"
_LOSS_01 = 0.1
"""A share that falls by less than this part of itself is not worth a word."""

_NAMED_MAX = 3


def vote_shares_bars(shares: pd.DataFrame) -> go.Figure:
    """Draw `agreement.vote_shares`: two bars an expression. Those without votes and labels are left out."""
    shown = shares[(shares["share_of_votes"] > 0) | (shares["share_of_labels"] > 0)]
    if shown.empty:
        return empty_figure(TITLE, "Nobody has voted for an expression.")
    votes, labels = shown["share_of_votes"].tolist(), shown["share_of_labels"].tolist()
    expressions = [Expression(name) for name in shown["expression"]]
    bars = [
        Bars(
            "of the votes",
            [100 * share for share in votes],
            [percent(share) for share in votes],
            [
                hover(f"{percent(share)} of the votes for an expression are for {expression.value}")
                for expression, share in zip(expressions, votes, strict=True)
            ],
        ),
        Bars(
            "of the labels",
            [100 * share for share in labels],
            [percent(share) for share in labels],
            [
                hover(f"{percent(share)} of the labels are {expression.value}{_change(before, share)}")
                for expression, before, share in zip(expressions, votes, labels, strict=True)
            ],
        ),
    ]
    figure = paired_bars(expressions, bars, title=TITLE, subtitle=describe_vote_shares(shares), axis_title="share")
    return figure.update_xaxes(ticksuffix=" %")


def describe_vote_shares(shares: pd.DataFrame) -> str:
    """Which expressions lose most of their share when votes become labels, with numbers."""
    if not shares["share_of_labels"].any():
        return "No image has a label."
    voted = shares[shares["share_of_votes"] > 0]
    voted = voted.assign(kept=voted["share_of_labels"] / voted["share_of_votes"])
    losing = voted[voted["kept"] < 1 - _LOSS_01].nsmallest(_NAMED_MAX, "kept")
    if losing.empty:
        return "Each expression has about the same share of the labels as of the votes."
    falls = [
        f"{row['expression']} from {percent(row['share_of_votes'])} to {percent(row['share_of_labels'])}"
        for row in losing.to_dict("records")
    ]
    which = "Rare" if (losing["share_of_votes"] < 1 / len(Expression)).all() else "Some"
    return f"{which} expressions lose when votes become labels: {join_words(falls)}."


def vote_shares_table(shares: pd.DataFrame) -> pd.DataFrame:
    """The shares with words for their columns, in percent, and labels as a part of votes."""
    votes, labels = shares["share_of_votes"], shares["share_of_labels"]
    return pd.DataFrame(
        {
            "Expression": [expression_title(Expression(name)) for name in shares["expression"]],
            "Share of votes (%)": 100 * votes,
            "Share of labels (%)": 100 * labels,
            "Labels / votes": (labels / votes.where(votes > 0)).astype(float),
        }
    )


def _change(before: float, after: float) -> str:
    if before <= 0 or abs(after / before - 1) < _LOSS_01:
        return ""
    return f": {after / before:.2f} of its share of the votes"
