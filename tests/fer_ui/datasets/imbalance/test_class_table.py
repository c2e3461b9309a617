"""Table of class counts and its comparison with published counts."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.data.imbalance.counts import compare_counts
from fer_core.intervals import wilson_interval
from fer_ui.datasets.imbalance.class_table import class_table, describe_differences
from tests.support.texts import assert_mentions


def _counts(**splits: tuple[int, int]) -> pd.DataFrame:
    rows = [
        (split.strip("_"), name, number)
        for split, numbers in splits.items()
        for name, number in zip(("neutral", "fear"), numbers, strict=True)
    ]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def test_a_row_has_counts_share_and_recall_margin() -> None:
    table = class_table(_counts(train=(900, 60), test=(90, 10)), {"neutral": 90, "fear": 10})
    assert table["expression"].tolist() == ["neutral", "fear"]
    assert table[["train", "test", "all"]].to_numpy().tolist() == [[900, 90, 990], [60, 10, 70]]
    assert table["share_01"].sum() == pytest.approx(1)
    low, high = wilson_interval(5, 10)
    assert table["recall_margin_01"][1] == pytest.approx((high - low) / 2)
    assert table["recall_margin_01"][0] < table["recall_margin_01"][1]
    assert (table["effective_number"] < table["all"]).all()
    assert table["effective_number"].is_monotonic_decreasing


def test_without_a_test_split_a_tenth_is_assumed() -> None:
    table = class_table(_counts(_=(100, 55)), None)
    assert table["test_images"].tolist() == [10, 5]
    assert "no split" not in table


def test_images_without_a_split_have_a_column_beside_splits() -> None:
    table = class_table(_counts(train=(9, 6), _=(1, 1)), {"neutral": 0, "fear": 0})
    assert table["no split"].tolist() == [1, 1]
    assert table["recall_margin_01"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("published", "local", "mentioned"),
    [
        (_counts(train=(9, 6)), _counts(train=(9, 6)), ["all counts match"]),
        (_counts(train=(9, 6)), _counts(train=(9, 5)), ["1 of 2"]),
        (
            _counts(train=(9, 6), test=(3, 2)),
            _counts(train=(9, 6)),
            ["2 of 4", "no test images"],
        ),
        (
            _counts(train=(9, 6)),
            _counts(train=(9, 6), valid=(3, 2)),
            ["2 of 4", "no published counts", "validation"],
        ),
        (_counts(_=(9, 6)), _counts(train=(4, 6), test=(5, 0)), ["all counts match"]),
        (_counts(), _counts(), ["neither"]),
    ],
)
def test_differences_are_described(published: pd.DataFrame, local: pd.DataFrame, mentioned: list[str]) -> None:
    assert_mentions(describe_differences(compare_counts(published, local)), *mentioned)


def test_a_difference_within_rounding_is_ignored() -> None:
    published = pd.DataFrame(
        {"split": [""] * 3, "expression": ["neutral", "fear", "anger"], "count": [5000, 2000, 1000]}
    )
    local = published.assign(count=[4800, 2100, 1000])
    assert_mentions(describe_differences(compare_counts(published, local)), "all counts match", "rounded")
