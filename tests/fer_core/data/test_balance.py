from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data.balance import class_counts, imbalance, published_counts, statistics
from fer_core.data.catalog import read_labels
from fer_core.data.manifest import known_manifests
from fer_core.data.source import open_source
from fer_core.labels import Expression
from fer_core.settings import Settings


def _index(rows: list[tuple[str | None, str | None, str, str]]) -> pd.DataFrame:
    index = pd.DataFrame(rows, columns=["split", "label", "unlabelled", "problem"])
    return index.astype({"split": "string", "label": "string"})


def test_imbalance_worked_out_by_hand() -> None:
    judged = imbalance({"a": 1, "b": 3, "c": 0})
    assert judged is not None
    assert judged.ratio == 3
    assert judged.entropy_01 == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)) / np.log(2))
    assert judged.gini == pytest.approx(0.25)
    assert (judged.largest, judged.smallest, judged.missing) == ("b", "a", ("c",))


def test_the_gini_coefficient_is_half_the_mean_difference_over_the_mean() -> None:
    sizes = np.array([9360, 7408, 3418, 3368, 651, 175, 2395, 165], float)
    judged = imbalance({str(place): int(size) for place, size in enumerate(sizes)})
    assert judged is not None
    assert judged.gini == pytest.approx(np.abs(sizes[:, None] - sizes).mean() / (2 * sizes.mean()))


def test_equal_classes_are_balanced() -> None:
    judged = imbalance({"a": 7, "b": 7, "c": 7})
    assert judged is not None
    assert (judged.ratio, judged.entropy_01, judged.gini) == pytest.approx((1, 1, 0))


def test_one_class_alone_is_as_unbalanced_as_can_be() -> None:
    judged = imbalance({"a": 5, "b": 0})
    assert judged is not None
    assert judged.entropy_01 == 0
    assert judged.missing == ("b",)


@pytest.mark.parametrize("counts", [{}, {"a": 0, "b": 0}])
def test_no_labels_have_no_balance(counts: dict[str, int]) -> None:
    assert imbalance(counts) is None


def test_counts_have_every_expression_for_every_split_in_order() -> None:
    index = _index(
        [("test", "fear", "", ""), ("train", "fear", "", ""), ("train", "fear", "", ""), (None, None, "tie", "")]
    )
    counts = class_counts(index)
    assert counts["split"].tolist() == ["train"] * 8 + ["test"] * 8 + [""] * 8
    assert counts["expression"].tolist() == list(map(str, Expression)) * 3
    found = counts[counts["count"] > 0].to_dict("records")
    assert found == [
        {"split": "train", "expression": "fear", "count": 2},
        {"split": "test", "expression": "fear", "count": 1},
    ]


def test_published_counts_take_the_same_form() -> None:
    published = known_manifests()["ferplus"].published
    assert published is not None
    counts = published_counts(published.splits)
    assert list(counts) == ["split", "expression", "count"]
    assert counts["expression"].tolist()[:8] == list(map(str, Expression))
    assert counts["count"].sum() == sum(sum(part.values()) for part in published.splits.values())


def test_statistics_add_up() -> None:
    index = _index(
        [
            ("train", "fear", "", ""),
            ("train", "anger", "", "does not decode"),
            ("train", None, "tie", ""),
            ("test", None, "not_a_face", ""),
            ("test", "fear", "", "does not decode"),
        ]
    )
    result = statistics("mine", index)
    assert (result["id"], result["n"]) == ("mine", 5)
    assert result["problems"] == {"does not decode": 2}
    assert result["unlabelled"] == {"tie": 1, "unknown": 0, "not_a_face": 1}
    assert result["unlabelled_by_split"]["test"] == {"tie": 0, "unknown": 0, "not_a_face": 1}
    assert result["splits"]["train"]["anger"] == 1
    assert result["imbalance"]["ratio"] == 2
    labelled = sum(sum(part.values()) for part in result["splits"].values())
    assert labelled + sum(result["unlabelled"].values()) == result["n"]


def _counts_in_words(text: str, split: str) -> dict[str, int]:
    """`train: neutral 9360, happiness 7408, …` in the description of the test data."""
    line = re.search(rf"^{split}: (.*?)[;.]$", text, re.MULTILINE)
    assert line
    return {name.replace("-", "_"): int(count) for name, count in re.findall(r"([a-z-]+) (\d+)", line[1])}


def test_ferplus_has_the_counts_it_is_known_for(test_data: Path) -> None:
    with open_source(test_data / "ferplus.zip", Settings()) as source:
        index = read_labels(source)
    index["problem"] = ""
    result = statistics("ferplus", index)
    said = (test_data / "README.md").read_text()
    published = known_manifests()["ferplus"].published
    assert published is not None
    for split in ("train", "valid"):
        assert {**result["splits"][split], **result["unlabelled_by_split"][split]} == _counts_in_words(said, split)
        assert result["splits"][split] == {str(name): count for name, count in published.splits[split].items()}
    assert result["n"] == 28_558 + 3_579
