"""Measure and describe class imbalance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from fer_core.data.imbalance.counts import class_counts, class_totals, counts_by_split, excluded_rows
from fer_core.data.votes import Unlabeled
from fer_core.intervals import recall_margin_01
from fer_core.text import join_words

BALANCED_RATIO_MAX = 1.5
MILD_RATIO_MAX = 10.0
STRONG_RATIO_MAX = 50.0
"""Largest ratio of each level. With class sizes r to 1, an ambiguous face is classified as the larger class with
probability r / (1 + r), by Bayes' theorem: 60 % at 1.5, 91 % at 10, 98 % at 50."""

RECALL_MARGIN_MAX_01 = 0.10
"""With a larger margin of its recall, a class has too few test images: fewer than 93."""

TEST_SHARE_01 = 0.1
"""Default share of the test split."""

Level = Literal["balanced", "mild", "strong", "extreme"]


@dataclass(frozen=True, slots=True)
class Imbalance:
    """Measures of imbalance.

    Attributes:
        ratio: the largest class over the smallest that is not empty.
        entropy_01: Shannon's entropy over its maximum; 1 is balanced.
        gini: Gini coefficient of the class sizes; 0 is balanced.
        missing: expressions without images.
    """

    ratio: float
    entropy_01: float
    gini: float
    largest: str
    smallest: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MajorityBaseline:
    """Metrics, 0..1, of a model that always predicts the largest class, `label`."""

    label: str
    accuracy: float
    balanced_accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class ImbalanceSummary:
    """Description of the imbalance.

    Attributes:
        sentences: in reading order.
        small_classes: those with too few test images.
    """

    level: Level
    sentences: tuple[str, ...]
    small_classes: tuple[str, ...]


def measure_imbalance(counts: Mapping[str, int]) -> Imbalance | None:
    """Measure the imbalance of class sizes; None if no image has a label."""
    present = {name: count for name, count in counts.items() if count > 0}
    if not present:
        return None
    sizes = np.sort(np.array(list(present.values()), float))
    shares = sizes / sizes.sum()
    entropy = float(-(shares * np.log(shares)).sum() / np.log(len(sizes))) if len(sizes) > 1 else 0.0
    ranks = np.arange(1, len(sizes) + 1)
    gini = float((2 * ranks - len(sizes) - 1) @ sizes / (len(sizes) * sizes.sum()))
    return Imbalance(
        ratio=float(sizes[-1] / sizes[0]),
        entropy_01=entropy,
        gini=gini,
        largest=max(present, key=present.__getitem__),
        smallest=min(present, key=present.__getitem__),
        missing=tuple(name for name, count in counts.items() if count == 0),
    )


def majority_baseline(counts: Mapping[str, int]) -> MajorityBaseline | None:
    """Compute the metrics of always predicting the largest class; None if no image has a label."""
    sizes = {name: count for name, count in counts.items() if count > 0}
    if not sizes:
        return None
    label = max(sizes, key=sizes.__getitem__)
    share = sizes[label] / sum(sizes.values())
    return MajorityBaseline(str(label), share, 1 / len(sizes), 2 * share / (1 + share) / len(sizes))


def summarize_imbalance(
    counts: Mapping[str, int], test_counts: Mapping[str, int] | None = None
) -> ImbalanceSummary | None:
    """Describe class imbalance; None if no image has a label.

    Args:
        counts: images of each class, in the training split or the whole dataset.
        test_counts: images of each class in the test split; by default a tenth of `counts`.
    """
    imbalance, baseline = measure_imbalance(counts), majority_baseline(counts)
    if imbalance is None or baseline is None:
        return None
    if test_counts is None:
        test_counts = {name: int(count * TEST_SHARE_01) for name, count in counts.items()}
    margins = {
        f"{name} ({tested:,}, ±{100 * margin:.0f} points)": str(name)
        for name, count in counts.items()
        if count and (margin := recall_margin_01(tested := test_counts.get(name, 0))) > RECALL_MARGIN_MAX_01
    }
    single = counts[imbalance.largest] == sum(counts.values())
    level = "extreme" if single else _level(imbalance.ratio)
    sentences = (
        _describe_ratio(counts, imbalance),
        "" if single else _describe_baseline(baseline, level),
        _describe_small_classes(list(margins)),
        "Add images of other expressions before training." if single else _advise(imbalance, level),
    )
    return ImbalanceSummary(level, tuple(filter(None, sentences)), tuple(margins.values()))


