"""Each expression's share of the votes against its share of the labels."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.charts.layout import empty_figure
from fer_ui.charts.paired_bars import paired_bars, share_series
from fer_ui.formatting import format_percent
from fer_ui.theme import expression_title

TITLE = "Votes and labels by expression"
_LOSS_01 = 0.1
"""A smaller relative loss is not mentioned."""

_NAMED_MAX = 3


def vote_shares_bars(shares: pd.DataFrame) -> go.Figure:
    """Plot `agreement.vote_shares`: two bars for each expression. Those without votes and labels are skipped."""
    shown = shares[(shares["share_of_votes"] > 0) | (shares["share_of_labels"] > 0)]
    if shown.empty:
        return empty_figure(TITLE, "There are no votes for an expression.")
    votes, labels = shown["share_of_votes"].tolist(), shown["share_of_labels"].tolist()
    expressions = [Expression(name) for name in shown["expression"]]
    of_votes = share_series("share of the votes", expressions, votes, "the votes")
    of_labels = share_series("share of the labels", expressions, labels, "the labels")
    hovers = [f"{hover}{_describe_change(*pair)}" for hover, *pair in zip(of_labels.hovers, votes, labels, strict=True)]
    bars = [of_votes, of_labels._replace(hovers=hovers)]
    figure = paired_bars(expressions, bars, title=TITLE, subtitle=describe_vote_shares(shares), axis_title="share")
    return figure.update_xaxes(ticksuffix=" %")


def describe_vote_shares(shares: pd.DataFrame) -> str:
    """Describe which expressions lose most of their share when votes become labels."""
    if not shares["share_of_labels"].any():
        return "No image has a label."
    voted = shares[shares["share_of_votes"] > 0]
    voted = voted.assign(ratio=voted["share_of_labels"] / voted["share_of_votes"])
    losing = voted[voted["ratio"] < 1 - _LOSS_01].nsmallest(_NAMED_MAX, "ratio")
    if losing.empty:
        return "Every expression has about the same share of votes and labels."
    falls = [
        f"{row['expression']} from {format_percent(row['share_of_votes'])} to {format_percent(row['share_of_labels'])}"
        for row in losing.to_dict("records")
    ]
    which = "Rare" if (losing["share_of_votes"] < 1 / len(Expression)).all() else "Some"
    return f"{which} expressions lose share when votes become labels: {join_words(falls)}."


def vote_shares_table(shares: pd.DataFrame) -> pd.DataFrame:
    """Format the shares in percent, with readable columns and the ratio of labels to votes."""
    votes, labels = shares["share_of_votes"], shares["share_of_labels"]
    return pd.DataFrame(
        {
            "Expression": [expression_title(Expression(name)) for name in shares["expression"]],
            "Share of votes (%)": 100 * votes,
            "Share of labels (%)": 100 * labels,
            "Labels / votes": (labels / votes.where(votes > 0)).astype(float),
        }
    )


def _describe_change(before: float, after: float) -> str:
    if before <= 0 or abs(after / before - 1) < _LOSS_01:
        return ""
    return f", {after / before:.2f} of its share of the votes"
