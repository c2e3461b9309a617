from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data.catalog import load_labels
from fer_core.data.imbalance.imbalance import (
    dataset_statistics,
    majority_baseline,
    measure_imbalance,
    summarize_imbalance,
)
from fer_core.data.manifest import builtin_manifests
from fer_core.data.sources.source import open_source
from fer_core.metrics import classification_metrics
from fer_core.settings import Settings


def _index(rows: list[tuple[str | None, str | None, str, str]]) -> pd.DataFrame:
    index = pd.DataFrame(rows, columns=["split", "label", "unlabeled", "problem"])
    return index.astype({"split": "string", "label": "string"})


def test_imbalance_matches_manual_calculation() -> None:
    summary = measure_imbalance({"a": 1, "b": 3, "c": 0})
    assert summary is not None
    assert summary.ratio == 3
    assert summary.entropy_01 == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)) / np.log(2))
    assert summary.gini == pytest.approx(0.25)
    assert (summary.largest, summary.smallest, summary.missing) == ("b", "a", ("c",))


def test_the_gini_coefficient_is_half_the_mean_difference_over_the_mean() -> None:
    sizes = np.array([9360, 7408, 3418, 3368, 651, 175, 2395, 165], float)
    summary = measure_imbalance({str(class_index): int(size) for class_index, size in enumerate(sizes)})
    assert summary is not None
    assert summary.gini == pytest.approx(np.abs(sizes[:, None] - sizes).mean() / (2 * sizes.mean()))


def test_equal_classes_are_balanced() -> None:
    summary = measure_imbalance({"a": 7, "b": 7, "c": 7})
    assert summary is not None
    assert (summary.ratio, summary.entropy_01, summary.gini) == pytest.approx((1, 1, 0))


def test_a_single_class_has_zero_entropy() -> None:
    summary = measure_imbalance({"a": 5, "b": 0})
    assert summary is not None
    assert summary.entropy_01 == 0
    assert summary.missing == ("b",)


@pytest.mark.parametrize("counts", [{}, {"a": 0, "b": 0}])
def test_imbalance_is_undefined_without_labels(counts: dict[str, int]) -> None:
    assert measure_imbalance(counts) is None


COUNTS = {"neutral": 9360, "happiness": 7408, "sadness": 3418, "fear": 651, "contempt": 165}


def test_the_majority_baseline_matches_constant_predictions() -> None:
    baseline = majority_baseline({**COUNTS, "anger": 0})
    assert baseline is not None
    labels = np.repeat(np.arange(5), list(COUNTS.values()))
    metrics = classification_metrics(labels, np.zeros_like(labels), 6)
    assert baseline.label == "neutral"
    assert (baseline.accuracy, baseline.balanced_accuracy, baseline.macro_f1) == pytest.approx(
        (metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1)
    )


@pytest.mark.parametrize("counts", [{}, {"fear": 0}])
def test_without_labels_there_is_neither_baseline_nor_summary(counts: dict[str, int]) -> None:
    assert majority_baseline(counts) is None
    assert summarize_imbalance(counts) is None


@pytest.mark.parametrize(
    ("largest", "level"),
    [(1000, "balanced"), (1500, "balanced"), (1501, "mild"), (10_000, "mild"), (10_001, "strong"), (50_001, "extreme")],
)
def test_the_level_depends_on_the_ratio(largest: int, level: str) -> None:
    summary = summarize_imbalance({"happiness": largest, "fear": 1000})
    assert summary is not None
    assert summary.level == level


def test_the_summary_describes_imbalance_and_majority_baseline() -> None:
    summary = summarize_imbalance({**COUNTS, "disgust": 0})
    assert summary is not None
    text = " ".join(summary.sentences)
    assert "neutral, has 57 times as many images as the smallest, contempt (9,360 and 165)" in text
    assert "No image shows disgust." in text
    assert "always predicts neutral has an accuracy of 44.6 %, a macro-F1 of 0.12" in text
    assert "count as much as 57 of neutral" in text


