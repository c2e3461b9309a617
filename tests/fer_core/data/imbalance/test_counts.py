from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.imbalance.counts import (
    class_counts,
    class_totals,
    common_label_set,
    compare_counts,
    counts_by_split,
    published_counts,
    select_label_set,
)
from fer_core.data.manifest import builtin_manifests
from fer_core.labels import Expression, label_set

E = Expression


def _index(rows: list[tuple[str | None, str | None]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["split", "label"]).astype({"split": "string", "label": "string"})


def _published(**splits: dict[Expression, int]) -> pd.DataFrame:
    return published_counts({"" if name == "all" else name: counts for name, counts in splits.items()})


def test_counts_have_every_expression_for_every_split_in_order() -> None:
    index = _index([("test", "fear"), ("train", "fear"), ("train", "fear"), (None, None)])
    counts = class_counts(index)
    assert counts["split"].tolist() == ["train"] * 8 + ["test"] * 8 + [""] * 8
    assert counts["expression"].tolist() == list(map(str, Expression)) * 3
    nonzero = counts[counts["count"] > 0].to_dict("records")
    assert nonzero == [
        {"split": "train", "expression": "fear", "count": 2},
        {"split": "test", "expression": "fear", "count": 1},
    ]


def test_excluded_rows_do_not_count() -> None:
    index = _index([("train", "fear"), ("train", "anger"), ("test", "fear")])
    index["excluded"] = [False, True, True]
    counts = class_counts(index)
    assert set(counts["split"]) == {"train"}
    assert class_totals(counts) == {str(e): int(e is E.FEAR) for e in Expression}


@pytest.mark.parametrize("dtype", ["string", "str", "object", "category"])
@pytest.mark.parametrize("seed", range(2))
def test_counts_match_value_counts_for_any_column_type(dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = pd.DataFrame(
        {
            "split": rng.choice(np.array(["train", "test", None], object), 500),
            "label": rng.choice(np.array([*map(str, Expression), "boredom", None], object), 500),
        }
    )
    expected = index.assign(split=index["split"].fillna("")).value_counts(["split", "label"])
    for row in class_counts(index.astype({"split": dtype, "label": dtype})).itertuples():
        assert row.count == expected.get((row.split, row.expression), 0)


def test_no_rows_give_no_counts() -> None:
    counts = class_counts(_index([]))
    assert counts.empty
    assert list(counts) == ["split", "expression", "count"]


def test_any_column_is_counted_by_split() -> None:
    index = _index([("train", None), ("train", None), (None, None)]).assign(unlabeled=["tie", "other", "tie"])
    assert counts_by_split(index, "unlabeled", ["tie", "unknown"]) == {
        "train": {"tie": 1, "unknown": 0},
        "": {"tie": 1, "unknown": 0},
    }


def test_published_counts_have_the_same_columns() -> None:
    published = builtin_manifests()["ferplus"].published
    assert published is not None
    counts = published_counts(published.splits)
    assert list(counts) == ["split", "expression", "count"]
    assert counts["expression"].tolist()[:8] == list(map(str, Expression))
    assert counts["count"].sum() == sum(sum(split.values()) for split in published.splits.values())


def _flagged(table: pd.DataFrame) -> dict[str, bool]:
    return dict(zip(table["expression"], table["flagged"], strict=True))


def test_equal_counts_are_not_flagged_and_a_difference_of_one_is() -> None:
    published = _published(train={E.NEUTRAL: 101, E.FEAR: 57})
    table = compare_counts(published, _published(train={E.NEUTRAL: 101, E.FEAR: 56}))
    assert table.to_dict("records") == [
        {"split": "train", "expression": "neutral", "published": 101, "local": 101, "difference": 0, "flagged": False},
        {"split": "train", "expression": "fear", "published": 57, "local": 56, "difference": -1, "flagged": True},
    ]


def test_a_class_on_one_side_only_is_flagged() -> None:
    table = compare_counts(_published(train={E.ANGER: 5, E.FEAR: 3}), _published(train={E.ANGER: 5, E.DISGUST: 1}))
    assert _flagged(table) == {"fear": True, "disgust": True, "anger": False}
    assert table["difference"].tolist() == [-3, 1, 0]


def test_counts_published_in_thousands_allow_for_rounding() -> None:
    published = _published(all={E.NEUTRAL: 134_000, E.HAPPINESS: 25_000, E.FEAR: 6_000})
    table = compare_counts(published, _published(all={E.NEUTRAL: 134_415, E.HAPPINESS: 24_500, E.FEAR: 6_501}))
    assert _flagged(table) == {"neutral": False, "happiness": False, "fear": True}


def test_equal_round_counts_are_compared_exactly() -> None:
    equal = dict.fromkeys(Expression, 500)
    table = compare_counts(_published(valid=equal), _published(valid={**equal, E.CONTEMPT: 499}))
    assert [name for name, flagged in _flagged(table).items() if flagged] == ["contempt"]


def test_totals_are_compared_when_one_side_has_no_splits() -> None:
    total = _published(all={E.FEAR: 12})
    by_split = _published(train={E.FEAR: 8}, test={E.FEAR: 4})
    for published, local in ((total, by_split), (by_split, total)):
        table = compare_counts(published, local)
        assert table[["split", "published", "local"]].to_numpy().tolist() == [["", 12, 12]]
        assert not table["flagged"].any()


def test_a_missing_split_is_flagged() -> None:
    published = _published(train={E.FEAR: 8}, valid={E.FEAR: 3}, test={E.FEAR: 4})
    table = compare_counts(published, _published(train={E.FEAR: 8}, valid={E.FEAR: 3}))
    assert table[["split", "flagged"]].to_numpy().tolist() == [["train", False], ["valid", False], ["test", True]]


def test_the_common_label_set_has_the_classes_of_all_datasets() -> None:
    first = _published(train={E.ANGER: 5, E.HAPPINESS: 3, E.SADNESS: 1, E.FEAR: 2})
    second = _published(all={E.SADNESS: 4, E.HAPPINESS: 3, E.ANGER: 1, E.FEAR: 0})
    assert common_label_set([first, second]) == label_set("three")
    assert common_label_set([first]).expressions == (E.HAPPINESS, E.SADNESS, E.FEAR, E.ANGER)
    assert len(common_label_set([first, _published(all={E.CONTEMPT: 2})])) == 0
    assert len(common_label_set([])) == 0


def test_select_label_set_keeps_only_its_expressions() -> None:
    counts = class_counts(_index([("train", "anger"), ("test", "sadness"), ("test", "fear")]))
    table = select_label_set(counts, label_set("three"))
    assert table["split"].tolist() == ["train"] * 3 + ["test"] * 3
    assert table["expression"].tolist() == ["happiness", "sadness", "anger"] * 2
    assert table["count"].tolist() == [0, 0, 1, 0, 1, 0]