def dataset_statistics(dataset_id: str, index: pd.DataFrame) -> dict[str, Any]:
    """Compute what `datasets stats --json` prints. Excluded rows count only in `n`, `excluded` and `problems`.

    `unlabeled` always has the reasons that votes give, and others where they occur.
    """
    counts = class_counts(index)
    by_split = {
        split: dict(zip(rows["expression"], (int(c) for c in rows["count"]), strict=True))
        for split, rows in counts.groupby("split", sort=False)
    }
    imbalance = measure_imbalance(class_totals(counts))
    problems = index.loc[index["problem"] != "", "problem"].value_counts()
    others = {str(reason) for reason in index["unlabeled"].dropna().unique()} - {"", *map(str, Unlabeled)}
    reasons = [*map(str, Unlabeled), *sorted(others)]
    unlabeled = counts_by_split(index, "unlabeled", reasons)
    return {
        "id": dataset_id,
        "n": len(index),
        "splits": by_split,
        "unlabeled": {reason: sum(counted[reason] for counted in unlabeled.values()) for reason in reasons},
        "unlabeled_by_split": unlabeled,
        "excluded": int(excluded_rows(index).sum()),
        "problems": {str(name): int(count) for name, count in problems.items()},
        "imbalance": asdict(imbalance) if imbalance else None,
    }


def _level(ratio: float) -> Level:
    if ratio > STRONG_RATIO_MAX:
        return "extreme"
    if ratio > MILD_RATIO_MAX:
        return "strong"
    return "mild" if ratio > BALANCED_RATIO_MAX else "balanced"


def _describe_ratio(counts: Mapping[str, int], imbalance: Imbalance) -> str:
    largest, smallest = counts[imbalance.largest], counts[imbalance.smallest]
    if largest == sum(counts.values()):
        return f"All labeled images show {imbalance.largest}, so there is nothing to classify."
    if largest == smallest:
        text = f"Every class has {largest:,} images."
    else:
        ratio = f"{imbalance.ratio:.1f}" if imbalance.ratio < 10 else f"{imbalance.ratio:,.0f}"
        text = (
            f"The largest class, {imbalance.largest}, has {ratio} times as many images as the smallest, "
            f"{imbalance.smallest} ({largest:,} and {smallest:,})."
        )
    return f"{text} No image shows {join_words(imbalance.missing)}." if imbalance.missing else text


def _describe_baseline(baseline: MajorityBaseline, level: Level) -> str:
    text = (
        f"A model that always predicts {baseline.label} has an accuracy of {100 * baseline.accuracy:.3g} %, a macro-F1 "
        f"of {baseline.macro_f1:.2f} and a balanced accuracy of {100 * baseline.balanced_accuracy:.3g} %."
    )
    return text if level == "balanced" else f"{text} Accuracy hides the rare classes; look at macro-F1 too."


def _describe_small_classes(margins: list[str]) -> str:
    if not margins:
        return ""
    return (
        f"Too few test images: {join_words(margins)}. In parentheses: test images and the 95 % margin of a recall of "
        "50 %. Use several folds or more images."
    )


def _advise(imbalance: Imbalance, level: Level) -> str:
    if level == "balanced":
        return "Nothing needs correcting: train without rebalancing."
    if level == "mild":
        return "Train without rebalancing first, then check whether logit adjustment improves the rare classes."
    advice = "Try logit adjustment or square-root sampling, one at a time, and check the recall of the common classes."
    if level == "strong":
        return advice
    return (
        f"{advice} With inverse class weights, one image of {imbalance.smallest} would count as much as "
        f"{imbalance.ratio:.0f} of {imbalance.largest}, and so would its label errors. More images of "
        f"{imbalance.smallest} help most."
    )