def test_classes_with_too_few_test_images_are_named_with_their_margin() -> None:
    summary = summarize_imbalance(
        COUNTS, {"neutral": 1241, "happiness": 877, "sadness": 93, "fear": 92, "contempt": 26}
    )
    assert summary is not None
    assert "fear (92, ±10 points) and contempt (26, ±18 points)" in " ".join(summary.sentences)
    assert summary.small_classes == ("fear", "contempt")
    by_default = summarize_imbalance(COUNTS)
    assert by_default is not None
    assert "fear" in by_default.small_classes  # a tenth of 651
    enough = summarize_imbalance(COUNTS, dict.fromkeys(COUNTS, 100))
    assert enough is not None
    assert enough.small_classes == ()
    assert len(enough.sentences) == 3


def test_a_single_class_is_reported_as_nothing_to_classify() -> None:
    summary = summarize_imbalance({"fear": 900, "anger": 0})
    assert summary is not None
    assert summary.level == "extreme"
    assert summary.sentences[0] == "All labeled images show fear, so there is nothing to classify."


def test_equal_classes_need_no_rebalancing() -> None:
    summary = summarize_imbalance({"fear": 2000, "anger": 2000, "contempt": 0})
    assert summary is not None
    assert summary.sentences[0] == "Every class has 2,000 images. No image shows contempt."
    assert "Nothing needs correcting" in summary.sentences[-1]


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
    result = dataset_statistics("sample", index)
    assert (result["id"], result["n"]) == ("sample", 5)
    assert result["problems"] == {"does not decode": 2}
    assert result["unlabeled"] == {"tie": 1, "unknown": 0, "not_a_face": 1}
    assert result["unlabeled_by_split"]["test"] == {"tie": 0, "unknown": 0, "not_a_face": 1}
    assert result["splits"]["train"]["anger"] == 1
    assert result["imbalance"]["ratio"] == 2
    labeled = sum(sum(split.values()) for split in result["splits"].values())
    assert labeled + sum(result["unlabeled"].values()) == result["n"]
    assert result["excluded"] == 0


def test_every_unlabeled_reason_is_counted() -> None:
    rows = [("train", None, "left_out", ""), ("train", None, "tie", ""), ("test", "fear", "", "")]
    result = dataset_statistics("sample", _index(rows))
    assert result["unlabeled"] == {"tie": 1, "unknown": 0, "not_a_face": 0, "left_out": 1}
    assert sum(sum(split.values()) for split in result["unlabeled_by_split"].values()) == 2


def test_statistics_skip_and_count_excluded_rows() -> None:
    index = _index([("train", "fear", "", ""), ("train", "anger", "", "blank"), ("train", None, "tie", "")])
    result = dataset_statistics("sample", index.assign(excluded=[False, True, True]))
    assert (result["n"], result["excluded"]) == (3, 2)
    assert sum(result["splits"]["train"].values()) == 1
    assert result["unlabeled"]["tie"] == result["unlabeled_by_split"]["train"]["tie"] == 0
    assert result["problems"] == {"blank": 1}
    assert result["imbalance"]["ratio"] == 1


def _parse_counts(text: str, split: str) -> dict[str, int]:
    """`train: neutral 9360, happiness 7408, …` in the description of the test data."""
    line = re.search(rf"^{split}: (.*?)[;.]$", text, re.MULTILINE)
    assert line
    return {name.replace("-", "_"): int(count) for name, count in re.findall(r"([a-z-]+) (\d+)", line[1])}


def test_ferplus_has_its_published_counts(test_data: Path) -> None:
    with open_source(test_data / "ferplus.zip", Settings()) as source:
        index = load_labels(source, Settings())
    index["problem"] = ""
    result = dataset_statistics("ferplus", index)
    readme = (test_data / "README.md").read_text()
    published = builtin_manifests()["ferplus"].published
    assert published is not None
    for split in ("train", "valid"):
        assert {**result["splits"][split], **result["unlabeled_by_split"][split]} == _parse_counts(readme, split)
        assert result["splits"][split] == {str(name): count for name, count in published.splits[split].items()}
    assert result["n"] == 28_558 + 3_579
