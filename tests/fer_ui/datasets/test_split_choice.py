"""Splits as query parameters."""

from __future__ import annotations

import pytest

from fer_core.data.splits.split import SplitConfig
from fer_ui.datasets.split_choice import describe_split_config, split_from_query, split_to_query


@pytest.mark.parametrize(
    ("config", "query"),
    [
        (SplitConfig(), "published"),
        (SplitConfig(kind="seeded"), "seeded"),
        (SplitConfig(kind="kfold", fold=2, seed=7), "kfold~0.1~0.1~5~2~7"),
        (SplitConfig(kind="seeded", valid_01=0.15, test_01=1 / 3), "seeded~0.15~0.3333333333333333~5~0~0"),
        (SplitConfig(seed=4), "published~0.1~0.1~5~0~4"),
    ],
)
def test_a_split_round_trips_through_the_query(config: SplitConfig, query: str) -> None:
    assert split_to_query(config) == query
    assert split_from_query(query) == config


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "halves",
        "seeded~1",
        "seeded~0.5~0.5~5~0~0",
        "kfold~0.1~0.1~5~5~0",
        "kfold~nan~0.1~5~0~0",
        "seeded~" * 9,
    ],
)
def test_invalid_splits_are_none(text: str) -> None:
    assert split_from_query(text) is None


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (SplitConfig(), "as published"),
        (SplitConfig(kind="seeded", valid_01=0.15, test_01=0.15, seed=3), "70/15/15, seed 3"),
        (SplitConfig(kind="kfold", folds=4, fold=3), "fold 4 of 4, seed 0"),
        (SplitConfig(valid_01=0.2), "as published; missing splits 70/20/10, seed 0"),
    ],
)
def test_a_split_is_described(config: SplitConfig, text: str) -> None:
    assert describe_split_config(config) == text
