"""Chart of class shares in votes and in labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.labels import Expression
from fer_ui.charts.layout import get_titles
from fer_ui.charts.vote_shares import describe_vote_shares, vote_shares_bars, vote_shares_table
from tests.support.texts import assert_mentions


def _shares(votes: list[float], labels: list[float]) -> pd.DataFrame:
    table = {"expression": [*map(str, Expression)], "share_of_votes": votes, "share_of_labels": labels}
    return pd.DataFrame(table)


FERPLUS = _shares(
    [0.316, 0.269, 0.140, 0.122, 0.035, 0.016, 0.084, 0.018], [0.349, 0.273, 0.126, 0.125, 0.024, 0.007, 0.090, 0.006]
)


def test_each_expression_has_two_bars_as_long_as_its_shares() -> None:
    figure = vote_shares_bars(FERPLUS)
    votes, labels = figure.data
    assert list(votes.x) == pytest.approx(list(100 * FERPLUS["share_of_votes"]))
    assert list(labels.x) == pytest.approx(list(100 * FERPLUS["share_of_labels"]))
    assert votes.marker.pattern.shape and not labels.marker.pattern.shape
    assert labels.text[7] == "0.6 %"
    assert_mentions(labels.hovertext[7], "contempt", "0.6 % of the labels", "0.33")


def test_rare_expressions_that_lose_are_named_with_numbers() -> None:
    text = get_titles(vote_shares_bars(FERPLUS)).subtitle
    assert_mentions(text, "rare", "contempt", "1.8 % to 0.6 %", "disgust", "1.6 % to 0.7 %", "fear", "3.5 % to 2.4 %")


def test_a_common_expression_that_loses_is_not_called_rare() -> None:
    text = describe_vote_shares(_shares([0.6, 0.4, 0, 0, 0, 0, 0, 0], [0.4, 0.6, 0, 0, 0, 0, 0, 0]))
    assert_mentions(text, "neutral", "60.0 % to 40.0 %")
    assert "rare" not in text.lower()


def test_equal_shares_are_described() -> None:
    equal = [1 / 8] * 8
    assert_mentions(describe_vote_shares(_shares(equal, equal)), "same share")


def test_expressions_without_votes_are_skipped() -> None:
    figure = vote_shares_bars(_shares([0.5, 0.5, *[0.0] * 6], [0.5, 0.5, *[0.0] * 6]))
    assert list(figure.data[0].y) == ["Neutral", "Happiness"]
    without_votes = vote_shares_bars(_shares([0.0] * 8, [0.0] * 8))
    assert not without_votes.data and "no votes" in without_votes.layout.annotations[0].text


def test_votes_without_a_label_are_plotted() -> None:
    figure = vote_shares_bars(_shares([1.0, *[0.0] * 7], [0.0] * 8))
    assert list(figure.data[1].x) == [0]
    assert get_titles(figure).subtitle == "No image has a label."


def test_the_ratio_is_nan_without_votes() -> None:
    table = vote_shares_table(_shares([0.8, 0.2, *[0.0] * 6], [0.9, 0.1, *[0.0] * 6]))
    assert table["Labels / votes"].iloc[:2].tolist() == pytest.approx([1.125, 0.5])
    assert np.isnan(table["Labels / votes"].iloc[2:]).all()
