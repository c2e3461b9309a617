"""The table of class counts, and published against local ones."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.data.imbalance.balance import compare_counts
from fer_core.intervals import wilson_interval
from fer_ui.datasets.imbalance.class_table import class_table, describe_differences


def _counts(**splits: tuple[int, int]) -> pd.DataFrame:
    rows = [
        (split.strip("_"), name, number)
        for split, numbers in splits.items()
        for name, number in zip(("neutral", "fear"), numbers, strict=True)
    ]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def test_a_row_a_class_with_its_share_and_how_sure_a_recall_would_be() -> None:
    table = class_table(_counts(train=(900, 60), test=(90, 10)), {"neutral": 90, "fear": 10})
    assert table["expression"].tolist() == ["neutral", "fear"]
    assert table[["train", "test", "all"]].to_numpy().tolist() == [[900, 90, 990], [60, 10, 70]]
    assert table["share_01"].sum() == pytest.approx(1)
    low, high = wilson_interval(5, 10)
    assert table["recall_margin_01"][1] == pytest.approx((high - low) / 2)
    assert table["recall_margin_01"][0] < table["recall_margin_01"][1]
    assert (table["effective_number"] < table["all"]).all()
    assert table["effective_number"].is_monotonic_decreasing


def test_without_a_part_that_judges_a_tenth_does() -> None:
    table = class_table(_counts(_=(100, 55)), None)
    assert table["judged"].tolist() == [10, 5]
    assert "no part" not in table


def test_images_without_a_part_beside_those_with_one_have_a_column() -> None:
    table = class_table(_counts(train=(9, 6), _=(1, 1)), {"neutral": 0, "fear": 0})
    assert table["no part"].tolist() == [1, 1]
    assert table["recall_margin_01"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("published", "local", "words"),
    [
        (_counts(train=(9, 6)), _counts(train=(9, 6)), "Every count is as published."),
        (_counts(train=(9, 6)), _counts(train=(9, 5)), "1 of 2 counts differ from the published ones."),
        (
            _counts(train=(9, 6), test=(3, 2)),
            _counts(train=(9, 6)),
            "2 of 4 counts differ from the published ones. No image of the test part is here.",
        ),
        (
            _counts(train=(9, 6)),
            _counts(train=(9, 6), valid=(3, 2)),
            "2 of 4 counts differ from the published ones. Nothing is published of the validation part.",
        ),
        (_counts(_=(9, 6)), _counts(train=(4, 6), test=(5, 0)), "Every count is as published."),
        (_counts(), _counts(), "Neither has an image with an expression."),
    ],
)
def test_differences_in_words(published: pd.DataFrame, local: pd.DataFrame, words: str) -> None:
    assert describe_differences(compare_counts(published, local)) == words


def test_a_difference_within_rounding_is_none() -> None:
    published = pd.DataFrame(
        {"split": [""] * 3, "expression": ["neutral", "fear", "anger"], "count": [5000, 2000, 1000]}
    )
    local = published.assign(count=[4800, 2100, 1000])
    assert (
        describe_differences(compare_counts(published, local))
        == "Every count is as published, as far as that is rounded."
    )
