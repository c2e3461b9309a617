"""Measure and describe class imbalance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.data.imbalance.counts import (
    class_counts,
    class_totals,
    common_label_set,
    compare_counts,
    counts_by_split,
    excluded_rows,
    published_counts,
    select_label_set,
)
from fer_core.data.votes import Unlabeled
from fer_core.intervals import wilson_interval
from fer_core.text import join_words

__all__ = [
    "Baseline",
    "Imbalance",
    "ImbalanceSummary",
    "class_counts",
    "class_totals",
    "common_label_set",
    "compare_counts",
    "dataset_statistics",
    "effective_numbers",
    "majority_baseline",
    "measure_imbalance",
    "published_counts",
    "select_label_set",
    "summarize_imbalance",
]

BALANCED_RATIO_MAX = 1.5
MILD_RATIO_MAX = 10.0
STRONG_RATIO_MAX = 50.0
"""The largest ratio of each level. Two classes whose sizes are r to 1 turn a face that looks as much like the one as
like the other into r / (1 + r) for the larger (Bayes' theorem): 60 % at 1.5, 91 % at 10, 98 % at 50."""

HALF_WIDTH_MAX_01 = 0.10
"""A class is too small to judge where the 95 % interval of a recall of one half is wider than this either way:
below 93 images, by Wilson's interval."""

JUDGED_SHARE_01 = 0.1
"""The share of a dataset that is the test where no counts are given, as in the default split of 80/10/10."""

Level = Literal["balanced", "mild", "strong", "extreme"]

_LONELY = "Add images of other expressions before training on these."


@dataclass(frozen=True, slots=True)
class Imbalance:
    """How unequal the class sizes are.

    `ratio` is the largest class over the smallest that is not empty; `entropy_01` is Shannon's entropy over its
    maximum (1 is balanced); `gini` is the Gini coefficient of the class sizes (0 is balanced). `missing` are
    the expressions without an image.
    """

    ratio: float
    entropy_01: float
    gini: float
    largest: str
    smallest: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The scores, 0..1, of always predicting the most frequent class, `label`.

    Balanced accuracy and macro-F1 average over the classes that have images.
    """

    label: str
    accuracy: float
    balanced_accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class ImbalanceSummary:
    """The imbalance described in a sentence or two each; "" where there is nothing to say."""

    level: Level
    imbalance: str
    hidden: str
    too_few: str
    next_step: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences that are not empty, in order."""
        return tuple(said for said in (self.imbalance, self.hidden, self.too_few, self.next_step) if said)


def measure_imbalance(counts: Mapping[str, int]) -> Imbalance | None:
    """Measure the imbalance of class sizes; None where no image has a label."""
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


def effective_numbers(sizes: ArrayLike, beta: float) -> NDArray[np.float64]:
    """Effective number of samples of each class, (1 - beta^n) / (1 - beta): the more images, the less each one adds.

    Cui et al. (2019), "Class-Balanced Loss Based on Effective Number of Samples", proposition 1. With beta 0 every
    class that has an image counts 1; as beta nears 1 a class counts its images.

    Args:
        sizes: images a class, shape (classes,).
        beta: 0..1, 1 left out.
    """
    n = np.asarray(sizes, np.float64)
    if beta == 0:
        return np.asarray(n > 0, np.float64)
    return -np.expm1(n * np.log(beta)) / (1 - beta)


def majority_baseline(counts: Mapping[str, int]) -> Baseline | None:
    """Score always predicting the most frequent class; None where no image has a label."""
    sizes = {name: count for name, count in counts.items() if count > 0}
    if not sizes:
        return None
    label = max(sizes, key=sizes.__getitem__)
    share = sizes[label] / sum(sizes.values())
    return Baseline(str(label), share, 1 / len(sizes), 2 * share / (1 + share) / len(sizes))


def summarize_imbalance(counts: Mapping[str, int], judged: Mapping[str, int] | None = None) -> ImbalanceSummary | None:
    """Summarize class imbalance; None where no image has a label.

    Args:
        counts: images of each class, in train or in the whole dataset.
        judged: images of each class in the test split; a tenth of `counts` when left out.
    """
    found, baseline = measure_imbalance(counts), majority_baseline(counts)
    if found is None or baseline is None:
        return None
    if judged is None:
        judged = {name: int(count * JUDGED_SHARE_01) for name, count in counts.items()}
    few = {str(name): judged.get(name, 0) for name, count in counts.items() if count > 0}
    few = {name: count for name, count in few.items() if _half_width_01(count) > HALF_WIDTH_MAX_01}
    alone = sum(count > 0 for count in counts.values()) == 1
    level = "extreme" if alone else _level(found.ratio)
    return ImbalanceSummary(
        level=level,
        imbalance=_imbalance_words(counts, found),
        hidden="" if alone else _hidden_words(baseline, level),
        too_few=_few_words(few),
        next_step=_LONELY if alone else _next_words(found, level),
    )


def dataset_statistics(dataset_id: str, index: pd.DataFrame) -> dict[str, Any]:
    """Compute what `datasets stats --json` prints. Excluded rows count in `n`, `excluded` and `problems` alone.

    `unlabeled` has the reasons that votes give, and those of other layouts where they occur.
    """
    counts = class_counts(index)
    by_split = {
        split: dict(zip(part["expression"], (int(c) for c in part["count"]), strict=True))
        for split, part in counts.groupby("split", sort=False)
    }
    judged = measure_imbalance(class_totals(counts))
    problems = index.loc[index["problem"] != "", "problem"].value_counts()
    others = {str(reason) for reason in index["unlabeled"].dropna().unique()} - {"", *map(str, Unlabeled)}
    reasons = [*map(str, Unlabeled), *sorted(others)]
    unlabeled = counts_by_split(index, "unlabeled", reasons)
    return {
        "id": dataset_id,
        "n": len(index),
        "splits": by_split,
        "unlabeled": {reason: sum(part[reason] for part in unlabeled.values()) for reason in reasons},
        "unlabeled_by_split": unlabeled,
        "excluded": int(excluded_rows(index).sum()),
        "problems": {str(name): int(count) for name, count in problems.items()},
        "imbalance": asdict(judged) if judged else None,
    }


def _half_width_01(images: int) -> float:
    """Half the 95 % interval of a share of one half, where it is widest."""
    low, high = wilson_interval(images // 2, images)
    return (high - low) / 2


def _level(ratio: float) -> Level:
    if ratio > STRONG_RATIO_MAX:
        return "extreme"
    if ratio > MILD_RATIO_MAX:
        return "strong"
    return "mild" if ratio > BALANCED_RATIO_MAX else "balanced"


def _imbalance_words(counts: Mapping[str, int], found: Imbalance) -> str:
    largest, smallest = counts[found.largest], counts[found.smallest]
    if largest == sum(counts.values()):
        return f"Every labeled image shows {found.largest}: there is nothing to tell apart."
    if largest == smallest:
        said = f"Every class has {largest:,} images."
    else:
        said = (
            f"The largest class, {found.largest}, has {_times(found.ratio)} the images of the smallest, "
            f"{found.smallest} ({largest:,} against {smallest:,})."
        )
    return f"{said} No image shows {join_words(found.missing)}." if found.missing else said


def _hidden_words(baseline: Baseline, level: Level) -> str:
    said = (
        f"A model that always answers {baseline.label} is right for {100 * baseline.accuracy:.3g} % of the images; its "
        f"macro-F1 is {baseline.macro_f1:.2f} and its balanced accuracy {100 * baseline.balanced_accuracy:.3g} %."
    )
    return said if level == "balanced" else f"{said} Accuracy hides this: read macro-F1 beside it."


def _few_words(few: Mapping[str, int]) -> str:
    if not few:
        return ""
    each = [f"{name} ({count:,}, ±{100 * _half_width_01(count):.0f} points)" for name, count in few.items()]
    return (
        f"Too few images to judge: {join_words(each)}. In brackets the images that judge, and how far off a recall "
        "measured on them may be (95 % interval). Judge these over several folds, or on more images."
    )


def _next_words(found: Imbalance, level: Level) -> str:
    if level == "balanced":
        return "Nothing needs correcting: train on the images as they are."
    if level == "mild":
        return "Train on the images as they are first, then see whether logit adjustment lifts the rare classes."
    gentle = "Try logit adjustment or square-root sampling, one at a time, and see what it costs the common classes."
    if level == "strong":
        return gentle
    return (
        f"{gentle} With inverse weights one image of {found.smallest} would count as {found.ratio:.0f} of "
        f"{found.largest}, so that its label errors would too; more images of it help most."
    )


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:,.0f} times"
